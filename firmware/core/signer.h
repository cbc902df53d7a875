// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where the device's private key is: in software, or in a chip that signs with it and never gives it away.
 * In: a message; out: its Ed25519 signature (RFC 8032). A board that has such a chip names it in its port (`signer`).
 *
 * A key in a chip is written down as a reference, 32 bytes that stand where a seed would. Whoever signs, envelopes and TLS alike, ends in
 * wolfCrypt's one function for it, which the linker brings here (wolfssl/shortcuts.c).
 * A device with a door to the LAN has a second key, of another kind (ECDSA P-256), because browsers take no other; it too may be in a chip, which
 * then signs in TLS and nowhere else.
 * What stays true: a reference is no seed, and is never signed with as if it were one; without its chip there is no signature; a new key
 * leaves the last one alone, so that an enrolment that fails costs nothing.
 */
#ifndef SHALLOT_SIGNER_H
#define SHALLOT_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"

#define SIGNER_KEY_BYTES 32
#define SIGNER_SIGNATURE_BYTES 64
/* A chip's name, in characters. */
#define SIGNER_NAME_CHARS_MAX 16

struct signer {
  /* 1 to SIGNER_NAME_CHARS_MAX characters; it is kept with the key. */
  const char *name;
  /* Makes a key pair in one of the chip's two places for it, 0 or 1, instead of what was there. 0, or SHALLOT_E_DEVICE_FAULT. */
  int (*make)(const struct port *port, unsigned place, uint8_t public_key[SIGNER_KEY_BYTES]);
  /* 0, SHALLOT_E_OUT_OF_SPACE (longer than the chip takes) or SHALLOT_E_DEVICE_FAULT. */
  int (*sign)(const struct port *port, unsigned place, uint8_t signature[SIGNER_SIGNATURE_BYTES], const uint8_t *message, size_t size);
};

#define SIGNER_POINT_BYTES 65 /* 4, then two numbers of 32 bytes */
#define SIGNER_DIGEST_BYTES 32

/* A chip that keeps P-256 keys. */
struct point_signer {
  const char *name; /* as above */
  /* Makes a key pair instead of the one that is there; the point without its 4. 0, or SHALLOT_E_DEVICE_FAULT. */
  int (*make)(const struct port *port, unsigned place, uint8_t point[SIGNER_POINT_BYTES - 1]);
  /* ECDSA over a SHA-256, two numbers of 32 bytes. 0, or SHALLOT_E_DEVICE_FAULT. */
  int (*sign)(const struct port *port, unsigned place, uint8_t signature[SIGNER_SIGNATURE_BYTES], const uint8_t digest[SIGNER_DIGEST_BYTES]);
};

/* Before anything is signed: whose chip, if any. */
void signer_use(const struct port *port);

/*
 * A new key instead of the one in `seed`: random bytes as a seed, or, where there is a chip, its key's reference; and the public half. 0 or a
 * negative code.
 */
int signer_make_key(const struct port *port, uint8_t seed[SIGNER_KEY_BYTES], uint8_t public_key[SIGNER_KEY_BYTES]);

/* Whether these bytes refer to a key in a chip. */
bool signer_is_reference(const uint8_t seed[SIGNER_KEY_BYTES]);

/* Signs with the key that the reference names. As `sign` above; SHALLOT_E_DEVICE_FAULT also when the chip is not this board's. */
int signer_sign(uint8_t signature[SIGNER_SIGNATURE_BYTES], const uint8_t *message, size_t size, const uint8_t reference[SIGNER_KEY_BYTES]);

/* A new P-256 key: its number, or the reference of one in the chip `point_signer`; and its point. 0 or a negative code. */
int signer_make_point(const struct port *port, uint8_t key[SIGNER_KEY_BYTES], uint8_t point[SIGNER_POINT_BYTES]);

/* As signer_sign, with a P-256 key's reference. */
int signer_sign_digest(uint8_t signature[SIGNER_SIGNATURE_BYTES], const uint8_t digest[SIGNER_DIGEST_BYTES], const uint8_t reference[SIGNER_KEY_BYTES]);

#endif
