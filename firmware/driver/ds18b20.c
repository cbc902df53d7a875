// SPDX-License-Identifier: GPL-3.0-or-later
#include "ds18b20.h"

enum {
  SKIP_ROM = 0xcc,
  CONVERT = 0x44,
  READ_SCRATCHPAD = 0xbe,
  CONFIGURATION_AT = 4,
  TWELVE_BITS = 0x7f, /* figure 10 */
  CHECKSUM_AT = 8,
  LEAST = -55 * 16,
  MOST = 125 * 16,
  POWER_ON = 85 * 16,
  NEAR = 5 * 16
};

/* Page 9: x^8 + x^5 + x^4 + 1, lowest bit first; over all nine bytes it is zero. An all-zero line must not pass for a sum. */
static uint8_t checksum(const uint8_t *bytes, int size) {
  uint8_t crc = 0;
  for (int i = 0; i < size; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = (uint8_t)((crc & 1) ? crc >> 1 ^ 0x8c : crc >> 1);
  }
  return crc;
}

int ds18b20_decode(const uint8_t scratchpad[DS18B20_SCRATCHPAD_BYTES], int32_t *sixteenths) {
  if (checksum(scratchpad, CHECKSUM_AT) != scratchpad[CHECKSUM_AT] || scratchpad[CONFIGURATION_AT] != TWELVE_BITS)
    return SHALLOT_FAULT_CHECKSUM;
  *sixteenths = (int16_t)(scratchpad[0] | scratchpad[1] << 8);
  return *sixteenths < LEAST || *sixteenths > MOST ? SHALLOT_FAULT_RANGE : 0;
}

static int conversion_start(struct ds18b20 *sensor, uint64_t now_ms) {
  static const uint8_t convert[] = {SKIP_ROM, CONVERT};
  int fault = sensor->port->onewire_transfer(sensor->channel, convert, sizeof convert, NULL, 0);
  sensor->is_converting = fault == 0;
  sensor->begun_ms = now_ms;
  return fault == 0 ? 0 : SHALLOT_FAULT_ABSENT;
}

static int scratchpad_read(const struct ds18b20 *sensor, int32_t *sixteenths) {
  static const uint8_t read[] = {SKIP_ROM, READ_SCRATCHPAD};
  uint8_t pad[DS18B20_SCRATCHPAD_BYTES];
  int fault = sensor->port->onewire_transfer(sensor->channel, read, sizeof read, pad, sizeof pad);
  return fault == 0 ? ds18b20_decode(pad, sixteenths) : SHALLOT_FAULT_ABSENT;
}

int ds18b20_read(struct ds18b20 *sensor, uint64_t now_ms, int32_t *temperature) {
  int32_t sixteenths;
  if (!sensor->is_converting) {
    int fault = conversion_start(sensor, now_ms);
    return fault ? fault : DS18B20_WAIT;
  }
  if (now_ms - sensor->begun_ms < DS18B20_CONVERTING_MS) return DS18B20_WAIT;
  int fault = scratchpad_read(sensor, &sixteenths);
  int begun = conversion_start(sensor, now_ms);
  if (fault == 0) fault = begun;
  if (fault) return fault;
  bool is_surprise = sixteenths == POWER_ON && !sensor->is_warm;
  if (!is_surprise) sensor->is_warm = sixteenths > POWER_ON - NEAR && sixteenths < POWER_ON + NEAR;
  if (is_surprise) return SHALLOT_FAULT_STUCK;
  *temperature = (sixteenths * 25 + (sixteenths < 0 ? -2 : 2)) / 4;
  return 0;
}
