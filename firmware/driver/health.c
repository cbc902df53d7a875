// SPDX-License-Identifier: GPL-3.0-or-later
#include "health.h"

bool health_look(struct health *health, int fault) {
  uint8_t before = health->standing;
  if (fault == SHALLOT_FAULT_NONE) {
    health->bad_looks = 0;
    health->standing = SHALLOT_FAULT_NONE;
  } else if (health->bad_looks + 1 >= HEALTH_BAD_LOOKS) {
    health->standing = (uint8_t)fault;
  } else {
    health->bad_looks++;
  }
  return health->standing != before;
}

int health_word(struct health *health, uint32_t word) {
  bool is_same = health->same_looks > 0 && word == health->said;
  health->said = word;
  if (!is_same) health->same_looks = 1;
  else if (health->same_looks < HEALTH_SAME_LOOKS) health->same_looks++;
  return health->same_looks < HEALTH_SAME_LOOKS ? SHALLOT_FAULT_NONE : SHALLOT_FAULT_STUCK;
}
