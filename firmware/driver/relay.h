// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A relay on one output. What stays true: off from the start, and off at once whenever it is told so for safety; otherwise it rests
 * between two switchings, because contacts and burners wear.
 */
#ifndef SHALLOT_RELAY_H
#define SHALLOT_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"

struct relay {
  const struct port *port;
  int channel;
  uint32_t rest_ms;
  bool is_on;
  uint64_t rests_until_ms;
};

/* Off, whatever it was before. 0 or SHALLOT_E_DEVICE_FAULT. */
int relay_open(struct relay *relay);

/* 0, SHALLOT_E_BUSY while it rests, or SHALLOT_E_DEVICE_FAULT. */
int relay_set(struct relay *relay, bool is_on, uint64_t now_ms);

/* Off now, rested or not. 0 or SHALLOT_E_DEVICE_FAULT. */
int relay_off(struct relay *relay, uint64_t now_ms);

#endif
