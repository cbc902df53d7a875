// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A keypad of four rows and three columns, 1 2 3 / 4 5 6 / 7 8 9 / * 0 #: rows on outputs, each behind 1 kΩ, columns on inputs that are
 * pulled down. One row at a time is high. Out: each key once, as keypad.h counts them, when it alone was down for long enough; the next
 * one only after all were up.
 * What stays true: no row is left high; two keys at once are none, because three can look like four; a key that never comes up, and a pin
 * that cannot be read, are faults.
 */
#ifndef SHALLOT_MATRIX_H
#define SHALLOT_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"

enum { MATRIX_ROWS = 4, MATRIX_COLUMNS = 3, MATRIX_LASTS_MS = 40, MATRIX_STUCK_MS = 30000, MATRIX_NONE = 12 };

struct matrix {
  const struct port *port;
  int first_row;    /* of MATRIX_ROWS outputs */
  int first_column; /* of MATRIX_COLUMNS inputs */
  uint8_t seen;     /* at the last look: a key, MATRIX_NONE, or more than one */
  bool is_told;     /* what is seen now */
  bool is_up;       /* all were up since the last key */
  uint64_t seen_since_ms;
};

/* All rows low; a key that is down already counts only after it was up. 0 or SHALLOT_E_DEVICE_FAULT. */
int matrix_open(struct matrix *matrix, uint64_t now_ms);

/* A key (0 to 9, 10 `*`, 11 `#`), MATRIX_NONE, or SHALLOT_E_DEVICE_FAULT. Look at least every MATRIX_LASTS_MS. */
int matrix_look(struct matrix *matrix, uint64_t now_ms);

#endif
