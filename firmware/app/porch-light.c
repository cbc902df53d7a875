// SPDX-License-Identifier: GPL-3.0-or-later
/* A porch light: one dimmable lamp on output 1. It can be switched, dimmed, toggled, and made to blink to be found. */
#include "../core/device.h"
#include "../core/grants.h"
#include "../driver/dimmer.h"
#include "../../schemas/gen/c/shallot_capabilities.h"
#include "../wiring/gen/porch-light.h"

enum { LEVEL_FULL = 100, BLINK_MS = 500 };

static struct {
  struct dimmer lamp;
  bool is_on;
  int32_t level;
  uint32_t blinks_left; /* halves of a blink */
  uint64_t blink_due_ms;
} light;

static void light_open(const struct port *port) {
  light.lamp = (struct dimmer){port, LAMP_CHANNEL};
  light.level = LEVEL_FULL;
  dimmer_set(&light.lamp, 0);
}

static int light_show(bool is_lit) { return dimmer_set(&light.lamp, is_lit ? light.level : 0); }

static int light_switch(bool is_on, struct changes *changes) {
  int fault = light_show(is_on);
  if (fault) return fault;
  light.is_on = is_on;
  light.blinks_left = 0;
  changes_add(changes, SHALLOT_CAPABILITY_ON, is_on);
  return 0;
}

static int light_dim(int32_t level, struct changes *changes) {
  int32_t before = light.level;
  light.level = level;
  int fault = light.is_on ? light_show(true) : 0;
  if (fault) light.level = before;
  else changes_add(changes, SHALLOT_CAPABILITY_LEVEL, level);
  return fault;
}

static int light_identify(int32_t seconds) {
  light.blinks_left = (uint32_t)seconds * 1000 / BLINK_MS;
  light.blink_due_ms = 0;
  return 0;
}

static int light_act(const struct command_body *order, struct changes *changes) {
  switch (order->affordance) {
    case SHALLOT_CAPABILITY_ON: return light_switch(order->value.number != 0, changes);
    case SHALLOT_CAPABILITY_LEVEL: return light_dim(order->value.number, changes);
    case SHALLOT_CAPABILITY_TOGGLE: return light_switch(!light.is_on, changes);
    case SHALLOT_CAPABILITY_IDENTIFY: return light_identify(order->value.number);
    default: return SHALLOT_E_NO_SUCH_AFFORDANCE;
  }
}

/* Blinking ends as the lamp stood before. */
static uint32_t light_tick(uint64_t now_ms, struct changes *changes) {
  (void)changes;
  if (light.blinks_left == 0) return BLINK_MS;
  if (now_ms < light.blink_due_ms) return (uint32_t)(light.blink_due_ms - now_ms);
  light.blinks_left--;
  light.blink_due_ms = now_ms + BLINK_MS;
  light_show(light.blinks_left == 0 ? light.is_on : light.blinks_left % 2 == 0);
  return BLINK_MS;
}

static void light_stand(struct changes *changes) {
  changes_add(changes, SHALLOT_CAPABILITY_ON, light.is_on);
  changes_add(changes, SHALLOT_CAPABILITY_LEVEL, light.level);
}

static const uint16_t affordances[] = {SHALLOT_CAPABILITY_ON, SHALLOT_CAPABILITY_LEVEL, SHALLOT_CAPABILITY_TOGGLE,
                                       SHALLOT_CAPABILITY_IDENTIFY};

static struct grant grants[4];

IN_FLASH(static const struct app porch_light) = {
  .firmware = "porch-light",
  .affordances = affordances,
  .affordances_count = sizeof affordances / sizeof affordances[0],
  .open = light_open,
  .act = light_act,
  .tick = light_tick,
  .stand = light_stand,
  .grants = grants,
  .grants_max = sizeof grants / sizeof grants[0],
};

int app_main(const struct port *port) { return device_run(port, &porch_light); }
