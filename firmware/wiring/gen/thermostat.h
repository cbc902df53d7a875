// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/wiring.ts from firmware/wiring/thermostat.json. Do not edit.
#ifndef SHALLOT_WIRING_THERMOSTAT_H
#define SHALLOT_WIRING_THERMOSTAT_H

enum {
  SENSOR_CHANNEL = 1, /* line, to sensor.DQ */
  RELAY_CHANNEL = 2, /* output, to relay.IN */
};

#endif
