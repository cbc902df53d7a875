// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A hobby servo: 20 ms between pulses whose length is its angle. In: a position in per cent; it is led there no faster than a given
 * speed and let go when it has arrived. What stays true: no pulse is shorter or longer than the limits; at the start there is none.
 */
#ifndef SHALLOT_SERVO_H
#define SHALLOT_SERVO_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"

enum { SERVO_STEP_MS = 50 };

struct servo {
  const struct port *port;
  int channel;
  uint16_t least_us; /* the pulse at 0 %, usually 1,000 */
  uint16_t most_us;  /* at 100 %, usually 2,000 */
  uint16_t step_us;  /* the most that a pulse changes in SERVO_STEP_MS */
  uint16_t now_us;   /* 0: not known, the first move is made at once */
  uint16_t goal_us;
  bool is_moving;
  uint64_t due_ms;
};

/* Lets go. 0 or SHALLOT_E_DEVICE_FAULT. */
int servo_open(struct servo *servo);

/* Leads it to a position, 0 to 100. */
void servo_aim(struct servo *servo, int32_t percent);

/* Stays where it is and lets go. 0 or SHALLOT_E_DEVICE_FAULT. */
int servo_stop(struct servo *servo);

/* Time passes. 1 when it has just arrived, 0, or SHALLOT_E_DEVICE_FAULT: it was let go. */
int servo_step(struct servo *servo, uint64_t now_ms);

/* Where it is, in per cent. */
int32_t servo_position(const struct servo *servo);

#endif
