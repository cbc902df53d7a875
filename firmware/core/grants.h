// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Who was given what on this device (SPEC 12). In: grants, leases and lists that the gate admitted; out: whether one command is allowed,
 * by which grant, or the first code of SPEC 12.3 that applies.
 * What stays true: each link is judged for itself, so a child that claims more than its parent gains nothing; what was taken back is gone
 * from the table, with what hangs from it, and never comes in again.
 * Absent on purpose: the frames themselves, and the contents for other devices. Codes for a keypad are in keycodes.h.
 */
#ifndef SHALLOT_GRANTS_H
#define SHALLOT_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "envelope.h"
#include "gate.h"
#include "../../schemas/gen/c/shallot_wire.h"

#define GRANT_NONE 0xff

/*
 * One link as a device needs it. Times are seconds since 1970 that fit 32 bits, later ones are held at the end of 2105; 0: none.
 * Permissions are bits by the place of the affordance in the app's own list.
 */
struct grant {
  uint8_t id[SHALLOT_GRANT_ID_BYTES];
  uint8_t digest[GATE_DIGEST_BYTES];
  uint32_t issued_s;
  uint32_t not_before_s;
  uint32_t expires_s;
  uint32_t lease_s;
  uint32_t leased_until_s;
  uint32_t used_s; /* when it came or was used last, seconds of the device's own */
  uint32_t hours[SHALLOT_GRANT_HOURS_MAX]; /* days << 22 | from << 11 | to; 0: none */
  uint32_t groups[SHALLOT_GRANT_DEVICES_MAX]; /* names that it is for, as grant_group makes them; 0: no more */
  uint16_t may_read;
  uint16_t may_write;
  uint16_t may_invoke;
  bool is_for_others; /* it also holds affordances that this device has not */
  bool is_here; /* whatever groups the device is in */
  uint8_t uses;
  uint8_t share;
  uint8_t parent; /* its place in the table, GRANT_NONE: sealed by an owner */
  uint8_t links;  /* 1: an owner's; 0: this place is free */
  uint8_t holder; /* places among the gate's signers */
  uint8_t sealer;
};

/* What an order is held against beside the links. */
struct moment {
  int64_t now_s;    /* 0: not known */
  uint32_t latest_s; /* the latest time that was ever believed: what has ended stays ended when a clock is set back */
  uint32_t week_minute;
  uint16_t readable; /* as grants_readable, once an order is judged */
};

struct grants {
  const struct app *app; /* its table holds the links */
  const struct port *port;
  const uint8_t *device; /* its key, SHALLOT_KEY_BYTES */
  uint32_t groups[SHALLOT_GROUPS_MAX]; /* of this device, by the enrolment that it holds; 0: no more */
  struct zone zone;
  uint32_t latest_s;
  uint32_t uptime_s; /* set by the session */
};

/* A life begins: the table is empty, what flash remembers of time and of wrong codes is read. `device` stays the caller's. */
void grants_open(struct grants *grants, const struct app *app, const struct port *port, const uint8_t device[SHALLOT_KEY_BYTES]);

/* ---- for the gate ---- */

/* SPEC 12.2: 0 or SHALLOT_E_GRANT_CHAIN. */
int grants_check_parent(struct gate *gate, const uint8_t *signer, const struct grant_body *grant);
/* SPEC 12.3: 0, SHALLOT_E_GRANT_REVOKED, _UNKNOWN_GRANT or _UNKNOWN_SIGNER. */
int grants_check_holder(struct gate *gate, const uint8_t *signer, const uint8_t *id);
/* What this signer sealed as an owner goes, and what hangs from it. */
void grants_forget_sealer(struct gate *gate, const struct gate_signer *signer);

/* ---- what arrives ---- */

/* The grant whose verified bytes had this digest, or NULL. */
struct grant *grants_known(const struct grants *grants, const uint8_t digest[SHALLOT_DIGEST_BYTES]);

/* A group's name in four bytes of its SHA-256: whoever seals a grant names the groups, and gains nothing by a name that looks like another. */
uint32_t grant_group(const uint8_t *name, size_t size);

/*
 * Keeps an admitted grant; those that have ended make room. `forgotten`: as with gate_seat.
 * 0, SHALLOT_E_GRANT_REVOKED, SHALLOT_E_CONFLICT (another grant has this id), SHALLOT_E_GRANTS_FULL, or what storage says.
 */
int grants_take(struct gate *gate, const struct envelope *envelope, const uint8_t digest[SHALLOT_DIGEST_BYTES], bool *forgotten);

/* An admitted lease keeps alive what is held now. */
void grants_lease(struct grants *grants, const struct claims *lease);

/* Drops what an admitted list takes back; the root's also removes owners and the hub. */
void grants_sweep(struct gate *gate, const struct envelope *list);

/* The groups of the enrolment that this device holds from now on. */
void grants_regroup(struct grants *grants, const struct claims *enrolment);

/*
 * Drops the grant that was longest not used, of those that nothing hangs from, so that another may be taken; the hub sends it again when
 * it is asked for. One that came or was used in the last minute stays, or two people would push each other out between their grant and
 * their command. False: nothing may go.
 */
bool grants_evict(struct gate *gate, const struct envelope *grant);

/* ---- orders ---- */

/* What time it is for grants. Remembers the latest. */
struct moment grants_moment(struct grants *grants, int64_t now_s);

/* The place of the grant with this id and holder, or GRANT_NONE. */
unsigned grants_find(struct gate *gate, const uint8_t *id, const uint8_t *holder);

/* SPEC 12.3, uses included, for the grant at this place: 0 or the first code that applies. */
int grants_judge(struct grants *grants, unsigned place, const struct command_body *order, struct moment *moment);

/* The properties that every link of this place lets its holder read: bit i for the app's affordance i. */
uint16_t grants_readable(struct grants *grants, unsigned place);

/* Counts one use, on flash, of every link that has a number of them. 0, or a code: then nothing may be done. */
int grants_spend(struct grants *grants, unsigned place, const struct moment *moment);

/* ---- for keycodes.c, which keeps links of its own ---- */

/* Reads what concerns this device; place, holder and sealer are left to the caller. */
void grant_read(struct grant *grant, const struct grants *grants, const struct claims *claims,
                const uint8_t digest[SHALLOT_DIGEST_BYTES]);
/* One link against one order; uses left aside. */
int grant_judge(const struct grant *grant, const struct grants *grants, const struct command_body *order, const struct moment *moment);
/* Seconds until which a lease keeps this link alive, 0 when it does not name it. */
uint32_t grant_leased_until(const struct grant *grant, const struct claims *lease);
/* The links of a place, the owner's first; how many. */
size_t grants_links(struct grants *grants, unsigned place, struct grant *links[SHALLOT_GRANT_LINKS_MAX]);

#endif
