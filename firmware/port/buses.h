// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The buses of port.h for the ports that have no board: each call becomes one question to the runner (scripts/twins), which plays the chips.
 * In: a call; out: `operation, arguments…` to the runner, and its answer of a known size. Absent on purpose: chips, time, and memory.
 */
#ifndef SHALLOT_BUSES_H
#define SHALLOT_BUSES_H

#include "port.h"

/* Written by each port: asks, and takes an answer of exactly answer_size bytes. 0, or SHALLOT_E_DEVICE_FAULT when nobody answers so. */
int buses_ask(const uint8_t *question, size_t size, uint8_t *answer, size_t answer_size);

int buses_pulse_set(int channel, uint16_t period_us, uint16_t high_us);
int buses_pin_read(int channel);
int buses_pulses_read(int channel, uint16_t wake_us, uint16_t *high_us, size_t count);
int buses_i2c_transfer(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size);
int buses_onewire_transfer(int channel, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size);
int buses_wiegand_read(uint64_t *bits);
int buses_capture_take(uint32_t timeout_ms);
int buses_capture_read(uint32_t at, uint8_t *out, size_t size);
void buses_capture_drop(void);

#endif
