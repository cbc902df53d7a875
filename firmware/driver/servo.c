// SPDX-License-Identifier: GPL-3.0-or-later
#include "servo.h"

enum { PERIOD_US = 20000, PERCENT = 100 };

static int pulse(const struct servo *servo, uint16_t high_us) {
  return servo->port->pulse_set(servo->channel, PERIOD_US, high_us) == 0 ? 0 : SHALLOT_E_DEVICE_FAULT;
}

int servo_stop(struct servo *servo) {
  servo->is_moving = false;
  return pulse(servo, 0);
}

int servo_open(struct servo *servo) {
  servo->now_us = 0;
  return servo_stop(servo);
}

void servo_aim(struct servo *servo, int32_t percent) {
  if (percent < 0) percent = 0;
  if (percent > PERCENT) percent = PERCENT;
  int32_t span = servo->most_us - servo->least_us;
  servo->goal_us = (uint16_t)(servo->least_us + (span * percent + PERCENT / 2) / PERCENT);
  servo->is_moving = true;
  servo->due_ms = 0;
}

int32_t servo_position(const struct servo *servo) {
  int32_t span = servo->most_us - servo->least_us;
  return servo->now_us == 0 ? 0 : ((servo->now_us - servo->least_us) * PERCENT + span / 2) / span;
}

static uint16_t next_us(const struct servo *servo) {
  int32_t way = servo->goal_us - servo->now_us;
  if (servo->now_us == 0 || (way <= servo->step_us && -way <= servo->step_us)) return servo->goal_us;
  return (uint16_t)(servo->now_us + (way > 0 ? servo->step_us : -servo->step_us));
}

int servo_step(struct servo *servo, uint64_t now_ms) {
  if (!servo->is_moving || now_ms < servo->due_ms) return 0;
  bool has_arrived = servo->now_us == servo->goal_us;
  if (has_arrived) return servo_stop(servo) == 0 ? 1 : SHALLOT_E_DEVICE_FAULT;
  servo->now_us = next_us(servo);
  servo->due_ms = now_ms + SERVO_STEP_MS;
  if (pulse(servo, servo->now_us) == 0) return 0;
  servo_stop(servo);
  return SHALLOT_E_DEVICE_FAULT;
}
