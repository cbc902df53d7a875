// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whether a part can be believed (SPEC 4.15). In: the fault of each look at it, and what it said; out: the fault that stands, and when that changes.
 * What stays true: a fault stands after three bad looks in a row and goes with the first good one; a part that never trembles is stuck.
 */
#ifndef SHALLOT_HEALTH_H
#define SHALLOT_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "../../schemas/gen/c/shallot_wire.h"

enum { HEALTH_BAD_LOOKS = 3, HEALTH_SAME_LOOKS = 60 };

struct health {
  uint32_t said;      /* the last raw word */
  uint8_t same_looks; /* how often it came in a row */
  uint8_t bad_looks;
  uint8_t standing; /* SHALLOT_FAULT_... */
};

/* fault: SHALLOT_FAULT_... of this look. True when the standing fault changed. */
bool health_look(struct health *health, int fault);

/* For parts whose last bits tremble by nature: 0, or SHALLOT_FAULT_STUCK when the same word came HEALTH_SAME_LOOKS times in a row. */
int health_word(struct health *health, uint32_t word);

#endif
