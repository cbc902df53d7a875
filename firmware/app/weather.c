// SPDX-License-Identifier: GPL-3.0-or-later
/* A weather sensor: an SHT3x on the I2C bus. It reports once a minute, sooner when the weather changes, and at once when it cannot be believed. */
#include "../core/device.h"
#include "../core/line.h"
#include "../driver/sht3x.h"
#include "../../schemas/gen/c/shallot_capabilities.h"

enum {
  LOOK_MS = 1000,
  REPORT_MS = 60000,
  TEMPERATURE_STEP = 20, /* 0.2 Cel */
  HUMIDITY_STEP = 100    /* 1 %RH */
};

static struct {
  struct sht3x sensor;
  struct climate reported;
  uint64_t report_due_ms; /* 0: nothing was reported yet */
} station;

static void weather_open(const struct port *port) { station.sensor = (struct sht3x){.port = port, .address = SHT3X_ADDRESS}; }

static int weather_act(const struct command_body *order, struct changes *changes) {
  (void)order;
  (void)changes;
  return SHALLOT_E_NO_SUCH_AFFORDANCE;
}

static bool differs(int32_t a, int32_t b, int32_t step) { return a - b >= step || b - a >= step; }

static bool is_worth_telling(const struct climate *now, uint64_t now_ms) {
  if (now_ms >= station.report_due_ms) return true;
  return differs(now->temperature, station.reported.temperature, TEMPERATURE_STEP) ||
         differs(now->humidity, station.reported.humidity, HUMIDITY_STEP);
}

static void climate_add(struct changes *changes) {
  changes_add(changes, SHALLOT_CAPABILITY_TEMPERATURE, station.reported.temperature);
  changes_add(changes, SHALLOT_CAPABILITY_HUMIDITY, station.reported.humidity);
}

static void fault_add(struct changes *changes) { changes_add(changes, SHALLOT_CAPABILITY_FAULT, station.sensor.health.standing); }

static uint32_t weather_tick(uint64_t now_ms, struct changes *changes) {
  struct climate now;
  int fault = sht3x_read(&station.sensor, &now);
  if (health_look(&station.sensor.health, fault)) {
    fault_add(changes);
    log_number(station.sensor.port, "sensor fault ", station.sensor.health.standing, "");
  }
  if (fault || !is_worth_telling(&now, now_ms)) return LOOK_MS;
  station.reported = now;
  station.report_due_ms = now_ms + REPORT_MS;
  climate_add(changes);
  return LOOK_MS;
}

/* What was measured before a fault is no longer how things stand. */
static void weather_stand(struct changes *changes) {
  fault_add(changes);
  if (station.report_due_ms != 0 && station.sensor.health.standing == SHALLOT_FAULT_NONE) climate_add(changes);
}

static const uint16_t affordances[] = {SHALLOT_CAPABILITY_TEMPERATURE, SHALLOT_CAPABILITY_HUMIDITY, SHALLOT_CAPABILITY_FAULT};

IN_FLASH(static const struct app weather) = {
  .firmware = "weather",
  .affordances = affordances,
  .affordances_count = sizeof affordances / sizeof affordances[0],
  .open = weather_open,
  .act = weather_act,
  .tick = weather_tick,
  .stand = weather_stand,
};

int app_main(const struct port *port) { return device_run(port, &weather); }
