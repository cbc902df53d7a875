// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Blinds on a servo, output 1: they are led to a position at a steady pace, and stop when told, on a fault, and when the link is lost while they move.
 * At the start they are left where they are; where that is, they remember.
 */
#include "../core/device.h"
#include "../core/kept.h"
#include "../core/line.h"
#include "../driver/servo.h"
#include "../../schemas/gen/c/shallot_capabilities.h"
#include "../wiring/gen/blinds.h"

enum { LEAST_US = 1000, MOST_US = 2000, STEP_US = 10, IDLE_MS = 1000 };

static const char POSITION_BLOB[] = "position";

static struct {
  struct servo servo;
  uint8_t fault;
  bool is_told; /* the standing position was said */
} blinds;

static void position_load(void) {
  uint8_t percent;
  const struct port *port = blinds.servo.port;
  if (kept_read(port, POSITION_BLOB, &percent, 1) != 1 || percent > 100) return;
  servo_aim(&blinds.servo, percent);
  blinds.servo.now_us = blinds.servo.goal_us;
  blinds.servo.is_moving = false;
}

static void blinds_open(const struct port *port) {
  blinds.servo = (struct servo){
    .port = port, .channel = SERVO_CHANNEL, .least_us = LEAST_US, .most_us = MOST_US, .step_us = STEP_US};
  servo_open(&blinds.servo);
  position_load();
  blinds.is_told = true;
}

static void position_add(struct changes *changes) {
  changes_add(changes, SHALLOT_CAPABILITY_POSITION, servo_position(&blinds.servo));
}

/* It has come to rest: flash is written once for each way, not for each step. */
static void rest(struct changes *changes) {
  uint8_t percent = (uint8_t)servo_position(&blinds.servo);
  const struct port *port = blinds.servo.port;
  blinds.is_told = true;
  position_add(changes);
  kept_write(port, POSITION_BLOB, &percent, 1);
  log_number(port, "blinds at ", percent, "");
}

static int blinds_act(const struct command_body *order, struct changes *changes) {
  (void)changes;
  if (order->affordance == SHALLOT_CAPABILITY_STOP) return servo_stop(&blinds.servo);
  if (order->affordance != SHALLOT_CAPABILITY_POSITION) return SHALLOT_E_NO_SUCH_AFFORDANCE;
  servo_aim(&blinds.servo, order->value.number);
  blinds.is_told = false;
  return 0;
}

static void fault_tell(bool is_blocked, struct changes *changes) {
  uint8_t fault = is_blocked ? SHALLOT_FAULT_BLOCKED : SHALLOT_FAULT_NONE;
  if (fault == blinds.fault) return;
  blinds.fault = fault;
  changes_add(changes, SHALLOT_CAPABILITY_FAULT, fault);
}

static uint32_t blinds_tick(uint64_t now_ms, struct changes *changes) {
  bool was_moving = blinds.servo.is_moving;
  int outcome = servo_step(&blinds.servo, now_ms);
  if (was_moving) fault_tell(outcome < 0, changes);
  if (blinds.servo.is_moving) return SERVO_STEP_MS;
  if (!blinds.is_told) rest(changes);
  return IDLE_MS;
}

static void blinds_stand(struct changes *changes) {
  changes_add(changes, SHALLOT_CAPABILITY_FAULT, blinds.fault);
  if (blinds.servo.now_us != 0) position_add(changes);
}

static void blinds_link(bool is_up, uint64_t now_ms) {
  (void)now_ms;
  if (!is_up && blinds.servo.is_moving) servo_stop(&blinds.servo);
}

static const uint16_t affordances[] = {SHALLOT_CAPABILITY_POSITION, SHALLOT_CAPABILITY_STOP, SHALLOT_CAPABILITY_FAULT};

IN_FLASH(static const struct app app) = {
  .firmware = "blinds",
  .affordances = affordances,
  .affordances_count = sizeof affordances / sizeof affordances[0],
  .open = blinds_open,
  .act = blinds_act,
  .tick = blinds_tick,
  .stand = blinds_stand,
  .link = blinds_link,
};

int app_main(const struct port *port) { return device_run(port, &app); }
