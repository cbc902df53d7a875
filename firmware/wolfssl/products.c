// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * 64-bit products on the lx106, in place of what its libgcc and its ROM have, if anything: the same time for all numbers, because they
 * carry X25519's and Ed25519's secrets.
 */
#include <stdint.h>

uint64_t __umulsidi3(uint32_t a, uint32_t b);
uint64_t __muldi3(uint64_t a, uint64_t b);

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
