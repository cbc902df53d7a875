// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Aosong AM2302, sold as DHT22 (product manual §7): temperature and humidity on one line, tenths, at most every two seconds.
 * Out: hundredths of a degree Celsius and of a per cent.
 */
#ifndef SHALLOT_DHT22_H
#define SHALLOT_DHT22_H

#include <stdint.h>

#include "../port/port.h"
#include "health.h"

enum { DHT22_PULSES = 41, DHT22_REST_MS = 2000 };

struct dht22 {
  const struct port *port;
  int channel;
};

/* 0, or SHALLOT_FAULT_ABSENT, _CHECKSUM or _RANGE. Ask no oftener than every DHT22_REST_MS. */
int dht22_read(const struct dht22 *sensor, int32_t *temperature, int32_t *humidity);

/* The same from the lengths of its high pulses in microseconds: the answer's, then one for each bit. */
int dht22_decode(const uint16_t high_us[DHT22_PULSES], int32_t *temperature, int32_t *humidity);

#endif
