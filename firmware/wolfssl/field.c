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
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/fe_operations.h>

enum { FE_LIMBS = 10, BLOCK = 4, BLOCKS = 5, LIMBS = BLOCK * BLOCKS, WIDE_LIMBS = 2 * LIMBS };
enum { BITS = 13, LAST_BITS = 12 };
/* 2^255 is 19. */
enum { WRAP = 19 };

typedef char fe_has_ten_limbs[sizeof(fe) == FE_LIMBS * sizeof(sword32) ? 1 : -1];

/* The lower bits of a number, around zero; what is beyond them goes to over. */
static inline sword32 lower(sword32 number, int bits, sword32 *over) {
  const sword32 half = (sword32)1 << (bits - 1);
  number += half;
  *over = number >> bits;
  return (number & (2 * half - 1)) - half;
}

static void split(short limbs[LIMBS], const fe f) {
  for (int i = 0; i < FE_LIMBS; i++) {
    sword32 over;
    limbs[2 * i] = (short)lower(f[i], BITS, &over);
    limbs[2 * i + 1] = (short)over;
  }
}

/* Adds the products of count blocks, x upwards with y downwards, to the columns at wide. */
static void blocks_multiply(sword32 *wide, const short *x, const short *y, int count) {
  sword32 c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0, c6 = 0;
  for (; count > 0; count--, x += BLOCK, y -= BLOCK) {
    short x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    short by = y[0];
    c0 += x0 * by, c1 += x1 * by, c2 += x2 * by, c3 += x3 * by;
    by = y[1];
    c1 += x0 * by, c2 += x1 * by, c3 += x2 * by, c4 += x3 * by;
    by = y[2];
    c2 += x0 * by, c3 += x1 * by, c4 += x2 * by, c5 += x3 * by;
    by = y[3];
    c3 += x0 * by, c4 += x1 * by, c5 += x2 * by, c6 += x3 * by;
  }
  wide[0] += c0, wide[1] += c1, wide[2] += c2, wide[3] += c3;
  wide[4] += 2 * c4, wide[5] += 2 * c5, wide[6] += 2 * c6;
}

/* Leaves each limb the bits that are its own, around zero; gives what is beyond the last. */
static sword32 carry(sword32 *limbs, sword32 over) {
  for (int block = 0; block < BLOCKS; block++, limbs += BLOCK) {
    limbs[0] = lower(limbs[0] + over, BITS, &over);
    limbs[1] = lower(limbs[1] + over, BITS, &over);
    limbs[2] = lower(limbs[2] + over, BITS, &over);
    limbs[3] = lower(limbs[3] + over, LAST_BITS, &over);
  }
  return over;
}

/* From twenty limbs, each below 2^31 - 2^20. */
static void join(fe h, sword32 limbs[LIMBS], sword32 over) {
  over = WRAP * carry(limbs, over);
  limbs[0] = lower(limbs[0] + over, BITS, &over);
  limbs[1] = lower(limbs[1] + over, BITS, &over);
  limbs[2] += over;
  for (int i = 0; i < FE_LIMBS; i++) h[i] = limbs[2 * i] + limbs[2 * i + 1] * (1 << BITS);
}

static void reduce(fe h, sword32 wide[WIDE_LIMBS]) {
  sword32 over = WRAP * carry(wide + LIMBS, 0);
  for (int i = 0; i < LIMBS; i++) wide[i] += WRAP * wide[LIMBS + i];
  join(h, wide, WRAP * over);
}

/* The first block of x whose product with another of y, or of x itself, falls into this column of blocks. */
static int first_block(int column) { return column < BLOCKS ? 0 : column - BLOCKS + 1; }

static void square(sword32 wide[WIDE_LIMBS], const fe f) {
  short x[LIMBS];
  short twice[LIMBS];
  split(x, f);
  for (int i = 0; i < LIMBS; i++) twice[i] = (short)(2 * x[i]);
  for (int column = 0; column < 2 * BLOCKS - 1; column++) {
    int first = first_block(column);
    sword32 *at = wide + BLOCK * column;
    blocks_multiply(at, x + BLOCK * first, twice + BLOCK * (column - first), (column + 1) / 2 - first);
    if (column % 2 == 0) blocks_multiply(at, x + BLOCK * (column / 2), x + BLOCK * (column / 2), 1);
  }
}

void fe_mul(fe h, const fe f, const fe g) {
  short x[LIMBS];
  short y[LIMBS];
  sword32 wide[WIDE_LIMBS] = {0};
  split(x, f);
  split(y, g);
  for (int column = 0; column < 2 * BLOCKS - 1; column++) {
    int first = first_block(column);
    int last = column - first;
    blocks_multiply(wide + BLOCK * column, x + BLOCK * first, y + BLOCK * last, last - first + 1);
  }
  reduce(h, wide);
}

void fe_sq(fe h, const fe f) {
  sword32 wide[WIDE_LIMBS] = {0};
  square(wide, f);
  reduce(h, wide);
}

/* h = 2 * f * f */
void fe_sq2(fe h, const fe f) {
  sword32 limbs[LIMBS];
  short x[LIMBS];
  fe_sq(h, f);
  split(x, h);
  for (int i = 0; i < LIMBS; i++) limbs[i] = 2 * x[i];
  join(h, limbs, 0);
}

void fe_mul121666(fe h, fe f) {
  sword32 limbs[LIMBS];
  short x[LIMBS];
  split(x, f);
  for (int i = 0; i < LIMBS; i++) limbs[i] = 121666 * x[i];
  join(h, limbs, 0);
}
