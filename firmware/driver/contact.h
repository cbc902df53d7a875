// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A switch on one sensor channel: a door contact, a bolt's position, a button. In: 0 and 1, as often as it is looked at; out: how it
 * stands once it has stood so for a while.
 */
#ifndef SHALLOT_CONTACT_H
#define SHALLOT_CONTACT_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"

/* How long a change must last, milliseconds. */
#define CONTACT_BOUNCE_MS 40

struct contact {
  const struct port *port;
  int channel;
  bool is_on;
  bool is_faulty; /* it cannot be read; is_on is what was read last */
  bool seems_on;
  uint64_t seems_since_ms;
};

/* Takes what is there now. */
void contact_open(struct contact *contact, const struct port *port, int channel, uint64_t now_ms);

/* Looks once. True when is_on changed. */
bool contact_look(struct contact *contact, uint64_t now_ms);

#endif
