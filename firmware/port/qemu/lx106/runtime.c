// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The divisions that gcc expects of libgcc and Debian's libgcc for the lx106 does not have; products are in wolfssl/products.c.
 */
#include <stdint.h>

uint32_t __udivsi3(uint32_t a, uint32_t b);
uint32_t __umodsi3(uint32_t a, uint32_t b);
int32_t __divsi3(int32_t a, int32_t b);
int32_t __modsi3(int32_t a, int32_t b);
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
int64_t __divdi3(int64_t a, int64_t b);
int64_t __moddi3(int64_t a, int64_t b);

/* Schoolbook division, one bit a round; never used on secrets. Division by zero gives all ones. */
static uint64_t divide(uint64_t dividend, uint64_t divisor, uint64_t *remainder) {
  uint64_t quotient = 0;
  uint64_t rest = 0;
  int bits = dividend >> 32 ? 64 : 32;
  for (int bit = bits - 1; bit >= 0; bit--) {
    rest = rest << 1 | (dividend >> bit & 1);
    quotient <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      quotient |= 1;
    }
  }
  *remainder = rest;
  return quotient;
}

static uint64_t magnitude(int64_t number) { return number < 0 ? -(uint64_t)number : (uint64_t)number; }

uint64_t __udivdi3(uint64_t a, uint64_t b) {
  uint64_t rest;
  return divide(a, b, &rest);
}

uint64_t __umoddi3(uint64_t a, uint64_t b) {
  uint64_t rest;
  divide(a, b, &rest);
  return rest;
}

int64_t __divdi3(int64_t a, int64_t b) {
  uint64_t quotient = __udivdi3(magnitude(a), magnitude(b));
  return (int64_t)((a < 0) != (b < 0) ? -quotient : quotient);
}

int64_t __moddi3(int64_t a, int64_t b) {
  uint64_t rest = __umoddi3(magnitude(a), magnitude(b));
  return (int64_t)(a < 0 ? -rest : rest);
}

uint32_t __udivsi3(uint32_t a, uint32_t b) { return (uint32_t)__udivdi3(a, b); }
uint32_t __umodsi3(uint32_t a, uint32_t b) { return (uint32_t)__umoddi3(a, b); }
int32_t __divsi3(int32_t a, int32_t b) { return (int32_t)__divdi3(a, b); }
int32_t __modsi3(int32_t a, int32_t b) { return (int32_t)__moddi3(a, b); }
