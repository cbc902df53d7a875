// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Ed25519, SHA-2, HMAC and HKDF by their names, over wolfCrypt. The one place that knows whose they are.
 *
 * What stays true: lengths are in the prototypes; outputs may not overlap inputs; verification is strict, as in
 * daemon/core/envelope: keys and R canonical and not of small order, S below the group order.
 * Scratch memory comes from the arena; SHALLOT_E_TLS_OUT_OF_MEMORY when it is short.
 */
#ifndef SHALLOT_CRYPTO_H
#define SHALLOT_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_SEED_BYTES 32
#define CRYPTO_PUBLIC_BYTES 32
#define CRYPTO_SIGNATURE_BYTES 64
#define CRYPTO_SHA256_BYTES 32
#define CRYPTO_SHA512_BYTES 64

/* The public key that belongs to a seed (RFC 8032 §5.1.5). 0 or a negative code. */
int crypto_public(uint8_t public_key[CRYPTO_PUBLIC_BYTES], const uint8_t seed[CRYPTO_SEED_BYTES]);

/* Signs size bytes. seed: or a chip's reference (signer.h); public_key must be its own. 0, SHALLOT_E_DEVICE_FAULT (the chip) or another code. */
int crypto_sign(uint8_t signature[CRYPTO_SIGNATURE_BYTES], const uint8_t *message, size_t size,
                const uint8_t seed[CRYPTO_SEED_BYTES], const uint8_t public_key[CRYPTO_PUBLIC_BYTES]);

/* 0, SHALLOT_E_BAD_KEY (not canonical or of small order), SHALLOT_E_BAD_SIGNATURE or _TLS_OUT_OF_MEMORY. */
int crypto_verify(const uint8_t signature[CRYPTO_SIGNATURE_BYTES], const uint8_t *message, size_t size,
                  const uint8_t public_key[CRYPTO_PUBLIC_BYTES]);

/* 0 when the key is a canonical point of large order, else SHALLOT_E_BAD_KEY. Cheap: no curve arithmetic. */
int crypto_check_public(const uint8_t public_key[CRYPTO_PUBLIC_BYTES]);

/* A new P-256 key: its number, and its point uncompressed. In builds with a door alone (core/door.h). 0 or a negative code. */
#define CRYPTO_POINT_BYTES 65
int crypto_point_make(uint8_t number[CRYPTO_SEED_BYTES], uint8_t point[CRYPTO_POINT_BYTES]);

int crypto_sha256(uint8_t digest[CRYPTO_SHA256_BYTES], const uint8_t *data, size_t size);

/* The beginning of the SHA-256, by which stored bytes are known to be what was written: flash forgets bits. */
#define CRYPTO_SUM_BYTES 4
int crypto_sum(uint8_t sum[CRYPTO_SUM_BYTES], const uint8_t *data, size_t size);
bool crypto_sum_fits(const uint8_t sum[CRYPTO_SUM_BYTES], const uint8_t *data, size_t size);
/* Gives `size` bytes from place `at` on; 0 or a negative code. */
typedef int (*crypto_source)(const void *from, uint32_t at, uint8_t *out, size_t size);
/* The digest of `size` bytes that are fetched piece by piece. 0, a negative code, or what `source` says. */
int crypto_sha256_of(uint8_t digest[CRYPTO_SHA256_BYTES], crypto_source source, const void *from, uint32_t size);
int crypto_sha512(uint8_t digest[CRYPTO_SHA512_BYTES], const uint8_t *data, size_t size);

/* HMAC-SHA-256 (RFC 2104). 0 or a negative code. */
int crypto_hmac_sha256(uint8_t mac[CRYPTO_SHA256_BYTES], const uint8_t *key, size_t key_size, const uint8_t *data,
                       size_t size);

/* HKDF-SHA-256, extract and expand (RFC 5869). out_size is at most 8160; salt and info may be empty. 0 or a code. */
int crypto_hkdf_sha256(uint8_t *out, size_t out_size, const uint8_t *secret, size_t secret_size, const uint8_t *salt,
                       size_t salt_size, const uint8_t *info, size_t info_size);

/* PBKDF2-HMAC-SHA-256 (RFC 8018) of one block, in pieces. All of it is secret. */
struct crypto_pbkdf2 {
  uint32_t inner[8]; /* SHA-256 after the key's first block */
  uint32_t outer[8];
  uint8_t last[CRYPTO_SHA256_BYTES];
  uint8_t sum[CRYPTO_SHA256_BYTES];
  uint32_t rounds_left;
};

/* password: at most 64 bytes; salt: at most 64; rounds: 1 or more, the first of which is done here. 0 or a negative code. */
int crypto_pbkdf2_begin(struct crypto_pbkdf2 *work, const uint8_t *password, size_t password_size, const uint8_t *salt, size_t salt_size,
                        uint32_t rounds);
/* At most this many rounds more. 0 or a negative code; `sum` is the key when no rounds are left. */
int crypto_pbkdf2_step(struct crypto_pbkdf2 *work, uint32_t rounds);

/* True when both are equal; takes the same time wherever they differ. */
int crypto_equal(const uint8_t *one, const uint8_t *other, size_t size);

/* Overwrites memory in a way that compilers keep. */
void crypto_wipe(void *memory, size_t size);

#endif
