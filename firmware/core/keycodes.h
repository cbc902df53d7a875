// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Codes on a keypad (SPEC 12.7). In: grants for who knows a code, and digits that somebody typed; out: what may be done, by which grant.
 * What stays true: the grants are on flash, so that a code opens without hub and network; digits are nowhere but here while they are
 * tried, and every code is tried to the end; a try is counted as wrong on flash before anything is computed, and a right one takes that
 * back, so that pulling the plug gains no tries; the work is done in small steps.
 * Absent on purpose: who typed. A code is a grant, and whoever knows it holds it.
 */
#ifndef SHALLOT_KEYCODES_H
#define SHALLOT_KEYCODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto.h"
#include "grants.h"
#include "../../schemas/gen/c/shallot_wire.h"

/* How many codes one device keeps. */
#define KEYCODES_MAX 8

/* All zero: nobody types. A product with a keypad has one. */
struct keycodes {
  uint8_t digits[SHALLOT_PIN_DIGITS_MAX];
  uint8_t digits_size; /* 0: nobody waits */
  uint8_t place;       /* of the code that is tried */
  uint8_t chosen;      /* the place of the one that opens, KEYCODES_MAX: none yet */
  uint8_t fitting;     /* the place of the first that fits, whether it opens or not */
  bool is_trying;
  bool is_refusal_told; /* somebody was told that the keypad waits */
  uint16_t affordance;  /* what is wanted */
  int32_t number;
  int code; /* of the first that fits */
  struct crypto_pbkdf2 work;
  uint32_t wrong;         /* tries */
  uint32_t wrong_on_flash;
  uint64_t locked_until_ms;
  uint32_t leased_until_s[KEYCODES_MAX][SHALLOT_GRANT_LINKS_MAX];
};

enum keycodes_state { KEYCODES_IDLE, KEYCODES_BUSY, KEYCODES_DONE };

/* What came of one try. */
struct keycodes_outcome {
  int code; /* 0: the order may be carried out, and its use is counted */
  bool has_grant;
  uint8_t grant[SHALLOT_GRANT_ID_BYTES];
  struct command_body order;
};

/* ---- for grants.c; without `codes` nothing happens, and keeping is SHALLOT_E_GRANTS_FULL ---- */

void keycodes_open(struct keycodes *codes, const struct port *port);
/* True when a code with this digest, or this id, is kept. */
bool keycodes_known(const struct grants *grants, const uint8_t digest[SHALLOT_DIGEST_BYTES]);
bool keycodes_has(const struct grants *grants, const uint8_t id[SHALLOT_GRANT_ID_BYTES]);
int keycodes_keep(struct gate *gate, const struct envelope *envelope, const uint8_t digest[SHALLOT_DIGEST_BYTES], unsigned parent);
void keycodes_lease(struct grants *grants, const struct claims *lease);
void keycodes_sweep(struct gate *gate, const struct envelope *list, bool is_roots);
/* Another home: its codes are others, and so are the tries. */
void keycodes_forget(const struct port *port);

/* ---- for the app ---- */

/*
 * Somebody typed 1 to SHALLOT_PIN_DIGITS_MAX digits, as ASCII, and wants this action. The answer comes to the app's act, or not at all. False: an
 * earlier one is still being tried, or the keypad waits.
 */
bool keycodes_type(struct keycodes *codes, const uint8_t *digits, size_t size, unsigned affordance, int32_t number, uint64_t now_ms);

/* Milliseconds for which the keypad waits after wrong tries. */
uint32_t keycodes_wait_ms(const struct keycodes *codes, uint64_t now_ms);

/* ---- for the session ---- */

/* A little work. When it is done: what came of it. now_s: 0 when not known. */
enum keycodes_state keycodes_step(struct gate *gate, int64_t now_s, uint64_t now_ms, struct keycodes_outcome *outcome);

#endif
