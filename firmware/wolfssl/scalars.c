// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Arithmetic modulo the order L of Ed25519's group, taken over from the library by the linker (--wrap): the same sums,
 * which the library writes out one by one in 16 KB of flash, as loops. Constant-time as they are: no branch and no
 * address depends on a value. test/firmware/crypto.test.ts does the sums again.
 *
 * A number is a row of limbs of 21 bits, signed while it is worked on. L = 2^252 + c, so a limb at 2^252 is folded
 * down by -c, whose six limbs are minus_c.
 */
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/types.h>

enum { LIMB_BITS = 21, LIMBS = 12, WIDE_LIMBS = 24, FOLD_LIMBS = 6, SCALAR_BYTES = 32 };

#define LIMB_MASK ((1u << LIMB_BITS) - 1)

void __wrap_sc_reduce(byte *scalar);
void __wrap_sc_muladd(byte *out, const byte *a, const byte *b, const byte *c);

SHALLOT_IN_FLASH static const sword32 minus_c[FOLD_LIMBS] = {666643, 470296, 654183, -997805, 136657, -683901};

/* The last limb takes all the bits that are left. */
static void limbs_read(sword64 *limbs, int count, const byte *bytes) {
  for (int i = 0; i < count; i++) {
    const byte *at = bytes + i * LIMB_BITS / 8;
    word32 word = at[0] | (word32)at[1] << 8 | (word32)at[2] << 16 | (word32)at[3] << 24;
    word >>= i * LIMB_BITS % 8;
    limbs[i] = i == count - 1 ? word : word & LIMB_MASK;
  }
}

static void scalar_write(byte *out, const sword64 *limbs) {
  word32 held = 0;
  int bits = 0;
  for (int i = 0, at = 0; at < SCALAR_BYTES; at++) {
    if (bits < 8 && i < LIMBS) {
      held |= (word32)limbs[i++] << bits;
      bits += LIMB_BITS;
    }
    out[at] = (byte)held;
    held >>= 8;
    bits -= 8;
  }
}

/* Takes the limbs high to low away and adds what they are worth below 2^252. */
static void fold(sword64 *limbs, int high, int low) {
  for (int i = high; i >= low; i--) {
    for (int k = 0; k < FOLD_LIMBS; k++) limbs[i - LIMBS + k] += limbs[i] * minus_c[k];
    limbs[i] = 0;
  }
}

/* What a limb holds beyond its bits goes to the next. bias: half a limb leaves them around zero, 0 leaves none negative. */
static void carry(sword64 *limbs, int low, int high, sword64 bias) {
  for (int i = low; i <= high; i++) {
    sword64 over = (limbs[i] + bias) >> LIMB_BITS;
    limbs[i + 1] += over;
    limbs[i] -= over * (1 << LIMB_BITS);
  }
}

/* Leaves the number below L in the lower limbs; each limb is within 30 bits before. */
static void reduce(byte *out, sword64 limbs[WIDE_LIMBS]) {
  const sword64 half = 1 << (LIMB_BITS - 1);
  fold(limbs, WIDE_LIMBS - 1, 18);
  carry(limbs, 6, 16, half);
  fold(limbs, 17, LIMBS);
  carry(limbs, 0, LIMBS - 1, half);
  fold(limbs, LIMBS, LIMBS);
  carry(limbs, 0, LIMBS - 1, 0);
  fold(limbs, LIMBS, LIMBS);
  carry(limbs, 0, LIMBS - 2, 0);
  scalar_write(out, limbs);
}

/* 64 bytes, little-endian, become the 32 of their remainder. */
void __wrap_sc_reduce(byte *scalar) {
  sword64 limbs[WIDE_LIMBS];
  limbs_read(limbs, WIDE_LIMBS, scalar);
  reduce(scalar, limbs);
}

/* out = a * b + c */
void __wrap_sc_muladd(byte *out, const byte *a, const byte *b, const byte *c) {
  sword64 sum[WIDE_LIMBS] = {0};
  sword64 one[LIMBS];
  sword64 other[LIMBS];
  limbs_read(sum, LIMBS, c);
  limbs_read(one, LIMBS, a);
  limbs_read(other, LIMBS, b);
  for (int i = 0; i < LIMBS; i++)
    for (int k = 0; k < LIMBS; k++) sum[i + k] += one[i] * other[k];
  carry(sum, 0, WIDE_LIMBS - 2, 1 << (LIMB_BITS - 1));
  reduce(out, sum);
}
