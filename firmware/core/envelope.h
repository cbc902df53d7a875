// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One COSE_Sign1 (SPEC 2): opened in the order of refusals of SPEC 2.5, and sealed.
 * In: bytes that may be anything; out: pointers into them, or the first code that applies. envelope_open is everything that can be
 * said without knowing who may say what; envelope_verify costs a signature check and is asked for separately, after the cheap refusals.
 * The bytes signed differ from the bytes sent in a prefix and one byte, so both are made in place: ENVELOPE_HEADROOM bytes in front of an
 * envelope belong to this room and are overwritten.
 */
#ifndef SHALLOT_ENVELOPE_H
#define SHALLOT_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "claims.h"

/* What `["Signature1",` takes more than `18([`. */
#define ENVELOPE_HEADROOM 10
/* First byte of every envelope: tag 18 in one byte. */
#define ENVELOPE_FIRST_BYTE 0xd2
/* What an envelope takes beyond its payload, at most. */
#define ENVELOPE_OVERHEAD_MAX 156
/* Longest payload before its body: map head, aud, iat, cti, nonce, the body's label. */
#define ENVELOPE_CLAIMS_MAX 90

struct envelope {
  enum message_type type;
  const uint8_t *signer;    /* SHALLOT_KEY_BYTES */
  const uint8_t *signature; /* SHALLOT_SIGNATURE_BYTES */
  uint8_t *bytes;           /* as given */
  size_t signed_size;       /* bytes up to the end of the payload */
  size_t unprotected_at;    /* where the one byte that differs lies */
  struct claims claims;
};

/* Who seals. The key pair is the caller's and stays. */
struct sealer {
  const uint8_t *seed;       /* SHALLOT_KEY_BYTES */
  const uint8_t *public_key; /* SHALLOT_KEY_BYTES, the seed's own */
};

/* The claims of what a device seals. */
struct sealed_claims {
  enum message_type type;
  const char *audience; /* SHALLOT_TEXT_ID_CHARS characters */
  int64_t issued_s;
  const uint8_t *epoch; /* SHALLOT_EPOCH_BYTES */
  uint64_t sequence;
};

/* An envelope under way: between begin and end the caller writes the body's map into `writer`. */
struct sealing {
  struct cbor_writer writer;
  uint8_t *bytes;
  size_t payload_at;
};

/*
 * SPEC 2.5 up to the shape of the claims. `bytes` is not const only for envelope_verify; limit: the largest size, bytes.
 * 0, or SHALLOT_E_TOO_LARGE, _WRONG_TAG, _CBOR_..., _BAD_STRUCTURE, _BAD_HEADER, _UNKNOWN_CRITICAL, _WRONG_ALGORITHM, _UNKNOWN_TYPE, _BAD_CLAIMS.
 */
int envelope_open(struct envelope *envelope, uint8_t *bytes, size_t size, size_t limit);

/* 0, SHALLOT_E_BAD_KEY, _BAD_SIGNATURE or _TLS_OUT_OF_MEMORY. Writes in the headroom; the envelope itself is left as it was. */
int envelope_verify(const struct envelope *envelope);

/* Begins an envelope at `bytes`, with ENVELOPE_HEADROOM bytes in front of it that may be overwritten. */
void envelope_seal_begin(struct sealing *sealing, const struct sealer *sealer, const struct sealed_claims *claims, uint8_t *bytes,
                         size_t capacity);

/* Signs. The envelope's size, SHALLOT_E_OUT_OF_SPACE, or what crypto_sign says. */
int envelope_seal_end(struct sealing *sealing, const struct sealer *sealer);

#endif
