// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A camera: an OV2640 that looks when it is told, and a lamp beside its lens. What it saw goes to the hub as a still (SPEC 19). It keeps one
 * picture at a time, takes none by itself, and says when its sensor cannot be believed.
 */
#include "../core/device.h"
#include "../core/grants.h"
#include "../core/line.h"
#include "../core/stills.h"
#include "../driver/dimmer.h"
#include "../driver/ov2640.h"
#include "../../schemas/gen/c/shallot_capabilities.h"
#include "../wiring/gen/camera.h"

enum { LAMP_FULL = 100, REOPEN_MS = 10000 };

static struct {
  struct ov2640 sensor;
  struct health health;
  struct dimmer lamp;
  bool is_lit;
  bool is_open;      /* the sensor answered as it should */
  uint32_t taken;    /* bytes of the latest picture, also when it has gone to the hub */
  uint64_t look_ms;  /* when a sensor that did not answer is asked again */
} camera;

static int picture_read(const void *from, uint32_t at, uint8_t *out, size_t size) {
  (void)from;
  return ov2640_read(&camera.sensor, at, out, size);
}

static void picture_drop(void) { ov2640_drop(&camera.sensor); }

static struct stills stills = {.read = picture_read, .drop = picture_drop, .affordance = SHALLOT_CAPABILITY_STILL};

static void camera_open(const struct port *port) {
  camera.lamp = (struct dimmer){port, LAMP_CHANNEL};
  dimmer_set(&camera.lamp, 0);
  camera.is_open = ov2640_open(&camera.sensor, port) == 0;
}

/* What came of one look at the sensor; its standing fault is told when it changes. */
static void look_judge(int fault, struct changes *changes) {
  if (!health_look(&camera.health, fault)) return;
  changes_add(changes, SHALLOT_CAPABILITY_FAULT, camera.health.standing);
  log_number(camera.sensor.port, "sensor fault ", camera.health.standing, "");
}

/* A sensor that was away may have lost what it was set to: it begins anew. */
static int sensor_wake(void) {
  if (!camera.is_open) camera.is_open = ov2640_open(&camera.sensor, camera.sensor.port) == 0;
  return camera.is_open ? 0 : SHALLOT_E_DEVICE_FAULT;
}

static int camera_look(uint64_t now_ms, struct changes *changes) {
  int code = sensor_wake();
  if (code == 0) code = ov2640_look(&camera.sensor, now_ms);
  if (code == SHALLOT_E_BUSY) return code;
  look_judge(camera.sensor.fault, changes);
  if (camera.sensor.fault == SHALLOT_FAULT_ABSENT) camera.is_open = false;
  if (code) return code;
  camera.taken = camera.sensor.size;
  changes->still_size = camera.sensor.size;
  changes_add(changes, SHALLOT_CAPABILITY_STILL, (int32_t)camera.taken);
  return 0;
}

static int lamp_switch(bool is_lit, struct changes *changes) {
  int fault = dimmer_set(&camera.lamp, is_lit ? LAMP_FULL : 0);
  if (fault) return fault;
  camera.is_lit = is_lit;
  changes_add(changes, SHALLOT_CAPABILITY_ON, is_lit);
  return 0;
}

static int camera_act(const struct command_body *order, struct changes *changes) {
  switch (order->affordance) {
    case SHALLOT_CAPABILITY_LOOK: return camera_look(camera.sensor.port->now_ms(), changes);
    case SHALLOT_CAPABILITY_ON: return lamp_switch(order->value.number != 0, changes);
    default: return SHALLOT_E_NO_SUCH_AFFORDANCE;
  }
}

static uint32_t camera_tick(uint64_t now_ms, struct changes *changes) {
  if (camera.is_open) return REOPEN_MS;
  if (now_ms < camera.look_ms) return (uint32_t)(camera.look_ms - now_ms);
  camera.look_ms = now_ms + REOPEN_MS;
  sensor_wake();
  look_judge(camera.sensor.fault, changes);
  return REOPEN_MS;
}

static void camera_stand(struct changes *changes) {
  changes_add(changes, SHALLOT_CAPABILITY_ON, camera.is_lit);
  changes_add(changes, SHALLOT_CAPABILITY_STILL, (int32_t)camera.taken);
  changes_add(changes, SHALLOT_CAPABILITY_FAULT, camera.health.standing);
}

static const uint16_t affordances[] = {SHALLOT_CAPABILITY_STILL, SHALLOT_CAPABILITY_LOOK, SHALLOT_CAPABILITY_ON, SHALLOT_CAPABILITY_FAULT};

static struct grant grants[4];

IN_FLASH(static const struct app app) = {
  .firmware = "camera",
  .affordances = affordances,
  .affordances_count = sizeof affordances / sizeof affordances[0],
  .open = camera_open,
  .act = camera_act,
  .tick = camera_tick,
  .stand = camera_stand,
  .grants = grants,
  .grants_max = sizeof grants / sizeof grants[0],
  .stills = &stills,
};

int app_main(const struct port *port) { return device_run(port, &app); }
