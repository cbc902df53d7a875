// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Multiplication modulo p = 2^255 - 19 for processors that multiply 16 by 16 bits, as the ESP8266's does, in place of the library's, which
 * wants 32 by 32: less than half the work. The linker prefers these to the library's, which wolfssl/fe_operations.c makes weak.
 * Constant-time as those: no branch and no address depends on a value.
 *
 * In and out are the library's numbers (fe): ten signed limbs of 26 and 25 bits by turns, |f| <= 1.65 * 2^26 and 1.65 * 2^25 at most as they
 * come, 1.01 * 2^25 and 1.01 * 2^24 as they leave. Inside, each is two: twenty limbs in five blocks of 13, 13, 13 and 12 bits, 51 in all.
 * Limb i weighs 2^(51 * (i / 4) + 13 * (i % 4)), so the product of limbs i and j weighs as much as limb i + j, twice that when
 * i % 4 + j % 4 >= 4. Limbs are at most 4096, 13517, 4096 and 6758 in a block, which makes the sum of the absolute products of a column
 * at most 5 * (4096^2 + 4 * 13517 * 6758 + 2 * 4096^2) = 2,078,615,960: what follows adds less than 2^20, and 2^31 is 68 million away.
 * test/firmware/field.test.ts does the sums again, at these bounds.
 */
#if !defined(__clang__)
#pragma GCC optimize("O2") /* the one place where time is worth its size */
#endif
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/fe_operations.h>

enum { FE_LIMBS = 10, BLOCK = 4, BLOCKS = 5, LIMBS = BLOCK * BLOCKS, WIDE_LIMBS = 2 * LIMBS };
enum { BITS = 13, LAST_BITS = 12 };
/* 2^255 is 19. */
enum { WRAP = 19 };

typedef char fe_has_ten_limbs[sizeof(fe) == FE_LIMBS * sizeof(sword32) ? 1 : -1];

#define INLINE static inline __attribute__((always_inline))

/* The lower bits of a number, around zero; what is beyond them goes to over. */
INLINE sword32 lower(sword32 number, int bits, sword32 *over) {
  const sword32 half = (sword32)1 << (bits - 1);
  number += half;
  *over = number >> bits;
  return (number & (2 * half - 1)) - half;
}

INLINE void split(short limbs[LIMBS], const fe f) {
#pragma GCC unroll 10
  for (int i = 0; i < FE_LIMBS; i++) {
    sword32 over;
    limbs[2 * i] = (short)lower(f[i], BITS, &over);
    limbs[2 * i + 1] = (short)over;
  }
}

/* ---- products of blocks ---- */

/* What one column of blocks comes to: its own four limbs, and three that belong to the next at twice the weight. */
struct column {
  sword32 c0, c1, c2, c3, c4, c5, c6;
};

#if defined(__XTENSA_CALL0_ABI__)

/* As below, in the registers that there are: left alone, the compiler moves half the sums to the stack and back. */
#define LOAD(register, at) "l16si %[" #register "], %[limbs], %[" #at "]\n\t"
#define ADD(sum, limb) "mul16s %[t], %[" #limb "], %[by]\n\tadd.n %[" #sum "], %[" #sum "], %[t]\n\t"
INLINE void block_multiply(struct column *sum, const short *limbs, int x, int y) {
  sword32 x0, x1, x2, x3, by, t;
  __asm__ volatile(LOAD(x0, m0) LOAD(x1, m1) LOAD(x2, m2) LOAD(x3, m3)
          LOAD(by, n0) ADD(c0, x0) ADD(c1, x1) ADD(c2, x2) ADD(c3, x3)
          LOAD(by, n1) ADD(c1, x0) ADD(c2, x1) ADD(c3, x2) ADD(c4, x3)
          LOAD(by, n2) ADD(c2, x0) ADD(c3, x1) ADD(c4, x2) ADD(c5, x3)
          LOAD(by, n3) ADD(c3, x0) ADD(c4, x1) ADD(c5, x2) ADD(c6, x3)
          : [c0] "+r"(sum->c0), [c1] "+r"(sum->c1), [c2] "+r"(sum->c2), [c3] "+r"(sum->c3), [c4] "+r"(sum->c4),
            [c5] "+r"(sum->c5), [c6] "+r"(sum->c6), [x0] "=&r"(x0), [x1] "=&r"(x1), [x2] "=&r"(x2), [x3] "=&r"(x3),
            [by] "=&r"(by), [t] "=&r"(t)
          : [limbs] "r"(limbs), [m0] "n"(2 * x), [m1] "n"(2 * x + 2), [m2] "n"(2 * x + 4), [m3] "n"(2 * x + 6),
            [n0] "n"(2 * y), [n1] "n"(2 * y + 2), [n2] "n"(2 * y + 4), [n3] "n"(2 * y + 6)
          : "memory");
}

#else

/* Adds the product of the four limbs at x and the four at y. */
INLINE void block_multiply(struct column *sum, const short *limbs, int x, int y) {
  const short *f = limbs + x;
  const short *g = limbs + y;
  sum->c0 += f[0] * g[0];
  sum->c1 += f[1] * g[0] + f[0] * g[1];
  sum->c2 += f[2] * g[0] + f[1] * g[1] + f[0] * g[2];
  sum->c3 += f[3] * g[0] + f[2] * g[1] + f[1] * g[2] + f[0] * g[3];
  sum->c4 += f[3] * g[1] + f[2] * g[2] + f[1] * g[3];
  sum->c5 += f[3] * g[2] + f[2] * g[3];
  sum->c6 += f[3] * g[3];
}

#endif

/* Puts the column away and begins the next. */
INLINE void next_column(struct column *sum, sword32 *wide) {
  wide[0] = sum->c0, wide[1] = sum->c1, wide[2] = sum->c2, wide[3] = sum->c3;
  *sum = (struct column){2 * sum->c4, 2 * sum->c5, 2 * sum->c6, 0, 0, 0, 0};
}

/* The last column is the last but for its overhang. */
INLINE void last_column(struct column *sum, sword32 *wide) {
  next_column(sum, wide);
  next_column(sum, wide + BLOCK);
}

/* ---- back to ten limbs ---- */

/* Takes what is beyond the last limb to the first: 2^255 is 19. It is less than 2^20 in size. */
INLINE void wrap(fe h, sword32 over) {
  h[0] = lower(h[0] + WRAP * over, 2 * BITS, &over);
  h[1] += over;
}

/* One number from two limbs that come with a carry and leave one. */
INLINE sword32 join(sword32 low, sword32 high, int high_bits, sword32 *over) {
  low = lower(low + *over, BITS, over);
  high = lower(high + *over, high_bits, over);
  return low + high * (1 << BITS);
}

/* The upper half of wide, each limb brought to its own bits, counts nineteenfold in the lower. */
static void reduce(fe h, sword32 wide[WIDE_LIMBS]) {
  sword32 over = 0;
  sword32 *high = wide + LIMBS;
  for (int i = 0; i < LIMBS; i += BLOCK) {
    high[i] = lower(high[i] + over, BITS, &over);
    high[i + 1] = lower(high[i + 1] + over, BITS, &over);
    high[i + 2] = lower(high[i + 2] + over, BITS, &over);
    high[i + 3] = lower(high[i + 3] + over, LAST_BITS, &over);
  }
  over *= WRAP * WRAP;
  for (int i = 0; i < LIMBS; i += BLOCK) {
    const sword32 *low = wide + i;
    const sword32 *up = high + i;
    h[i / 2] = join(low[0] + WRAP * up[0], low[1] + WRAP * up[1], BITS, &over);
    h[i / 2 + 1] = join(low[2] + WRAP * up[2], low[3] + WRAP * up[3], LAST_BITS, &over);
  }
  wrap(h, over);
}

/* h = factor * f, where limb times factor is below 2^31 - 2^20. */
static void scale(fe h, const fe f, sword32 factor) {
  sword32 over = 0;
  for (int i = 0; i < FE_LIMBS; i++) {
    sword32 high;
    sword32 low = lower(f[i], BITS, &high);
    h[i] = join(low * factor, high * factor, i % 2 == 0 ? BITS : LAST_BITS, &over);
  }
  wrap(h, over);
}

/* ---- what the library calls ---- */

/* Of two factors, or of a number and its double, one behind the other. */
#define TIMES(i, j) block_multiply(&sum, limbs, BLOCK * (i), LIMBS + BLOCK * (j))
#define NEXT(column) next_column(&sum, wide + BLOCK * (column))

void fe_mul(fe h, const fe f, const fe g) {
  short limbs[2 * LIMBS];
  sword32 wide[WIDE_LIMBS];
  struct column sum = {0};
  split(limbs, f);
  split(limbs + LIMBS, g);
  TIMES(0, 0); NEXT(0);
  TIMES(0, 1); TIMES(1, 0); NEXT(1);
  TIMES(0, 2); TIMES(1, 1); TIMES(2, 0); NEXT(2);
  TIMES(0, 3); TIMES(1, 2); TIMES(2, 1); TIMES(3, 0); NEXT(3);
  TIMES(0, 4); TIMES(1, 3); TIMES(2, 2); TIMES(3, 1); TIMES(4, 0); NEXT(4);
  TIMES(1, 4); TIMES(2, 3); TIMES(3, 2); TIMES(4, 1); NEXT(5);
  TIMES(2, 4); TIMES(3, 3); TIMES(4, 2); NEXT(6);
  TIMES(3, 4); TIMES(4, 3); NEXT(7);
  TIMES(4, 4);
  last_column(&sum, wide + BLOCK * 8);
  reduce(h, wide);
}

#define SQUARE(i) block_multiply(&sum, limbs, BLOCK * (i), BLOCK * (i))

void fe_sq(fe h, const fe f) {
  short limbs[2 * LIMBS];
  sword32 wide[WIDE_LIMBS];
  struct column sum = {0};
  split(limbs, f);
  for (int i = 0; i < LIMBS; i++) limbs[LIMBS + i] = (short)(2 * limbs[i]);
  SQUARE(0); NEXT(0);
  TIMES(0, 1); NEXT(1);
  TIMES(0, 2); SQUARE(1); NEXT(2);
  TIMES(0, 3); TIMES(1, 2); NEXT(3);
  TIMES(0, 4); TIMES(1, 3); SQUARE(2); NEXT(4);
  TIMES(1, 4); TIMES(2, 3); NEXT(5);
  TIMES(2, 4); SQUARE(3); NEXT(6);
  TIMES(3, 4); NEXT(7);
  SQUARE(4);
  last_column(&sum, wide + BLOCK * 8);
  reduce(h, wide);
}

/* h = 2 * f * f */
void fe_sq2(fe h, const fe f) {
  fe_sq(h, f);
  scale(h, h, 2);
}

void fe_mul121666(fe h, fe f) { scale(h, f, 121666); }
