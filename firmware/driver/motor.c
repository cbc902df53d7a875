// SPDX-License-Identifier: GPL-3.0-or-later
#include "motor.h"

enum { LEVEL_PER_PERCENT = 10, PERCENT = 100 };

/* The input that goes low goes first, so that they are never both high. */
static int drive(struct motor *motor, int32_t speed) {
  const struct port *port = motor->port;
  int off = speed >= 0 ? motor->backward_channel : motor->forward_channel;
  int on = speed >= 0 ? motor->forward_channel : motor->backward_channel;
  int32_t level = (speed >= 0 ? speed : -speed) * LEVEL_PER_PERCENT;
  motor->speed = 0;
  motor->is_unsure = true;
  if (port->output_set(off, 0) != 0) {
    port->output_set(on, 0);
    return SHALLOT_E_DEVICE_FAULT;
  }
  if (port->output_set(on, level) != 0) {
    port->output_set(on, 0);
    return SHALLOT_E_DEVICE_FAULT;
  }
  motor->speed = speed;
  motor->is_unsure = false;
  return 0;
}

int motor_open(struct motor *motor) {
  motor->wanted = 0;
  motor->turns_ms = 0;
  return drive(motor, 0);
}

int motor_stop(struct motor *motor, uint64_t now_ms) {
  if (motor->speed != 0) motor->turns_ms = now_ms + MOTOR_TURN_MS;
  motor->wanted = 0;
  return drive(motor, 0);
}

int motor_link_lost(struct motor *motor, uint64_t now_ms) { return motor->wanted != 0 || motor->speed != 0 ? motor_stop(motor, now_ms) : 0; }

/* 1 at the end of this direction, 0 not, or a fault: an end that cannot be seen is no end to rely on. */
static int is_at_end(const struct motor *motor, int32_t speed) {
  int end = speed > 0 ? motor->forward_end : motor->backward_end;
  if (speed == 0 || end == MOTOR_NO_SWITCH) return 0;
  int level = motor->port->pin_read(end);
  return level < 0 ? SHALLOT_E_DEVICE_FAULT : level;
}

static bool is_turn(const struct motor *motor, int32_t speed) { return motor->speed != 0 && (motor->speed > 0) != (speed > 0); }

int motor_run(struct motor *motor, int32_t speed, uint64_t now_ms) {
  if (speed > PERCENT) speed = PERCENT;
  if (speed < -PERCENT) speed = -PERCENT;
  if (speed == 0) return motor_stop(motor, now_ms);
  if (is_turn(motor, speed)) {
    int fault = motor_stop(motor, now_ms);
    if (fault) return fault;
  }
  motor->wanted = speed;
  motor->ends_ms = now_ms + motor->runs_ms_max;
  int outcome = motor_step(motor, now_ms);
  return outcome < 0 ? outcome : 0;
}

int motor_step(struct motor *motor, uint64_t now_ms) {
  if (motor->wanted == 0) return motor->is_unsure ? drive(motor, 0) : 0;
  int end = is_at_end(motor, motor->wanted);
  if (end != 0 || now_ms >= motor->ends_ms) {
    int fault = motor_stop(motor, now_ms);
    return end < 0 ? end : fault < 0 ? fault : 1;
  }
  if (motor->speed == motor->wanted || (motor->speed == 0 && now_ms < motor->turns_ms)) return 0;
  int fault = drive(motor, motor->wanted);
  if (fault) motor->wanted = 0;
  return fault;
}
