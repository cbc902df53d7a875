// SPDX-License-Identifier: GPL-3.0-or-later
#include "lock.h"

enum { LEVEL_ON = 1000, BOUNCE_MS = 40 };

static bool is_hub_missed(const struct lock *lock, uint64_t now_ms) {
  return !lock->is_hub_heard && now_ms - lock->hub_lost_ms >= LOCK_HUB_PATIENCE_MS;
}

static bool should_be_open(const struct lock *lock, uint64_t now_ms) {
  return lock->is_open || (lock->is_fail_safe && is_hub_missed(lock, now_ms));
}

/* Drives the output as it should be. */
static int drive(struct lock *lock, uint64_t now_ms) {
  bool is_powered = should_be_open(lock, now_ms) != lock->is_fail_safe;
  if (is_powered != lock->is_powered) lock->driven_ms = now_ms;
  lock->is_powered = is_powered;
  return lock->port->output_set(lock->output, is_powered ? LEVEL_ON : 0) == 0 ? 0 : SHALLOT_E_DEVICE_FAULT;
}

void lock_open(struct lock *lock, const struct port *port, int output, int bolt_channel, bool is_fail_safe, uint64_t now_ms) {
  *lock = (struct lock){.port = port, .output = output, .is_fail_safe = is_fail_safe, .hub_lost_ms = now_ms, .driven_ms = now_ms};
  lock->bolt = (struct debounced){.port = port, .channel = bolt_channel, .lasts_ms = BOUNCE_MS};
  drive(lock, now_ms);
}

int lock_release(struct lock *lock, uint32_t ms, uint64_t now_ms) {
  lock->is_open = true;
  lock->close_at_ms = now_ms + ms;
  return drive(lock, now_ms);
}

int lock_secure(struct lock *lock, uint64_t now_ms) {
  lock->is_open = false;
  return drive(lock, now_ms);
}

int lock_set_fail_safe(struct lock *lock, bool is_fail_safe, uint64_t now_ms) {
  lock->is_fail_safe = is_fail_safe;
  return drive(lock, now_ms);
}

void lock_hub(struct lock *lock, bool is_heard, uint64_t now_ms) {
  if (lock->is_hub_heard && !is_heard) lock->hub_lost_ms = now_ms;
  lock->is_hub_heard = is_heard;
}

/* The bolt has had its time and stands otherwise, or nobody can see how it stands, or the output cannot be driven. */
static bool is_stuck(const struct lock *lock, bool is_driven, uint64_t now_ms) {
  if (!is_driven || lock->is_blind) return true;
  bool follows = lock->bolt.is_known && lock->bolt.is_active != should_be_open(lock, now_ms);
  return !follows && now_ms - lock->driven_ms > LOCK_FOLLOW_MS;
}

void lock_mind(struct lock *lock, uint64_t now_ms) {
  if (lock->is_open && now_ms >= lock->close_at_ms) lock->is_open = false;
  /* Driven each time, so that an output that failed once is tried again. */
  bool is_driven = drive(lock, now_ms) == 0;
  lock->is_blind = debounced_look(&lock->bolt, now_ms) < 0;
  lock->is_jammed = is_stuck(lock, is_driven, now_ms);
}
