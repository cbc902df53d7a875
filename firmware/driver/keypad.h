// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A keypad with a Wiegand output, one burst per key: 4 bits, or 8 of which the first four are the others inverted; 10 is `*`, which
 * clears, 11 is `#`, which ends. A card on the same wires gives 26 bits with two parities and counts as its 24 bits in 8 digits.
 * In: bursts; out: digits that somebody finished. The reader debounces its keys; a burst of another length, or with wrong parity, is noise.
 * What stays true: digits are wiped when they were taken, cleared, or left alone for too long.
 */
#ifndef SHALLOT_KEYPAD_H
#define SHALLOT_KEYPAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"

#define KEYPAD_DIGITS_MAX 12
/* How long unfinished digits are kept, milliseconds. */
#define KEYPAD_PATIENCE_MS 10000

struct keypad {
  const struct port *port;
  uint64_t touched_ms;
  uint8_t size;
  bool is_too_long; /* more digits than any code has: nothing until `*` or `#` */
  uint8_t digits[KEYPAD_DIGITS_MAX]; /* ASCII */
};

void keypad_open(struct keypad *keypad, const struct port *port);

/*
 * Takes the bursts that wait, up to the end of one entry. How many digits were finished, or 0; then they are in keypad->digits until
 * keypad_clear.
 */
size_t keypad_look(struct keypad *keypad, uint64_t now_ms);

/* One key of a pad without a reader of its own (matrix.h): 0 to 9, 10 `*`, 11 `#`. As keypad_look. */
size_t keypad_press(struct keypad *keypad, unsigned key, uint64_t now_ms);

void keypad_clear(struct keypad *keypad);

#endif
