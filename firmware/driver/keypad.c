// SPDX-License-Identifier: GPL-3.0-or-later
#include "keypad.h"

#include <string.h>

enum { KEY_CLEAR = 10, KEY_END = 11, BITS_KEY = 4, BITS_KEY_CHECKED = 8, BITS_CARD = 26, CARD_DIGITS = 8, CARD_BITS = 24 };

void keypad_open(struct keypad *keypad, const struct port *port) { *keypad = (struct keypad){.port = port}; }

void keypad_clear(struct keypad *keypad) {
  memset(keypad->digits, 0, sizeof keypad->digits);
  __asm__ volatile("" : : "r"(keypad) : "memory");
  keypad->size = 0;
  keypad->is_too_long = false;
}

static void digit_add(struct keypad *keypad, unsigned digit) {
  if (keypad->size == KEYPAD_DIGITS_MAX) keypad->is_too_long = true;
  else keypad->digits[keypad->size++] = (uint8_t)('0' + digit);
}

/* True when an entry was finished. One that is too long fits no code, and is dropped like noise. */
static bool key_take(struct keypad *keypad, unsigned key) {
  if (key < KEY_CLEAR) {
    digit_add(keypad, key);
    return false;
  }
  if (key == KEY_END && keypad->size > 0 && !keypad->is_too_long) return true;
  if (key == KEY_CLEAR || key == KEY_END) keypad_clear(keypad);
  return false;
}

static bool is_odd(uint32_t bits) {
  unsigned ones = 0;
  for (; bits != 0; bits &= bits - 1) ones++;
  return (ones & 1) != 0;
}

/* The first bit makes the first half even, the last one the second half odd. */
static bool card_take(struct keypad *keypad, uint32_t bits) {
  uint32_t number = bits >> 1 & ((1u << CARD_BITS) - 1);
  uint32_t digits[CARD_DIGITS];
  if (is_odd(bits >> 13) || !is_odd(bits & 0x1fff)) return false;
  keypad_clear(keypad);
  for (int i = CARD_DIGITS - 1; i >= 0; i--, number /= 10) digits[i] = number % 10;
  for (int i = 0; i < CARD_DIGITS; i++) digit_add(keypad, digits[i]);
  return true;
}

static bool burst_take(struct keypad *keypad, int count, uint64_t bits) {
  unsigned key = (unsigned)bits & 0xf;
  if (count == BITS_KEY) return key_take(keypad, key);
  if (count == BITS_KEY_CHECKED && ((unsigned)bits >> 4 ^ key) == 0xf) return key_take(keypad, key);
  return count == BITS_CARD && card_take(keypad, (uint32_t)bits);
}

static void patience_end(struct keypad *keypad, uint64_t now_ms) {
  if (keypad->size > 0 && now_ms - keypad->touched_ms > KEYPAD_PATIENCE_MS) keypad_clear(keypad);
}

size_t keypad_press(struct keypad *keypad, unsigned key, uint64_t now_ms) {
  patience_end(keypad, now_ms);
  keypad->touched_ms = now_ms;
  return key_take(keypad, key) ? keypad->size : 0;
}

size_t keypad_look(struct keypad *keypad, uint64_t now_ms) {
  uint64_t bits;
  int count;
  patience_end(keypad, now_ms);
  while ((count = keypad->port->wiegand_read(&bits)) > 0) {
    keypad->touched_ms = now_ms;
    if (burst_take(keypad, count, bits)) return keypad->size;
  }
  return 0;
}
