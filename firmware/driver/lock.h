// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A lock on one output, with a switch that shows its bolt. In: orders and time; out: the output's level, how the bolt stands, and whether
 * it follows.
 * Fail secure: power opens it, so without power it is locked. Fail safe: power holds it locked, so without power it is open; and it opens
 * too when no hub was heard for LOCK_HUB_PATIENCE_MS.
 * What stays true: whatever opened it, it locks again by itself; a bolt that cannot be seen counts as one that does not follow.
 */
#ifndef SHALLOT_LOCK_H
#define SHALLOT_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"
#include "debounced.h"

/* How long the bolt may take to follow, milliseconds. */
#define LOCK_FOLLOW_MS 2000
/* How long a fail-safe lock stays locked without a hub, milliseconds: a hub that starts again opens no door. */
#define LOCK_HUB_PATIENCE_MS 300000

struct lock {
  const struct port *port;
  int output;
  struct debounced bolt; /* active: locked */
  bool is_blind;         /* it cannot be seen */
  bool is_fail_safe;
  bool is_open;         /* as ordered */
  bool is_hub_heard;
  bool is_jammed;
  bool is_powered; /* the output as it was driven last */
  uint64_t close_at_ms; /* while is_open */
  uint64_t hub_lost_ms;
  uint64_t driven_ms;
};

/* Locks. */
void lock_open(struct lock *lock, const struct port *port, int output, int bolt_channel, bool is_fail_safe, uint64_t now_ms);

/* Opens for so long, milliseconds, or locks at once. 0 or SHALLOT_E_DEVICE_FAULT. */
int lock_release(struct lock *lock, uint32_t ms, uint64_t now_ms);
int lock_secure(struct lock *lock, uint64_t now_ms);

/* The other way to fail, from now on. 0 or SHALLOT_E_DEVICE_FAULT. */
int lock_set_fail_safe(struct lock *lock, bool is_fail_safe, uint64_t now_ms);

/* A hub was heard, or is not heard any more. */
void lock_hub(struct lock *lock, bool is_heard, uint64_t now_ms);

/* Time passes. Afterwards bolt.is_active and is_jammed are up to date. */
void lock_mind(struct lock *lock, uint64_t now_ms);

#endif
