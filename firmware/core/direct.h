// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A device's own server (SPEC 18): its key, the leaf and the origins that the hub gave it, and the door (door.h) that is open while there is a leaf.
 * In: the hub's word; out: what the hello says, and commands for the session. Without SHALLOT_DIRECT, or where nobody can connect, nothing
 * of it is there.
 * What stays true: the key is made on the device, or in its chip, and is on flash, twice with a sum, before anybody hears its point; a leaf
 * for another key, or one that is no server's, is refused and the one before it stays. Absent on purpose: the leaf on flash, because the
 * hub that brings it brings the owners and leases too, without which nobody may do anything here.
 */
#ifndef SHALLOT_DIRECT_H
#define SHALLOT_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "claims.h"

struct direct_config {
  const struct port *port;
  /* As door_config has them. */
  int (*answer)(uint8_t *bytes, size_t size);
  int64_t (*unix_time)(void);
  /* This device's key, SHALLOT_KEY_BYTES, of which the server has its name. */
  const uint8_t *device;
};

#ifdef SHALLOT_DIRECT

/* Listens, and has a key ready; the config is copied: its point and the port. 0, SHALLOT_E_MISSING (this place has no door), or what went wrong: then there is none. */
int direct_begin(const struct direct_config *config, uint16_t *tcp_port, const uint8_t **point);

/* 0, SHALLOT_E_TLS_PROFILE, _TLS_EXPIRED or what door_open says: then the door is as it was, or shut. */
int direct_take(const struct direct_body *direct);

/* Another home: the door is shut until its hub says something. */
void direct_shut(void);

bool direct_is_open(void);
/* Does what can be done without waiting. In how many milliseconds to call again at most; 0: at once. */
uint32_t direct_step(void);
/* Waits for at most this long for the hub's connection and for who stands before the door. */
void direct_wait(uint32_t ms);

#else

static inline int direct_begin(const struct direct_config *config, uint16_t *tcp_port, const uint8_t **point) {
  (void)config, (void)tcp_port, (void)point;
  return SHALLOT_E_MISSING;
}
static inline int direct_take(const struct direct_body *direct) {
  (void)direct;
  return 0;
}
static inline void direct_shut(void) {}
static inline bool direct_is_open(void) { return false; }
static inline uint32_t direct_step(void) { return UINT32_MAX; }
static inline void direct_wait(uint32_t ms) { (void)ms; }

#endif
#endif
