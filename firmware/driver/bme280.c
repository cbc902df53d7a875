// SPDX-License-Identifier: GPL-3.0-or-later
#include "bme280.h"

enum {
  REGISTER_TRIM = 0x88,
  REGISTER_H1 = 0xa1,
  REGISTER_ID = 0xd0,
  REGISTER_H2 = 0xe1,
  REGISTER_CTRL_HUM = 0xf2,
  REGISTER_STATUS = 0xf3,
  REGISTER_CTRL_MEAS = 0xf4,
  REGISTER_DATA = 0xf7,
  IS_BME280 = 0x60,
  ONCE = 1,
  FORCED_ALL_ONCE = ONCE << 5 | ONCE << 2 | 1, /* §5.4.5 */
  IS_MEASURING = 8,
  MEASURING_MS = 10, /* §9.1: 9.3 at most */
  AGAIN_MS = 5,
  TRIES_MAX = 4,
  TRIM_BYTES = 24,
  H_BYTES = 7,
  DATA_BYTES = 8,
  SKIPPED = 0x80000, /* table 18 and those after it: what stands where nothing was measured, as after a reset */
  SKIPPED_HUMIDITY = 0x8000,
  TEMPERATURE_LEAST = -4000, /* table 1 */
  TEMPERATURE_MOST = 8500,
  PRESSURE_LEAST = 30000,
  PRESSURE_MOST = 110000,
  HUMIDITY_MOST_Q10 = 100 * 1024
};

/* ---- registers ---- */

static int registers_read(const struct bme280 *sensor, uint8_t from, uint8_t *out, size_t size) {
  return sensor->port->i2c_transfer(sensor->address, &from, 1, out, size);
}

static int register_write(const struct bme280 *sensor, uint8_t at, uint8_t value) {
  const uint8_t bytes[] = {at, value};
  return sensor->port->i2c_transfer(sensor->address, bytes, sizeof bytes, NULL, 0);
}

static uint16_t word_at(const uint8_t *bytes, size_t at) { return (uint16_t)(bytes[at] | bytes[at + 1] << 8); }
static int16_t signed_at(const uint8_t *bytes, size_t at) { return (int16_t)word_at(bytes, at); }

/* Table 16. H4 and H5 are 12 bits each, and share a byte. */
static int trim_read(struct bme280 *sensor) {
  uint8_t id, t[TRIM_BYTES], h[H_BYTES];
  struct bme280_trim *trim = &sensor->trim;
  if (registers_read(sensor, REGISTER_ID, &id, 1) != 0 || id != IS_BME280) return SHALLOT_FAULT_ABSENT;
  if (registers_read(sensor, REGISTER_TRIM, t, sizeof t) != 0) return SHALLOT_FAULT_ABSENT;
  if (registers_read(sensor, REGISTER_H1, &trim->h1, 1) != 0) return SHALLOT_FAULT_ABSENT;
  if (registers_read(sensor, REGISTER_H2, h, sizeof h) != 0) return SHALLOT_FAULT_ABSENT;
  trim->t1 = word_at(t, 0), trim->t2 = signed_at(t, 2), trim->t3 = signed_at(t, 4);
  trim->p1 = word_at(t, 6), trim->p2 = signed_at(t, 8), trim->p3 = signed_at(t, 10);
  trim->p4 = signed_at(t, 12), trim->p5 = signed_at(t, 14), trim->p6 = signed_at(t, 16);
  trim->p7 = signed_at(t, 18), trim->p8 = signed_at(t, 20), trim->p9 = signed_at(t, 22);
  trim->h2 = signed_at(h, 0), trim->h3 = h[2], trim->h6 = (int8_t)h[6];
  trim->h4 = (int16_t)((int8_t)h[3] * 16 | (h[4] & 0xf));
  trim->h5 = (int16_t)((int8_t)h[5] * 16 | h[4] >> 4);
  sensor->is_known = true;
  return 0;
}

static int measured_await(const struct bme280 *sensor) {
  sensor->port->sleep_ms(MEASURING_MS);
  for (int tries = 0; tries < TRIES_MAX; tries++) {
    uint8_t status;
    if (registers_read(sensor, REGISTER_STATUS, &status, 1) != 0) return SHALLOT_FAULT_ABSENT;
    if (!(status & IS_MEASURING)) return 0;
    sensor->port->sleep_ms(AGAIN_MS);
  }
  return SHALLOT_FAULT_ABSENT;
}

/* §4: all eight data bytes in one burst, so that they belong together. */
static int measure(const struct bme280 *sensor, struct bme280_raw *raw) {
  uint8_t data[DATA_BYTES];
  if (register_write(sensor, REGISTER_CTRL_HUM, ONCE) != 0) return SHALLOT_FAULT_ABSENT;
  if (register_write(sensor, REGISTER_CTRL_MEAS, FORCED_ALL_ONCE) != 0) return SHALLOT_FAULT_ABSENT;
  int fault = measured_await(sensor);
  if (fault) return fault;
  if (registers_read(sensor, REGISTER_DATA, data, sizeof data) != 0) return SHALLOT_FAULT_ABSENT;
  raw->pressure = data[0] << 12 | data[1] << 4 | data[2] >> 4;
  raw->temperature = data[3] << 12 | data[4] << 4 | data[5] >> 4;
  raw->humidity = data[6] << 8 | data[7];
  bool is_skipped = raw->pressure == SKIPPED && raw->temperature == SKIPPED && raw->humidity == SKIPPED_HUMIDITY;
  return is_skipped ? SHALLOT_FAULT_ABSENT : 0;
}

/* ---- compensation, §4.2.3; right shifts of negative numbers keep the sign with every compiler of ours ---- */

/* Products wrap round: a trimming that was read wrong must lead to nonsense, which is refused, and not to undefined behaviour. */
static int64_t times(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

/* 5120 to the degree. */
static int64_t fine_of(const struct bme280_trim *trim, int32_t raw) {
  int64_t linear = (int64_t)((raw >> 3) - trim->t1 * 2) * trim->t2 >> 11;
  int64_t offset = (raw >> 4) - trim->t1;
  int64_t square = (offset * offset >> 12) * trim->t3 >> 14;
  return linear + square;
}

/* To 1/256 Pa; 0 when it would divide by nothing. */
static int64_t pressure_q8(const struct bme280_trim *trim, int32_t raw, int64_t fine) {
  int64_t t = fine - 128000;
  int64_t offset = t * t * trim->p6 + t * trim->p5 * 131072 + (int64_t)trim->p4 * 34359738368;
  int64_t scale = (t * t * trim->p3 >> 8) + t * trim->p2 * 4096;
  scale = times((int64_t)140737488355328 + scale, trim->p1) >> 33;
  if (scale <= 0) return 0;
  int64_t pressure = times(((int64_t)1048576 - raw) * 2147483648 - offset, 3125) / scale;
  int64_t square = times(times(trim->p9, pressure >> 13), pressure >> 13) >> 25;
  int64_t linear = times(trim->p8, pressure) >> 19;
  return ((pressure + square + linear) >> 8) + (int64_t)trim->p7 * 16;
}

/* 1024 to the per cent. */
static int64_t humidity_q10(const struct bme280_trim *trim, int32_t raw, int64_t fine) {
  int64_t t = fine - 76800;
  int64_t linear = ((int64_t)raw * 16384 - (int64_t)trim->h4 * 1048576 - trim->h5 * t + 16384) >> 15;
  int64_t bend = ((t * trim->h6 >> 10) * ((t * trim->h3 >> 11) + 32768) >> 10) + 2097152;
  int64_t gain = (bend * trim->h2 + 8192) >> 14;
  int64_t wet = linear * gain;
  wet -= ((wet >> 15) * (wet >> 15) >> 7) * trim->h1 >> 4;
  if (wet < 0) return 0;
  wet >>= 12;
  return wet > HUMIDITY_MOST_Q10 ? HUMIDITY_MOST_Q10 : wet;
}

struct air bme280_compensate(const struct bme280_trim *trim, const struct bme280_raw *raw) {
  int64_t fine = fine_of(trim, raw->temperature);
  struct air air = {.temperature = (int32_t)((fine * 5 + 128) >> 8)};
  if (air.temperature < TEMPERATURE_LEAST || air.temperature > TEMPERATURE_MOST) return air;
  air.pressure = (int32_t)((pressure_q8(trim, raw->pressure, fine) + 128) >> 8);
  air.humidity = (int32_t)((humidity_q10(trim, raw->humidity, fine) * 100 + 512) >> 10);
  return air;
}

/* No pressure, where there was none to be had from such a temperature, is out of range too. */
static bool is_plausible(const struct air *air) { return air->pressure >= PRESSURE_LEAST && air->pressure <= PRESSURE_MOST; }

int bme280_read(struct bme280 *sensor, struct air *air) {
  struct bme280_raw raw;
  int fault = sensor->is_known ? 0 : trim_read(sensor);
  if (fault == 0) fault = measure(sensor, &raw);
  sensor->is_known = fault == 0;
  if (fault) return fault;
  *air = bme280_compensate(&sensor->trim, &raw);
  if (!is_plausible(air)) return SHALLOT_FAULT_RANGE;
  return health_word(&sensor->health, (uint32_t)raw.temperature << 12 ^ (uint32_t)raw.pressure);
}
