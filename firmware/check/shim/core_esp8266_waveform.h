// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_WAVEFORM_H
#define SHIM_WAVEFORM_H

#include <stdint.h>

extern "C" {
int startWaveform(uint8_t pin, uint32_t high_us, uint32_t low_us, uint32_t run_us);
int stopWaveform(uint8_t pin);
}

#endif
