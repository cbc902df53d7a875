// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What goes on in a room: a BME280 on the I2C bus, a DHT22 on line 2 for a second place, a motion sensor on input 3, a door contact on input 4
 * (a switch to ground, which the closed door closes). Contacts are told at once, the air once a minute and when it changes.
 */
#include "../core/device.h"
#include "../driver/bme280.h"
#include "../driver/debounced.h"
#include "../driver/dht22.h"
#include "../driver/pir.h"
#include "../../schemas/gen/c/shallot_capabilities.h"
#include "../wiring/gen/room.h"

enum {
  LOOK_MS = 50,
  AIR_MS = 2000, /* a DHT22 needs as long between two looks */
  REPORT_MS = 60000,
  BOUNCE_MS = 50,
  TEMPERATURE_STEP = 20,
  SECOND = 256 /* of the second place, SPEC 4.13 */
};

static struct {
  struct bme280 air;
  struct dht22 other;
  struct health other_health;
  struct pir motion;
  struct debounced door;
  struct air told; /* as last reported */
  int32_t other_temperature, other_humidity;
  uint64_t report_due_ms, other_due_ms; /* 0: nothing was reported yet */
  uint64_t air_due_ms;
} room;

static void room_open(const struct port *port) {
  room.air = (struct bme280){.port = port, .address = BME280_ADDRESS};
  room.other = (struct dht22){port, DHT22_CHANNEL};
  /* What it says while it settles is told: in a room that nobody watches yet it costs nothing. */
  pir_open(&room.motion, port, MOTION_CHANNEL, 0, port->now_ms());
  room.door = (struct debounced){.port = port, .channel = DOOR_CHANNEL, .lasts_ms = BOUNCE_MS, .is_active_low = true};
}

static int room_act(const struct command_body *order, struct changes *changes) {
  (void)order;
  (void)changes;
  return SHALLOT_E_NO_SUCH_AFFORDANCE;
}

static bool is_due(uint64_t *due_ms, int32_t moved, uint64_t now_ms) {
  if (now_ms < *due_ms && moved < TEMPERATURE_STEP && -moved < TEMPERATURE_STEP) return false;
  *due_ms = now_ms + REPORT_MS;
  return true;
}

static void air_add(struct changes *changes) {
  changes_add(changes, SHALLOT_CAPABILITY_TEMPERATURE, room.told.temperature);
  changes_add(changes, SHALLOT_CAPABILITY_HUMIDITY, room.told.humidity);
  changes_add(changes, SHALLOT_CAPABILITY_PRESSURE, room.told.pressure);
}

static void other_add(struct changes *changes) {
  changes_add(changes, SECOND + SHALLOT_CAPABILITY_TEMPERATURE, room.other_temperature);
  changes_add(changes, SECOND + SHALLOT_CAPABILITY_HUMIDITY, room.other_humidity);
}

static void air_look(uint64_t now_ms, struct changes *changes) {
  struct air air;
  int fault = bme280_read(&room.air, &air);
  if (health_look(&room.air.health, fault)) changes_add(changes, SHALLOT_CAPABILITY_FAULT, room.air.health.standing);
  if (fault || !is_due(&room.report_due_ms, air.temperature - room.told.temperature, now_ms)) return;
  room.told = air;
  air_add(changes);
}

static void other_look(uint64_t now_ms, struct changes *changes) {
  int32_t temperature, humidity;
  int fault = dht22_read(&room.other, &temperature, &humidity);
  if (health_look(&room.other_health, fault)) changes_add(changes, SECOND + SHALLOT_CAPABILITY_FAULT, room.other_health.standing);
  if (fault || !is_due(&room.other_due_ms, temperature - room.other_temperature, now_ms)) return;
  room.other_temperature = temperature;
  room.other_humidity = humidity;
  other_add(changes);
}

static uint32_t room_tick(uint64_t now_ms, struct changes *changes) {
  if (pir_look(&room.motion, now_ms) == DEBOUNCED_CHANGED) changes_add(changes, SHALLOT_CAPABILITY_MOTION, room.motion.is_motion);
  if (debounced_look(&room.door, now_ms) == DEBOUNCED_CHANGED) changes_add(changes, SHALLOT_CAPABILITY_CLOSED, room.door.is_active);
  if (now_ms < room.air_due_ms) return LOOK_MS;
  room.air_due_ms = now_ms + AIR_MS;
  air_look(now_ms, changes);
  other_look(now_ms, changes);
  return LOOK_MS;
}

static void room_stand(struct changes *changes) {
  changes_add(changes, SHALLOT_CAPABILITY_FAULT, room.air.health.standing);
  changes_add(changes, SECOND + SHALLOT_CAPABILITY_FAULT, room.other_health.standing);
  if (room.motion.is_known) changes_add(changes, SHALLOT_CAPABILITY_MOTION, room.motion.is_motion);
  if (room.door.is_known) changes_add(changes, SHALLOT_CAPABILITY_CLOSED, room.door.is_active);
  if (room.report_due_ms != 0 && room.air.health.standing == SHALLOT_FAULT_NONE) air_add(changes);
  if (room.other_due_ms != 0 && room.other_health.standing == SHALLOT_FAULT_NONE) other_add(changes);
}

static const uint16_t affordances[] = {SHALLOT_CAPABILITY_TEMPERATURE, SHALLOT_CAPABILITY_HUMIDITY, SHALLOT_CAPABILITY_PRESSURE,
                                       SHALLOT_CAPABILITY_MOTION, SHALLOT_CAPABILITY_CLOSED, SHALLOT_CAPABILITY_FAULT,
                                       SECOND + SHALLOT_CAPABILITY_TEMPERATURE, SECOND + SHALLOT_CAPABILITY_HUMIDITY,
                                       SECOND + SHALLOT_CAPABILITY_FAULT};

IN_FLASH(static const struct app app) = {
  .firmware = "room",
  .affordances = affordances,
  .affordances_count = sizeof affordances / sizeof affordances[0],
  .open = room_open,
  .act = room_act,
  .tick = room_tick,
  .stand = room_stand,
};

int app_main(const struct port *port) { return device_run(port, &app); }
