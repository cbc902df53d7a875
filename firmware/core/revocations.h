// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the root and owners took back (SPEC 12.5), on flash: one list per signer, the one with the highest sequence.
 * In: lists that the gate admitted; out: whether a grant, a key or a signer is in any of them.
 * What stays true: a list is safe on flash before anybody is told so; the list of an owner whom the root took back is gone. Lists on flash
 * were verified when they came and are not verified again: who can write a device's flash is the device.
 */
#ifndef SHALLOT_REVOCATIONS_H
#define SHALLOT_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "claims.h"
#include "gate.h"
#include "../../schemas/gen/c/shallot_wire.h"

/* What a list may take back of one grant. A pointer may be NULL: not asked. */
struct revocable {
  const uint8_t *id;
  const uint8_t *holder;
  const uint8_t *sealer;
  bool is_passed_on; /* else `sealer` is an owner, whom only the root's list takes back */
  uint32_t issued_s;
};

/* Keeps an admitted list. 0, SHALLOT_E_REPLAYED (another one that is not newer), _PORT_STORAGE or _TLS_OUT_OF_MEMORY. */
int revocations_take(struct gate *gate, const struct port *port, const struct envelope *list, size_t size);

/* Whether one list, sealed by `signer`, takes this back. */
bool revocation_covers(const struct claims *list, const uint8_t signer[SHALLOT_KEY_BYTES], bool is_roots, const struct revocable *what);

/* Whether any list on flash does: 0, SHALLOT_E_GRANT_REVOKED, or what storage says. */
int revocations_check(const struct gate *gate, const struct port *port, const struct revocable *what);

/* Whether the root's list names this key, of an owner or a daemon: 0, SHALLOT_E_GRANT_REVOKED, or what storage says. */
int revocations_check_key(const struct gate *gate, const struct port *port, const uint8_t key[SHALLOT_KEY_BYTES]);

/* The latest time at which a list on flash was sealed, seconds; 0: there is none. */
uint32_t revocations_latest_s(const struct port *port);

/* Another home: what an earlier one took back means nothing. */
void revocations_forget(const struct port *port);

#endif
