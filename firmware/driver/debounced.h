// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A contact that bounces, on one input: a door contact, a motion sensor (HC-SR501 and its kind: high while it sees somebody), a button.
 * In: looks at the pin; out: changes that lasted. A pin that cannot be read, or never rests, is a fault.
 */
#ifndef SHALLOT_DEBOUNCED_H
#define SHALLOT_DEBOUNCED_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"
#include "health.h"

struct debounced {
  const struct port *port;
  int channel;
  uint32_t lasts_ms; /* how long a level must last to be believed */
  bool is_active_low;
  bool is_known;
  bool is_active; /* believed */
  bool is_seen;   /* at the last look */
  uint64_t seen_since_ms;
  struct health health;
};

enum { DEBOUNCED_SAME, DEBOUNCED_CHANGED };

/* DEBOUNCED_CHANGED when `is_active` changed or became known, DEBOUNCED_SAME, or SHALLOT_E_DEVICE_FAULT. Look at least every lasts_ms. */
int debounced_look(struct debounced *contact, uint64_t now_ms);

#endif
