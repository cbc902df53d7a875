// SPDX-License-Identifier: GPL-3.0-or-later
#include "base64url.h"

#include "../../schemas/gen/c/shallot_codes.h"

static char digit_write(unsigned six) {
  if (six < 26) return (char)('A' + six);
  if (six < 52) return (char)('a' + six - 26);
  if (six < 62) return (char)('0' + six - 52);
  return six == 62 ? '-' : '_';
}

/* 0 to 63, or -1. */
static int digit_read(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  return c == '_' ? 63 : -1;
}

int base64url_write(char *out, size_t capacity, const uint8_t *bytes, size_t size) {
  size_t chars = (size * 4 + 2) / 3;
  uint32_t held = 0;
  unsigned bits = 0;
  size_t at = 0;
  if (capacity < chars + 1) return SHALLOT_E_OUT_OF_SPACE;
  for (size_t i = 0; i < size; i++) {
    held = held << 8 | bytes[i];
    for (bits += 8; bits >= 6; bits -= 6) out[at++] = digit_write(held >> (bits - 6) & 63);
  }
  if (bits > 0) out[at++] = digit_write(held << (6 - bits) & 63);
  out[at] = '\0';
  return (int)at;
}

int base64url_read(uint8_t *out, size_t capacity, const char *text, size_t size) {
  uint32_t held = 0;
  unsigned bits = 0;
  size_t at = 0;
  if (size % 4 == 1) return SHALLOT_E_CODE_DAMAGED;
  for (size_t i = 0; i < size; i++) {
    int digit = digit_read(text[i]);
    if (digit < 0) return SHALLOT_E_CODE_DAMAGED;
    held = held << 6 | (unsigned)digit;
    bits += 6;
    if (bits < 8) continue;
    if (at == capacity) return SHALLOT_E_OUT_OF_SPACE;
    bits -= 8;
    out[at++] = (uint8_t)(held >> bits);
  }
  /* Bits that no byte uses must be zero, or the same bytes had several spellings. */
  return held & ((1u << bits) - 1) ? SHALLOT_E_CODE_DAMAGED : (int)at;
}
