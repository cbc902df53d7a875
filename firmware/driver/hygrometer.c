// SPDX-License-Identifier: GPL-3.0-or-later
#include "hygrometer.h"

#include <stdbool.h>

enum { TEMPERATURE_LEAST = -4000, TEMPERATURE_MOST = 12500, HUMIDITY_MOST = 10000 };

static bool is_plausible(const struct climate *climate) {
  if (climate->temperature < TEMPERATURE_LEAST || climate->temperature > TEMPERATURE_MOST) return false;
  return climate->humidity >= 0 && climate->humidity <= HUMIDITY_MOST;
}

int hygrometer_read(const struct hygrometer *hygrometer, struct climate *climate) {
  const struct port *port = hygrometer->port;
  if (port->sensor_read(hygrometer->temperature_channel, &climate->temperature) != 0) return SHALLOT_E_DEVICE_FAULT;
  if (port->sensor_read(hygrometer->humidity_channel, &climate->humidity) != 0) return SHALLOT_E_DEVICE_FAULT;
  return is_plausible(climate) ? 0 : SHALLOT_E_DEVICE_FAULT;
}
