// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A thermostat: a DS18B20 on the 1-Wire line 1, a burner's relay on output 2. It holds its target by itself, with or without a hub, over restarts.
 * Safe states: the relay is off from the start, while the temperature is not known, and while the sensor cannot be believed.
 */
#include "../core/device.h"
#include "../core/kept.h"
#include "../core/line.h"
#include "../driver/ds18b20.h"
#include "../driver/relay.h"
#include "../../schemas/gen/c/shallot_capabilities.h"
#include "../wiring/gen/thermostat.h"

enum {
  LOOK_MS = 1000,
  REPORT_MS = 60000,
  STEP = 20,       /* 0.2 Cel: worth telling */
  HYSTERESIS = 25, /* 0.25 Cel on either side of the target */
  REST_MS = 5000,
  TARGET_FIRST = 2000
};

static const char TARGET_BLOB[] = "target";

static struct {
  const struct port *port;
  struct ds18b20 sensor;
  struct relay burner;
  int32_t target;
  int32_t reported;
  uint64_t report_due_ms; /* 0: nothing was reported yet */
} thermostat;

static bool is_target(int32_t target) { return target >= SHALLOT_CAPABILITY_SETPOINT_MIN && target <= SHALLOT_CAPABILITY_SETPOINT_MAX; }

/* A damaged blob is the first target again: warm enough, and never more than that. */
static int32_t target_load(const struct port *port) {
  uint8_t bytes[2];
  bool is_whole = kept_read(port, TARGET_BLOB, bytes, sizeof bytes) == (int)sizeof bytes;
  int32_t target = is_whole ? bytes[0] << 8 | bytes[1] : TARGET_FIRST;
  return is_target(target) ? target : TARGET_FIRST;
}

static void thermostat_open(const struct port *port) {
  thermostat.port = port;
  thermostat.sensor = (struct ds18b20){.port = port, .channel = SENSOR_CHANNEL};
  thermostat.burner = (struct relay){.port = port, .channel = RELAY_CHANNEL, .rest_ms = REST_MS};
  thermostat.target = target_load(port);
  relay_open(&thermostat.burner);
}

static int thermostat_act(const struct command_body *order, struct changes *changes) {
  int32_t target = order->value.number;
  uint8_t bytes[] = {(uint8_t)(target >> 8), (uint8_t)target};
  if (order->affordance != SHALLOT_CAPABILITY_SETPOINT) return SHALLOT_E_NO_SUCH_AFFORDANCE;
  if (target != thermostat.target && kept_write(thermostat.port, TARGET_BLOB, bytes, sizeof bytes) != 0) return SHALLOT_E_DEVICE_FAULT;
  thermostat.target = target;
  changes_add(changes, SHALLOT_CAPABILITY_SETPOINT, target);
  return 0;
}

static void heat(bool is_on, uint64_t now_ms, struct changes *changes) {
  bool was_on = thermostat.burner.is_on;
  if (is_on) relay_set(&thermostat.burner, true, now_ms);
  else relay_off(&thermostat.burner, now_ms);
  if (thermostat.burner.is_on != was_on) changes_add(changes, SHALLOT_CAPABILITY_HEATING, thermostat.burner.is_on);
}

static void regulate(int32_t temperature, uint64_t now_ms, struct changes *changes) {
  if (temperature <= thermostat.target - HYSTERESIS) heat(true, now_ms, changes);
  if (temperature >= thermostat.target + HYSTERESIS) heat(false, now_ms, changes);
}

static void temperature_tell(int32_t temperature, uint64_t now_ms, struct changes *changes) {
  int32_t moved = temperature - thermostat.reported;
  if (now_ms < thermostat.report_due_ms && moved < STEP && -moved < STEP) return;
  thermostat.reported = temperature;
  thermostat.report_due_ms = now_ms + REPORT_MS;
  changes_add(changes, SHALLOT_CAPABILITY_TEMPERATURE, temperature);
}

static uint32_t thermostat_tick(uint64_t now_ms, struct changes *changes) {
  struct health *health = &thermostat.sensor.health;
  int32_t temperature;
  int fault = ds18b20_read(&thermostat.sensor, now_ms, &temperature);
  if (fault == DS18B20_WAIT) return LOOK_MS;
  if (health_look(health, fault)) {
    changes_add(changes, SHALLOT_CAPABILITY_FAULT, health->standing);
    log_number(thermostat.port, "sensor fault ", health->standing, "");
  }
  if (health->standing != SHALLOT_FAULT_NONE) heat(false, now_ms, changes);
  if (fault) return LOOK_MS;
  regulate(temperature, now_ms, changes);
  temperature_tell(temperature, now_ms, changes);
  return LOOK_MS;
}

static void thermostat_stand(struct changes *changes) {
  changes_add(changes, SHALLOT_CAPABILITY_SETPOINT, thermostat.target);
  changes_add(changes, SHALLOT_CAPABILITY_HEATING, thermostat.burner.is_on);
  changes_add(changes, SHALLOT_CAPABILITY_FAULT, thermostat.sensor.health.standing);
  bool is_believed = thermostat.sensor.health.standing == SHALLOT_FAULT_NONE;
  if (is_believed && thermostat.report_due_ms != 0) changes_add(changes, SHALLOT_CAPABILITY_TEMPERATURE, thermostat.reported);
}

static const uint16_t affordances[] = {SHALLOT_CAPABILITY_TEMPERATURE, SHALLOT_CAPABILITY_SETPOINT, SHALLOT_CAPABILITY_HEATING,
                                       SHALLOT_CAPABILITY_FAULT};

IN_FLASH(static const struct app app) = {
  .firmware = "thermostat",
  .affordances = affordances,
  .affordances_count = sizeof affordances / sizeof affordances[0],
  .open = thermostat_open,
  .act = thermostat_act,
  .tick = thermostat_tick,
  .stand = thermostat_stand,
};

int app_main(const struct port *port) { return device_run(port, &app); }
