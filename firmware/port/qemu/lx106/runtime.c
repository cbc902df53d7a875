// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The arithmetic that gcc expects of libgcc and Debian's libgcc for the lx106 does not have.
 * The multiplications take the same time for all numbers: they carry X25519 and Ed25519 on secrets.
 */
#include <stdint.h>

uint64_t __umulsidi3(uint32_t a, uint32_t b);
uint64_t __muldi3(uint64_t a, uint64_t b);
uint32_t __udivsi3(uint32_t a, uint32_t b);
uint32_t __umodsi3(uint32_t a, uint32_t b);
int32_t __divsi3(int32_t a, int32_t b);
int32_t __modsi3(int32_t a, int32_t b);
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
int64_t __divdi3(int64_t a, int64_t b);
int64_t __moddi3(int64_t a, int64_t b);

/* The lx106 multiplies 16 by 16 bits in one instruction, and keeps the lower half of 32 by 32. */
static inline uint32_t half_product(uint32_t a, uint32_t b) {
  uint32_t product;
  __asm__("mul16u %0, %1, %2" : "=r"(product) : "r"(a), "r"(b));
  return product;
}

static inline __attribute__((always_inline)) uint64_t product(uint32_t a, uint32_t b) {
  uint32_t a_high = a >> 16;
  uint32_t b_high = b >> 16;
  uint32_t middle = half_product(a_high, b) + (half_product(a, b) >> 16);
  uint32_t other = half_product(a, b_high) + (middle & 0xffff);
  uint32_t high = half_product(a_high, b_high) + (middle >> 16) + (other >> 16);
  return (uint64_t)high << 32 | a * b;
}

uint64_t __umulsidi3(uint32_t a, uint32_t b) { return product(a, b); }

uint64_t __muldi3(uint64_t a, uint64_t b) {
  uint32_t a_low = (uint32_t)a;
  uint32_t b_low = (uint32_t)b;
  uint32_t crossed = (uint32_t)(a >> 32) * b_low + a_low * (uint32_t)(b >> 32);
  return product(a_low, b_low) + ((uint64_t)crossed << 32);
}

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
