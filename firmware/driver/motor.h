// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A DC motor on an H bridge of two inputs, as the DRV8833 has them (TI SLVSAR1, table 2: one input PWM, the other low; both low: coast).
 * What stays true: never both inputs high; a pause between two directions; it runs no longer than its limit and stops at its end
 * switches; a fault or a lost link stops it.
 */
#ifndef SHALLOT_MOTOR_H
#define SHALLOT_MOTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"

enum { MOTOR_TURN_MS = 200, MOTOR_NO_SWITCH = -1 };

struct motor {
  const struct port *port;
  int forward_channel;
  int backward_channel;
  int forward_end;  /* an input that is high at the end, or MOTOR_NO_SWITCH */
  int backward_end;
  uint32_t runs_ms_max;
  int32_t speed; /* -100 to 100, as it runs */
  int32_t wanted;
  bool is_unsure; /* an output could not be driven: it is tried again until it stands */
  uint64_t ends_ms;
  uint64_t turns_ms; /* no new direction before */
};

/* Stops. 0 or SHALLOT_E_DEVICE_FAULT. */
int motor_open(struct motor *motor);

/* Runs at a speed, -100 to 100, until told otherwise, an end or the limit; a new direction waits for the pause. 0 or a fault. */
int motor_run(struct motor *motor, int32_t speed, uint64_t now_ms);

/* The link is gone: what runs stops, because nobody could stop it any more. 0 or SHALLOT_E_DEVICE_FAULT. */
int motor_link_lost(struct motor *motor, uint64_t now_ms);

/* Stops at once. 0 or SHALLOT_E_DEVICE_FAULT. */
int motor_stop(struct motor *motor, uint64_t now_ms);

/* Time passes: 1 when it was just stopped by an end or the limit, 0, or SHALLOT_E_DEVICE_FAULT: it was stopped. */
int motor_step(struct motor *motor, uint64_t now_ms);

#endif
