// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Calls of wolfCrypt, taken over by the linker (--wrap), two because they cost a quarter of a handshake each way round:
 *
 * X25519 key generation: the same point by Ed25519's table of the base point, which is constant-time too, and the map
 * u = (Z + Y) / (Z - Y) of RFC 7748 §4.1. A third of the work of the ladder.
 * Import of a public key beside its own private one: the stored pair is trusted; it was checked when it was made.
 * Signing, by Ed25519 and by ECDSA: a private key that refers to a chip is signed with there (core/signer.h).
 */
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/fe_operations.h>
#include <wolfssl/wolfcrypt/ge_operations.h>

#include "../core/crypto.h"
#include "../core/signer.h"

int __wrap_wc_curve25519_make_key(WC_RNG *rng, int key_size, curve25519_key *key);
int __wrap_wc_ed25519_import_public(const byte *in, word32 size, ed25519_key *key);
int __real_wc_ed25519_import_public(const byte *in, word32 size, ed25519_key *key);
int __wrap_wc_ed25519_sign_msg(const byte *in, word32 size, byte *out, word32 *out_size, ed25519_key *key);
int __real_wc_ed25519_sign_msg(const byte *in, word32 size, byte *out, word32 *out_size, ed25519_key *key);

static void montgomery_u_of_base_times(byte u[CURVE25519_KEYSIZE], const byte scalar[CURVE25519_KEYSIZE]) {
  ge_p3 point;
  fe numerator;
  fe denominator;
  ge_scalarmult_base(&point, scalar);
  fe_add(numerator, point.Z, point.Y);
  fe_sub(denominator, point.Z, point.Y);
  fe_invert(denominator, denominator);
  fe_mul(numerator, numerator, denominator);
  fe_tobytes(u, numerator);
}

int __wrap_wc_curve25519_make_key(WC_RNG *rng, int key_size, curve25519_key *key) {
  if (key == NULL || rng == NULL) return BAD_FUNC_ARG;
  if (key_size != CURVE25519_KEYSIZE) return ECC_BAD_ARG_E;
  int result = wc_RNG_GenerateBlock(rng, key->k, CURVE25519_KEYSIZE);
  if (result != 0) return result;
  key->k[0] &= 248;
  key->k[CURVE25519_KEYSIZE - 1] &= 127;
  key->k[CURVE25519_KEYSIZE - 1] |= 64;
  montgomery_u_of_base_times(key->p.point, key->k);
  key->privSet = 1;
  key->pubSet = 1;
  return 0;
}

int __wrap_wc_ed25519_import_public(const byte *in, word32 size, ed25519_key *key) {
  if (key != NULL && key->privKeySet) return wc_ed25519_import_public_ex(in, size, key, 1);
  return __real_wc_ed25519_import_public(in, size, key);
}

int __wrap_wc_ed25519_sign_msg(const byte *in, word32 size, byte *out, word32 *out_size, ed25519_key *key) {
  if (key == NULL || !key->privKeySet || !signer_is_reference(key->k)) return __real_wc_ed25519_sign_msg(in, size, out, out_size, key);
  if (*out_size < ED25519_SIG_SIZE) return BUFFER_E;
  *out_size = ED25519_SIG_SIZE;
  return signer_sign(out, in, size, key->k) == 0 ? 0 : WC_HW_E;
}

#ifdef HAVE_ECC
int __wrap_wc_ecc_sign_hash(const byte *in, word32 size, byte *out, word32 *out_size, WC_RNG *rng, ecc_key *key);
int __real_wc_ecc_sign_hash(const byte *in, word32 size, byte *out, word32 *out_size, WC_RNG *rng, ecc_key *key);

int __wrap_wc_ecc_sign_hash(const byte *in, word32 size, byte *out, word32 *out_size, WC_RNG *rng, ecc_key *key) {
  byte number[SIGNER_KEY_BYTES];
  byte pair[SIGNER_SIGNATURE_BYTES];
  word32 number_size = sizeof number;
  if (key == NULL || wc_ecc_export_private_only(key, number, &number_size) != 0) return BAD_FUNC_ARG;
  int is_chips = signer_is_reference(number);
  int fault = is_chips && size == SIGNER_DIGEST_BYTES ? signer_sign_digest(pair, in, number) : 0;
  crypto_wipe(number, sizeof number);
  if (!is_chips) return __real_wc_ecc_sign_hash(in, size, out, out_size, rng, key);
  if (fault != 0 || size != SIGNER_DIGEST_BYTES) return WC_HW_E;
  return wc_ecc_rs_raw_to_sig(pair, sizeof pair / 2, pair + sizeof pair / 2, sizeof pair / 2, out, out_size);
}
#endif
