// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Maxim DS18B20, alone on a 1-Wire line (data sheet 19-7487): temperature to 1/16 degree. Out: hundredths of a degree Celsius.
 * A conversion takes 750 ms, so it is started by one look and read by the next.
 */
#ifndef SHALLOT_DS18B20_H
#define SHALLOT_DS18B20_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"
#include "health.h"

enum { DS18B20_SCRATCHPAD_BYTES = 9, DS18B20_CONVERTING_MS = 750 };

struct ds18b20 {
  const struct port *port;
  int channel;
  bool is_converting;
  bool is_warm; /* the last value was near what a chip shows after power-on */
  uint64_t begun_ms;
  struct health health;
};

enum { DS18B20_WAIT = -1 };

/*
 * 0 and a temperature, DS18B20_WAIT (call again in DS18B20_CONVERTING_MS), or SHALLOT_FAULT_ABSENT, _CHECKSUM, _RANGE or _STUCK (it
 * shows 85 °C out of nowhere: it lost its power and measured nothing, figure 4). Starts the next conversion.
 */
int ds18b20_read(struct ds18b20 *sensor, uint64_t now_ms, int32_t *temperature);

/* What a scratchpad says: 0 and sixteenths of a degree, or SHALLOT_FAULT_CHECKSUM or _RANGE. */
int ds18b20_decode(const uint8_t scratchpad[DS18B20_SCRATCHPAD_BYTES], int32_t *sixteenths);

#endif
