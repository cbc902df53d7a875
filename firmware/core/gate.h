// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Who may seal what for whom, and whether it is fresh (SPEC 2.5 from the signer on, 2.6, 3).
 * In: an envelope that envelope_open accepted; out: 0 or the first code that applies, and a sequence remembered when everything passed.
 * What stays true: the signature is looked at only after the signer and the audience; nothing is remembered of what was refused.
 * Absent on purpose: rights of a signer over an affordance (session.c), and flash: the window lives as long as the boot nonce.
 */
#ifndef SHALLOT_GATE_H
#define SHALLOT_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "envelope.h"
#include "../../schemas/gen/c/shallot_wire.h"

#define GATE_OWNERS_MAX 4
/* Enough of a SHA-256 to recognise bytes that were verified before. */
#define GATE_DIGEST_BYTES 16

struct gate_owner {
  uint8_t key[SHALLOT_KEY_BYTES];
  uint8_t digest[GATE_DIGEST_BYTES]; /* of the owner envelope that was verified */
  uint64_t sequences[SHALLOT_REPLAY_WINDOW];
  uint32_t sequences_count;
};

/* What one receiver knows. Everything is copied in by the caller; all zero: knows nobody. */
struct gate {
  char home[SHALLOT_TEXT_ID_CHARS + 1];   /* the audience of what is for the whole home */
  char device[SHALLOT_TEXT_ID_CHARS + 1]; /* and of what is for this device */
  uint8_t root[SHALLOT_KEY_BYTES];
  uint8_t hub[SHALLOT_KEY_BYTES]; /* the key of the leaf that TLS showed */
  uint8_t nonce[SHALLOT_EPOCH_BYTES];
  struct gate_owner owners[GATE_OWNERS_MAX];
  size_t owners_count;
  /* Devices whose hello, reading and receipt are accepted: none on a device. */
  const uint8_t (*devices)[SHALLOT_KEY_BYTES];
  size_t devices_count;
};

/*
 * now_s: seconds since 1970, 0 when not known.
 * 0, SHALLOT_E_UNKNOWN_SIGNER, _WRONG_AUDIENCE, _BAD_KEY, _BAD_SIGNATURE, _NO_CLOCK, _EXPIRED, _NOT_YET, _STALE_NONCE, _REPLAYED.
 */
int gate_admit(struct gate *gate, const struct envelope *envelope, int64_t now_s);

/* True when the owner envelope with this digest was admitted before and its owner is still known. */
bool gate_knows_owner(const struct gate *gate, const uint8_t digest[SHALLOT_DIGEST_BYTES]);

/*
 * Remembers the owner that an admitted envelope names. When the table is full somebody without a window makes room; 0, or 1 when
 * there was nobody: then every window was forgotten and the caller must draw a new nonce before it admits anything (SPEC 3.2).
 */
int gate_add_owner(struct gate *gate, const struct envelope *envelope, const uint8_t digest[SHALLOT_DIGEST_BYTES]);

/* Takes another nonce; the windows belonged to the old one. */
void gate_renew(struct gate *gate, const uint8_t nonce[SHALLOT_EPOCH_BYTES]);

#endif
