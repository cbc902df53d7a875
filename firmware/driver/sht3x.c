// SPDX-License-Identifier: GPL-3.0-or-later
#include "sht3x.h"

enum {
  MEASURING_MS = 16, /* table 4: 15 at most */
  AGAIN_MS = 5,
  TRIES_MAX = 4,
  WORD_BYTES = 3,
  RAW_MOST = 65535,
  TEMPERATURE_LEAST = -4000, /* table 2; humidity cannot leave 0 to 100 % */
  TEMPERATURE_MOST = 12500
};

/* §4.12: x^8 + x^5 + x^4 + 1, begun with 0xff. */
uint8_t sht3x_checksum(const uint8_t word[2]) {
  unsigned crc = 0xff;
  for (int i = 0; i < 2; i++) {
    crc ^= word[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc & 0x80) ? (crc << 1 ^ 0x31) & 0xff : crc << 1;
  }
  return (uint8_t)crc;
}

/* §4.4: the sensor acknowledges its address only when it has measured. */
static int answer_await(const struct sht3x *sensor, uint8_t *answer, size_t size) {
  sensor->port->sleep_ms(MEASURING_MS);
  for (int tries = 0; tries < TRIES_MAX; tries++) {
    if (sensor->port->i2c_transfer(sensor->address, NULL, 0, answer, size) == 0) return 0;
    sensor->port->sleep_ms(AGAIN_MS);
  }
  return SHALLOT_FAULT_ABSENT;
}

static uint32_t word_of(const uint8_t *bytes) { return (uint32_t)bytes[0] << 8 | bytes[1]; }

int sht3x_read(struct sht3x *sensor, struct climate *climate) {
  static const uint8_t single_shot[] = {0x24, 0x00}; /* table 9: high repeatability, no clock stretching */
  uint8_t answer[2 * WORD_BYTES];
  if (sensor->port->i2c_transfer(sensor->address, single_shot, sizeof single_shot, NULL, 0) != 0) return SHALLOT_FAULT_ABSENT;
  int fault = answer_await(sensor, answer, sizeof answer);
  if (fault) return fault;
  if (sht3x_checksum(answer) != answer[2] || sht3x_checksum(answer + WORD_BYTES) != answer[5]) return SHALLOT_FAULT_CHECKSUM;
  uint32_t warm = word_of(answer);
  uint32_t wet = word_of(answer + WORD_BYTES);
  /* §4.13, in hundredths, rounded. */
  climate->temperature = (int32_t)((17500 * warm + RAW_MOST / 2) / RAW_MOST) - 4500;
  climate->humidity = (int32_t)((10000 * wet + RAW_MOST / 2) / RAW_MOST);
  if (climate->temperature < TEMPERATURE_LEAST || climate->temperature > TEMPERATURE_MOST) return SHALLOT_FAULT_RANGE;
  return health_word(&sensor->health, warm << 16 | wet);
}
