// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Bosch BME280 on I2C (datasheet BST-BME280-DS002): temperature, pressure and humidity, one forced measurement at a time (§3.3.3), each
 * oversampled once, compensated in integers after §4.2.3. Out: hundredths of a degree Celsius, Pa, hundredths of a per cent.
 */
#ifndef SHALLOT_BME280_H
#define SHALLOT_BME280_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"
#include "health.h"

/* The address with the pin SDO low (§6.2). */
#define BME280_ADDRESS 0x76

/* The trimming that each chip carries (table 16). */
struct bme280_trim {
  uint16_t t1;
  int16_t t2, t3;
  uint16_t p1;
  int16_t p2, p3, p4, p5, p6, p7, p8, p9;
  uint8_t h1, h3;
  int16_t h2, h4, h5;
  int8_t h6;
};

struct bme280 {
  const struct port *port;
  uint8_t address;
  bool is_known; /* the trimming was read; forgotten when the chip was away */
  struct bme280_trim trim;
  struct health health;
};

struct air {
  int32_t temperature; /* 0.01 Cel */
  int32_t pressure;    /* Pa */
  int32_t humidity;    /* 0.01 %RH */
};

/* Raw numbers of a measurement: 20, 20 and 16 bits. */
struct bme280_raw {
  int32_t temperature;
  int32_t pressure;
  int32_t humidity;
};

/* 0 and the air, or SHALLOT_FAULT_ABSENT (also: another chip), _RANGE or _STUCK. */
int bme280_read(struct bme280 *sensor, struct air *air);

/* §4.2.3. A temperature beyond the chip's own range, and a trimming that allows no pressure, give a pressure of 0. */
struct air bme280_compensate(const struct bme280_trim *trim, const struct bme280_raw *raw);

#endif
