// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Who may seal what for whom, and whether it is fresh (SPEC 2.5 from the signer on, 2.6, 3).
 * In: an envelope that envelope_open accepted; out: 0 or the first code that applies, and a sequence remembered when everything passed.
 * What stays true: the signature is looked at only after the signer and the audience; nothing is remembered of what was refused; nobody
 * who has a window is forgotten without a new nonce.
 * Absent on purpose: rights over an affordance (grants.h), and flash: the window lives as long as the boot nonce.
 */
#ifndef SHALLOT_GATE_H
#define SHALLOT_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "envelope.h"
#include "../../schemas/gen/c/shallot_wire.h"

#define GATE_OWNERS_MAX 4
/* Owners and holders of grants together. */
#define GATE_SIGNERS_MAX 8
/*
 * Enough of a SHA-256 to recognise bytes that were verified before. Other bytes with the same digest would gain nothing: what is
 * recognised is not read again, and what was kept of the first holds.
 */
#define GATE_DIGEST_BYTES 8

struct grants;

/* Somebody whose commands are heard: an owner, a holder of grants, or both. Neither: the place is free once its window may go. */
struct gate_signer {
  uint64_t sequences[SHALLOT_REPLAY_WINDOW];
  uint8_t key[SHALLOT_KEY_BYTES];
  uint8_t digest[GATE_DIGEST_BYTES]; /* of the owner envelope that was verified */
  uint8_t sequences_count;
  bool is_owner;
  uint8_t grants; /* how many held grants have this key as holder or sealer */
};

/* What one receiver knows. Everything is copied in by the caller; all zero: knows nobody. */
struct gate {
  char home[SHALLOT_TEXT_ID_CHARS + 1];   /* the audience of what is for the whole home */
  char device[SHALLOT_TEXT_ID_CHARS + 1]; /* and of what is for this device */
  uint8_t root[SHALLOT_KEY_BYTES];
  uint8_t hub[SHALLOT_KEY_BYTES]; /* the key of the leaf that TLS showed */
  bool is_hub_revoked;
  uint8_t nonce[SHALLOT_EPOCH_BYTES];
  struct gate_signer signers[GATE_SIGNERS_MAX];
  size_t signers_count;
  const uint8_t *release; /* the key whose manifests are believed (SPEC 15.1), SHALLOT_KEY_BYTES; NULL: nobody's */
  struct grants *grants;  /* NULL: none are taken */
  /* Devices whose hello, reading and receipt are accepted: none on a device. */
  const uint8_t (*devices)[SHALLOT_KEY_BYTES];
  size_t devices_count;
};

/*
 * now_s: seconds since 1970, 0 when not known.
 * 0, SHALLOT_E_UNKNOWN_SIGNER, _NO_RELEASE_KEY, _UNKNOWN_GRANT, _GRANT_CHAIN, _GRANT_REVOKED, _WRONG_AUDIENCE, _BAD_KEY, _BAD_SIGNATURE, _NO_CLOCK,
 * _EXPIRED, _NOT_YET, _STALE_NONCE, _REPLAYED.
 */
int gate_admit(struct gate *gate, const struct envelope *envelope, int64_t now_s);

/* The same in its two halves: who sealed it, for whom (up to _BAD_SIGNATURE); and whether it is fresh (from _NO_CLOCK on), which remembers it. */
int gate_prove(struct gate *gate, const struct envelope *envelope);
int gate_enter(struct gate *gate, const struct envelope *envelope, int64_t now_s);

/* Whether this is sealed by the release key that is believed: 0, SHALLOT_E_NO_RELEASE_KEY or _UNKNOWN_SIGNER. */
int gate_check_release(const struct gate *gate, const struct envelope *envelope);

/* The time of SPEC 3.4 alone, for what was verified before: 0, SHALLOT_E_NO_CLOCK, _EXPIRED or _NOT_YET. */
int gate_check_time(const struct envelope *envelope, int64_t now_s);

/* The signer with this key, or NULL. */
struct gate_signer *gate_find(struct gate *gate, const uint8_t key[SHALLOT_KEY_BYTES]);

/*
 * The place of a signer with this key, made when there is none. It takes a free place, or one that nobody needs; when that one had a
 * window, `forgotten` becomes true: every window was forgotten and the caller must draw a new nonce before it admits anything
 * (SPEC 3.2). NULL: everybody is needed.
 */
struct gate_signer *gate_seat(struct gate *gate, const uint8_t key[SHALLOT_KEY_BYTES], bool *forgotten);

/* True when the owner envelope with this digest was admitted before and its owner is still known. */
bool gate_knows_owner(const struct gate *gate, const uint8_t digest[SHALLOT_DIGEST_BYTES]);

/*
 * Remembers the owner that an admitted envelope names. When there are GATE_OWNERS_MAX, somebody without a window makes room; 0, or 1
 * when a window was lost: as with gate_seat. SHALLOT_E_GRANTS_FULL when holders of grants take every place.
 */
int gate_add_owner(struct gate *gate, const struct envelope *envelope, const uint8_t digest[SHALLOT_DIGEST_BYTES]);

/* No owner any more; the window stays. */
void gate_remove_owner(struct gate_signer *signer);

/* Takes another nonce; the windows belonged to the old one. */
void gate_renew(struct gate *gate, const uint8_t nonce[SHALLOT_EPOCH_BYTES]);

#endif
