// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto.h"

#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/sha512.h>

#include "../port/port.h"
#include "arena.h"

/* Of what is hashed where it lies. */
enum { PIECE_BYTES = 256 };

/*
 * The y coordinates of Ed25519's points of order 4 and 8; those of orders 1 and 2 are 1 and -1. With either sign of x
 * they are the canonical encodings of every point of small order.
 */
IN_FLASH(static const uint32_t small_order_y[3][8]) = {
    {0, 0, 0, 0, 0, 0, 0, 0},
    {0x8f95e826, 0xb027b2c2, 0x89f4c345, 0xf098eff2, 0x05acdfd5, 0x3933c6d3, 0x880238b1, 0x05fc536d},
    {0x706a17c7, 0x4fd84d3d, 0x760b3cba, 0x0f67100d, 0xfa53202a, 0xc6cc392c, 0x77fdc74e, 0x7a03ac92},
};

/* Ed25519's group order, 2^252 + 27742317777372353535851937790883648493. */
IN_FLASH(static const uint32_t group_order[8]) = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000};

static uint32_t failures(void) {
  struct arena_stats stats;
  arena_stats(&stats);
  return stats.failures;
}

/* The library's result as one of ours: what it says after the arena refused it memory is not to be believed. */
static int outcome(int result, uint32_t failures_before, int code) {
  if (result == 0) return 0;
  return failures() != failures_before ? SHALLOT_E_TLS_OUT_OF_MEMORY : code;
}

/* y >= p - 1 for p = 2^255 - 19: not canonical, or -1, which has order 2. */
static int is_at_the_top(const uint8_t point[32]) {
  if ((point[31] & 0x7f) != 0x7f || point[0] < 0xec) return 0;
  for (int i = 1; i < 31; i++)
    if (point[i] != 0xff) return 0;
  return 1;
}

static int is_one(const uint8_t point[32]) {
  uint8_t rest = point[31] & 0x7f;
  for (int i = 1; i < 31; i++) rest |= point[i];
  return point[0] == 1 && rest == 0;
}

/* The library lets through an S from the order up to 2^252 + 2^248: S + L is then a second signature for one in sixteen. */
static int is_below_order(const uint8_t scalar[32]) {
  uint8_t order[32];
  flash_copy(order, group_order, sizeof order);
  for (size_t i = sizeof order; i-- > 0;)
    if (scalar[i] != order[i]) return scalar[i] < order[i];
  return 0;
}

int crypto_check_public(const uint8_t public_key[CRYPTO_PUBLIC_BYTES]) {
  if (is_at_the_top(public_key) || is_one(public_key)) return SHALLOT_E_BAD_KEY;
  uint8_t y[32];
  memcpy(y, public_key, sizeof y);
  y[31] &= 0x7f;
  for (size_t i = 0; i < 3; i++) {
    uint8_t small[32];
    flash_copy(small, small_order_y[i], sizeof small);
    if (memcmp(y, small, sizeof small) == 0) return SHALLOT_E_BAD_KEY;
  }
  return 0;
}

int crypto_public(uint8_t public_key[CRYPTO_PUBLIC_BYTES], const uint8_t seed[CRYPTO_SEED_BYTES]) {
  uint32_t before = failures();
  ed25519_key key;
  int result = wc_ed25519_init(&key);
  if (result == 0) result = wc_ed25519_import_private_only(seed, CRYPTO_SEED_BYTES, &key);
  if (result == 0) result = wc_ed25519_make_public(&key, public_key, CRYPTO_PUBLIC_BYTES);
  wc_ed25519_free(&key);
  crypto_wipe(&key, sizeof key);
  return outcome(result, before, SHALLOT_E_INTERNAL);
}

int crypto_sign(uint8_t signature[CRYPTO_SIGNATURE_BYTES], const uint8_t *message, size_t size,
                const uint8_t seed[CRYPTO_SEED_BYTES], const uint8_t public_key[CRYPTO_PUBLIC_BYTES]) {
  uint32_t before = failures();
  ed25519_key key;
  word32 written = CRYPTO_SIGNATURE_BYTES;
  int result = wc_ed25519_init(&key);
  if (result == 0)
    result = wc_ed25519_import_private_key_ex(seed, CRYPTO_SEED_BYTES, public_key, CRYPTO_PUBLIC_BYTES, &key, 1);
  if (result == 0) result = wc_ed25519_sign_msg(message, (word32)size, signature, &written, &key);
  wc_ed25519_free(&key);
  crypto_wipe(&key, sizeof key);
  return outcome(result, before, result == WC_HW_E ? SHALLOT_E_DEVICE_FAULT : SHALLOT_E_INTERNAL);
}

int crypto_verify(const uint8_t signature[CRYPTO_SIGNATURE_BYTES], const uint8_t *message, size_t size,
                  const uint8_t public_key[CRYPTO_PUBLIC_BYTES]) {
  if (crypto_check_public(public_key) != 0) return SHALLOT_E_BAD_KEY;
  /* R is a point too, and must obey the same. */
  if (crypto_check_public(signature) != 0) return SHALLOT_E_BAD_SIGNATURE;
  if (!is_below_order(signature + CRYPTO_PUBLIC_BYTES)) return SHALLOT_E_BAD_SIGNATURE;
  uint32_t before = failures();
  ed25519_key key;
  int valid = 0;
  int result = wc_ed25519_init(&key);
  if (result == 0) result = wc_ed25519_import_public(public_key, CRYPTO_PUBLIC_BYTES, &key);
  if (result == 0)
    result = wc_ed25519_verify_msg(signature, CRYPTO_SIGNATURE_BYTES, message, (word32)size, &valid, &key);
  wc_ed25519_free(&key);
  if (result == 0 && valid != 1) result = SIG_VERIFY_E;
  return outcome(result, before, SHALLOT_E_BAD_SIGNATURE);
}

int crypto_sha256(uint8_t digest[CRYPTO_SHA256_BYTES], const uint8_t *data, size_t size) {
  uint32_t before = failures();
  wc_Sha256 hash;
  int result = wc_InitSha256(&hash);
  if (result == 0) result = wc_Sha256Update(&hash, data, (word32)size);
  if (result == 0) result = wc_Sha256Final(&hash, digest);
  wc_Sha256Free(&hash);
  return outcome(result, before, SHALLOT_E_INTERNAL);
}

int crypto_sum(uint8_t sum[CRYPTO_SUM_BYTES], const uint8_t *data, size_t size) {
  uint8_t digest[CRYPTO_SHA256_BYTES];
  int fault = crypto_sha256(digest, data, size);
  if (fault == 0) memcpy(sum, digest, CRYPTO_SUM_BYTES);
  return fault;
}

bool crypto_sum_fits(const uint8_t sum[CRYPTO_SUM_BYTES], const uint8_t *data, size_t size) {
  uint8_t right[CRYPTO_SUM_BYTES];
  return crypto_sum(right, data, size) == 0 && memcmp(right, sum, CRYPTO_SUM_BYTES) == 0;
}

int crypto_sha256_of(uint8_t digest[CRYPTO_SHA256_BYTES], crypto_source source, const void *from, uint32_t size) {
  uint8_t piece[PIECE_BYTES];
  uint32_t before = failures();
  wc_Sha256 hash;
  int fault = 0;
  int result = wc_InitSha256(&hash);
  for (uint32_t at = 0; at < size && result == 0; at += PIECE_BYTES) {
    uint32_t count = size - at < PIECE_BYTES ? size - at : PIECE_BYTES;
    fault = source(from, at, piece, count);
    if (fault) break;
    result = wc_Sha256Update(&hash, piece, count);
  }
  if (result == 0) result = wc_Sha256Final(&hash, digest);
  wc_Sha256Free(&hash);
  return fault ? fault : outcome(result, before, SHALLOT_E_INTERNAL);
}

int crypto_sha512(uint8_t digest[CRYPTO_SHA512_BYTES], const uint8_t *data, size_t size) {
  uint32_t before = failures();
  wc_Sha512 hash;
  int result = wc_InitSha512(&hash);
  if (result == 0) result = wc_Sha512Update(&hash, data, (word32)size);
  if (result == 0) result = wc_Sha512Final(&hash, digest);
  wc_Sha512Free(&hash);
  return outcome(result, before, SHALLOT_E_INTERNAL);
}

int crypto_hmac_sha256(uint8_t mac[CRYPTO_SHA256_BYTES], const uint8_t *key, size_t key_size, const uint8_t *data,
                       size_t size) {
  uint32_t before = failures();
  Hmac hmac;
  int result = wc_HmacInit(&hmac, NULL, INVALID_DEVID);
  if (result == 0) result = wc_HmacSetKey(&hmac, WC_SHA256, key, (word32)key_size);
  if (result == 0) result = wc_HmacUpdate(&hmac, data, (word32)size);
  if (result == 0) result = wc_HmacFinal(&hmac, mac);
  wc_HmacFree(&hmac);
  return outcome(result, before, SHALLOT_E_INTERNAL);
}

int crypto_hkdf_sha256(uint8_t *out, size_t out_size, const uint8_t *secret, size_t secret_size, const uint8_t *salt,
                       size_t salt_size, const uint8_t *info, size_t info_size) {
  uint32_t before = failures();
  int result = wc_HKDF(WC_SHA256, secret, (word32)secret_size, salt, (word32)salt_size, info, (word32)info_size, out,
                       (word32)out_size);
  return outcome(result, before, SHALLOT_E_INTERNAL);
}

/* ---- PBKDF2: HMAC keeps two states of SHA-256, each after one block of the padded key ---- */

enum { BLOCK_BYTES = 64, INNER_PAD = 0x36, OUTER_PAD = 0x5c, PBKDF2_SALT_MAX = 64 };

static int pad_hash(uint32_t state[8], const uint8_t *password, size_t size, uint8_t pad) {
  uint8_t block[BLOCK_BYTES];
  wc_Sha256 hash;
  memset(block, pad, sizeof block);
  for (size_t i = 0; i < size; i++) block[i] ^= password[i];
  int result = wc_InitSha256(&hash);
  if (result == 0) result = wc_Sha256Update(&hash, block, sizeof block);
  memcpy(state, hash.digest, sizeof hash.digest);
  crypto_wipe(block, sizeof block);
  crypto_wipe(&hash, sizeof hash);
  return result;
}

/* SHA-256 of what `state` has seen, one block, and these bytes. */
static int pad_resume(uint8_t digest[CRYPTO_SHA256_BYTES], const uint32_t state[8], const uint8_t *data, size_t size) {
  wc_Sha256 hash;
  int result = wc_InitSha256(&hash);
  memcpy(hash.digest, state, sizeof hash.digest);
  hash.loLen = BLOCK_BYTES;
  if (result == 0) result = wc_Sha256Update(&hash, data, (word32)size);
  if (result == 0) result = wc_Sha256Final(&hash, digest);
  crypto_wipe(&hash, sizeof hash);
  return result;
}

static int pbkdf2_round(struct crypto_pbkdf2 *work, const uint8_t *data, size_t size) {
  uint8_t digest[CRYPTO_SHA256_BYTES];
  int result = pad_resume(digest, work->inner, data, size);
  if (result == 0) result = pad_resume(work->last, work->outer, digest, sizeof digest);
  for (size_t i = 0; i < sizeof digest; i++) work->sum[i] ^= work->last[i];
  crypto_wipe(digest, sizeof digest);
  return result;
}

int crypto_pbkdf2_begin(struct crypto_pbkdf2 *work, const uint8_t *password, size_t password_size, const uint8_t *salt, size_t salt_size,
                        uint32_t rounds) {
  uint8_t start[PBKDF2_SALT_MAX + 4] = {0};
  uint32_t before = failures();
  memset(work, 0, sizeof *work);
  if (password_size > BLOCK_BYTES || salt_size > PBKDF2_SALT_MAX || rounds == 0) return SHALLOT_E_INTERNAL;
  memcpy(start, salt, salt_size);
  start[salt_size + 3] = 1; /* the first and only block of the key */
  int result = pad_hash(work->inner, password, password_size, INNER_PAD);
  if (result == 0) result = pad_hash(work->outer, password, password_size, OUTER_PAD);
  if (result == 0) result = pbkdf2_round(work, start, salt_size + 4);
  work->rounds_left = rounds - 1;
  return outcome(result, before, SHALLOT_E_INTERNAL);
}

int crypto_pbkdf2_step(struct crypto_pbkdf2 *work, uint32_t rounds) {
  uint32_t before = failures();
  int result = 0;
  for (; result == 0 && rounds > 0 && work->rounds_left > 0; rounds--, work->rounds_left--) {
    uint8_t last[CRYPTO_SHA256_BYTES];
    memcpy(last, work->last, sizeof last);
    result = pbkdf2_round(work, last, sizeof last);
  }
  return outcome(result, before, SHALLOT_E_INTERNAL);
}

#ifdef HAVE_ECC
static int point_out(ecc_key *key, uint8_t *number, uint8_t *point) {
  word32 number_size = CRYPTO_SEED_BYTES;
  word32 point_size = CRYPTO_POINT_BYTES;
  int result = wc_ecc_export_private_only(key, number, &number_size);
  return result == 0 ? wc_ecc_export_x963(key, point, &point_size) : result;
}

int crypto_point_make(uint8_t number[CRYPTO_SEED_BYTES], uint8_t point[CRYPTO_POINT_BYTES]) {
  ecc_key key;
  WC_RNG rng;
  uint32_t before = failures();
  int result = wc_InitRng(&rng);
  if (result == 0) result = wc_ecc_init(&key);
  if (result != 0) return outcome(result, before, SHALLOT_E_INTERNAL);
  result = wc_ecc_make_key_ex(&rng, CRYPTO_SEED_BYTES, &key, ECC_SECP256R1);
  if (result == 0) result = point_out(&key, number, point);
  wc_ecc_free(&key);
  wc_FreeRng(&rng);
  return outcome(result, before, SHALLOT_E_INTERNAL);
}
#endif

int crypto_equal(const uint8_t *one, const uint8_t *other, size_t size) {
  uint8_t difference = 0;
  for (size_t i = 0; i < size; i++) difference |= (uint8_t)(one[i] ^ other[i]);
  return difference == 0;
}

void crypto_wipe(void *memory, size_t size) {
  memset(memory, 0, size);
  __asm__ volatile("" : : "r"(memory) : "memory");
}
