// SPDX-License-Identifier: GPL-3.0-or-later
#include "buses.h"

#include <string.h>

enum { ASK_PIN = 1, ASK_PULSE = 2, ASK_PULSES = 3, ASK_I2C = 4, ASK_ONEWIRE = 5, ASK_WIEGAND = 6, ASK_CAPTURE = 7 };
enum { CAPTURE_TAKE = 0, CAPTURE_READ = 1, CAPTURE_DROP = 2, CAPTURE_PIECE = 512 };
enum { HEAD = 3, PULSES_MAX = 48 };

static int is_channel(int channel) { return channel >= 0 && channel <= PORT_CHANNEL_MAX; }

int buses_pin_read(int channel) {
  uint8_t level;
  if (!is_channel(channel)) return SHALLOT_E_DEVICE_FAULT;
  int fault = buses_ask((const uint8_t[]){ASK_PIN, (uint8_t)channel}, 2, &level, 1);
  return fault ? fault : level != 0;
}

int buses_pulse_set(int channel, uint16_t period_us, uint16_t high_us) {
  uint8_t question[] = {ASK_PULSE, (uint8_t)channel, (uint8_t)period_us, (uint8_t)(period_us >> 8), (uint8_t)high_us, (uint8_t)(high_us >> 8)};
  if (!is_channel(channel) || high_us > period_us) return SHALLOT_E_DEVICE_FAULT;
  return buses_ask(question, sizeof question, NULL, 0);
}

int buses_pulses_read(int channel, uint16_t wake_us, uint16_t *high_us, size_t count) {
  uint8_t widths[2 * PULSES_MAX];
  uint8_t question[] = {ASK_PULSES, (uint8_t)channel, (uint8_t)wake_us, (uint8_t)(wake_us >> 8), (uint8_t)count};
  if (!is_channel(channel) || count > PULSES_MAX) return SHALLOT_E_DEVICE_FAULT;
  int fault = buses_ask(question, sizeof question, widths, 2 * count);
  for (size_t i = 0; fault == 0 && i < count; i++) high_us[i] = (uint16_t)(widths[2 * i] | widths[2 * i + 1] << 8);
  return fault;
}

static int transfer(uint8_t operation, uint8_t where, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  uint8_t question[HEAD + PORT_TRANSFER_BYTES_MAX] = {operation, where, (uint8_t)in_size};
  if (out_size > PORT_TRANSFER_BYTES_MAX || in_size > PORT_TRANSFER_BYTES_MAX) return SHALLOT_E_DEVICE_FAULT;
  if (out_size > 0) memcpy(question + HEAD, out, out_size);
  return buses_ask(question, HEAD + out_size, in, in_size);
}

int buses_i2c_transfer(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  return address > 0x7f ? SHALLOT_E_DEVICE_FAULT : transfer(ASK_I2C, address, out, out_size, in, in_size);
}

int buses_onewire_transfer(int channel, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  if (!is_channel(channel)) return SHALLOT_E_DEVICE_FAULT;
  return transfer(ASK_ONEWIRE, (uint8_t)channel, out, out_size, in, in_size);
}

/* A frame comes at once, or never: the runner knows no waiting. */
int buses_capture_take(uint32_t timeout_ms) {
  uint8_t size[4];
  (void)timeout_ms;
  int fault = buses_ask((const uint8_t[]){ASK_CAPTURE, CAPTURE_TAKE}, 2, size, sizeof size);
  return fault ? fault : size[0] | size[1] << 8 | size[2] << 16;
}

int buses_capture_read(uint32_t at, uint8_t *out, size_t size) {
  while (size > 0) {
    size_t piece = size < CAPTURE_PIECE ? size : CAPTURE_PIECE;
    const uint8_t question[] = {ASK_CAPTURE, CAPTURE_READ, (uint8_t)at, (uint8_t)(at >> 8), (uint8_t)(at >> 16), (uint8_t)piece, (uint8_t)(piece >> 8)};
    int fault = buses_ask(question, sizeof question, out, piece);
    if (fault) return fault;
    at += (uint32_t)piece;
    out += piece;
    size -= piece;
  }
  return 0;
}

void buses_capture_drop(void) { buses_ask((const uint8_t[]){ASK_CAPTURE, CAPTURE_DROP}, 2, NULL, 0); }

int buses_wiegand_read(uint64_t *bits) {
  uint8_t burst[9];
  if (buses_ask((const uint8_t[]){ASK_WIEGAND}, 1, burst, sizeof burst) != 0) return 0;
  *bits = 0;
  for (int i = 1; i < 9; i++) *bits = *bits << 8 | burst[i];
  return burst[0];
}
