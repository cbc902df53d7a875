// SPDX-License-Identifier: GPL-3.0-or-later
/* A temperature and humidity sensor on two sensor channels. Out: hundredths of a degree Celsius and of a per cent. */
#ifndef SHALLOT_HYGROMETER_H
#define SHALLOT_HYGROMETER_H

#include <stdint.h>

#include "../port/port.h"

struct hygrometer {
  const struct port *port;
  int temperature_channel;
  int humidity_channel;
};

struct climate {
  int32_t temperature; /* 0.01 Cel */
  int32_t humidity;    /* 0.01 %RH */
};

/* 0, or SHALLOT_E_DEVICE_FAULT: no answer, or one beyond what the sensor can measure. */
int hygrometer_read(const struct hygrometer *hygrometer, struct climate *climate);

#endif
