// SPDX-License-Identifier: GPL-3.0-or-later
/* A lamp on one dimmable output. In: percent; out: the pin's level, and a line `output N = L` for whoever watches the console. */
#ifndef SHALLOT_DIMMER_H
#define SHALLOT_DIMMER_H

#include <stdint.h>

#include "../port/port.h"

struct dimmer {
  const struct port *port;
  int channel;
};

/* percent: 0 (off) to 100. 0 or SHALLOT_E_DEVICE_FAULT. */
int dimmer_set(const struct dimmer *dimmer, int32_t percent);

#endif
