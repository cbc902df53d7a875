// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A front door: a lock on output 1, its bolt's switch on input 1 (1: locked), a door contact on input 2 (1: closed), a button inside on
 * input 3 (1: pressed), and a Wiegand keypad outside. Whoever may invoke `unlock` opens it, and whoever knows a code that may; the button
 * opens it for everybody inside. It locks again by itself, and at once when the door was opened and closes.
 * Safe states: as lock.h says; an input that cannot be read opens nothing.
 */
#include "../core/device.h"
#include "../core/grants.h"
#include "../core/kept.h"
#include "../core/keycodes.h"
#include "../driver/debounced.h"
#include "../driver/keypad.h"
#include "../driver/lock.h"
#include "../../schemas/gen/c/shallot_capabilities.h"
#include "../wiring/gen/front-door.h"

enum {
  LOOK_MS = 20,
  BOUNCE_MS = 40,
  OPEN_S = 5, /* for a code or the button */
  MS = 1000
};

static const char DOOR_BLOB[] = "door";

/* How every property stands, as 0 or 1. */
enum { UNKNOWN = -1 };
struct standing {
  int8_t is_locked;
  int8_t is_closed;
  int8_t is_fail_safe;
  int8_t is_keypad_locked;
  int8_t is_jammed;
};

static struct keycodes codes;
static struct grant grants[6];

static struct {
  const struct port *port;
  struct lock lock;
  struct debounced door;   /* active: closed */
  struct debounced button; /* active: pressed */
  struct keypad keypad;
  struct standing told; /* to the hub */
  bool was_opened; /* since it was unlocked */
  bool is_button_untold;
} house;

/* ---- fail safe or fail secure, on flash ---- */

static bool fail_safe_load(const struct port *port) {
  uint8_t is_fail_safe = 0;
  return kept_read(port, DOOR_BLOB, &is_fail_safe, 1) == 1 && is_fail_safe == 1;
}

/* On flash first: a lock that fails otherwise than was answered would be worse than one that does not change. */
static int fail_safe_set(bool is_fail_safe, uint64_t now_ms) {
  uint8_t byte = is_fail_safe;
  if (kept_write(house.port, DOOR_BLOB, &byte, 1) != 0) return SHALLOT_E_DEVICE_FAULT;
  return lock_set_fail_safe(&house.lock, is_fail_safe, now_ms);
}

/* ---- the door ---- */

static void door_open(const struct port *port) {
  uint64_t now_ms = port->now_ms();
  house.port = port;
  lock_open(&house.lock, port, LOCK_OUTPUT, BOLT_CHANNEL, fail_safe_load(port), now_ms);
  house.door = (struct debounced){.port = port, .channel = DOOR_CHANNEL, .lasts_ms = BOUNCE_MS};
  house.button = (struct debounced){.port = port, .channel = BUTTON_CHANNEL, .lasts_ms = BOUNCE_MS};
  keypad_open(&house.keypad, port);
}

static int door_unlock(int32_t seconds, uint64_t now_ms) {
  house.was_opened = house.door.is_known && !house.door.is_active;
  return lock_release(&house.lock, (uint32_t)seconds * MS, now_ms);
}

static void door_watch(uint64_t now_ms) {
  if (debounced_look(&house.door, now_ms) != DEBOUNCED_CHANGED) return;
  if (!house.door.is_active) house.was_opened = true;
  else if (house.was_opened && house.lock.is_open) lock_secure(&house.lock, now_ms);
}

static void door_mind(uint64_t now_ms) {
  door_watch(now_ms);
  if (debounced_look(&house.button, now_ms) == DEBOUNCED_CHANGED && house.button.is_active) {
    door_unlock(OPEN_S, now_ms);
    house.is_button_untold = true;
  }
  lock_mind(&house.lock, now_ms);
}

static int door_act(const struct command_body *order, struct changes *changes) {
  uint64_t now_ms = house.port->now_ms();
  (void)changes;
  switch (order->affordance) {
    case SHALLOT_CAPABILITY_UNLOCK: return door_unlock(order->value.number, now_ms);
    case SHALLOT_CAPABILITY_LOCK: return lock_secure(&house.lock, now_ms);
    case SHALLOT_CAPABILITY_FAIL_SAFE: return fail_safe_set(order->value.number != 0, now_ms);
    default: return SHALLOT_E_NO_SUCH_AFFORDANCE;
  }
}

/* ---- what is told ---- */

static int8_t known(const struct debounced *contact) { return contact->is_known ? contact->is_active : UNKNOWN; }

static struct standing standing_now(uint64_t now_ms) {
  return (struct standing){known(&house.lock.bolt), known(&house.door), house.lock.is_fail_safe, keycodes_wait_ms(&codes, now_ms) > 0,
                           house.lock.is_jammed};
}

static void tell(struct changes *changes, unsigned affordance, int8_t told, int8_t now) {
  if (now != told && now != UNKNOWN) changes_add(changes, affordance, now);
}

/* What is other than it was told, and how all stands. */
static struct standing changes_tell(struct changes *changes, const struct standing *told, uint64_t now_ms) {
  struct standing now = standing_now(now_ms);
  tell(changes, SHALLOT_CAPABILITY_LOCKED, told->is_locked, now.is_locked);
  tell(changes, SHALLOT_CAPABILITY_CLOSED, told->is_closed, now.is_closed);
  tell(changes, SHALLOT_CAPABILITY_FAIL_SAFE, told->is_fail_safe, now.is_fail_safe);
  tell(changes, SHALLOT_CAPABILITY_KEYPAD_LOCKED, told->is_keypad_locked, now.is_keypad_locked);
  tell(changes, SHALLOT_CAPABILITY_JAMMED, told->is_jammed, now.is_jammed);
  return now;
}

static void keypad_watch(uint64_t now_ms) {
  size_t size = keypad_look(&house.keypad, now_ms);
  if (size == 0) return;
  keycodes_type(&codes, house.keypad.digits, size, SHALLOT_CAPABILITY_UNLOCK, OPEN_S, now_ms);
  keypad_clear(&house.keypad);
}

static uint32_t door_tick(uint64_t now_ms, struct changes *changes) {
  door_mind(now_ms);
  keypad_watch(now_ms);
  house.told = changes_tell(changes, &house.told, now_ms);
  if (house.is_button_untold) {
    changes->act_source = SHALLOT_ACT_BUTTON;
    changes->act_affordance = SHALLOT_CAPABILITY_UNLOCK;
    house.is_button_untold = false;
  }
  return LOOK_MS;
}

/* For whoever asks, who may be somebody else than the hub: it is still to be told what has changed. */
static void door_stand(struct changes *changes) {
  static const struct standing nothing = {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};
  changes_tell(changes, &nothing, house.port->now_ms());
}

static void door_link(bool is_heard, uint64_t now_ms) { lock_hub(&house.lock, is_heard, now_ms); }

static const uint16_t affordances[] = {SHALLOT_CAPABILITY_LOCKED, SHALLOT_CAPABILITY_CLOSED,        SHALLOT_CAPABILITY_UNLOCK,
                                       SHALLOT_CAPABILITY_LOCK,   SHALLOT_CAPABILITY_FAIL_SAFE,     SHALLOT_CAPABILITY_KEYPAD_LOCKED,
                                       SHALLOT_CAPABILITY_JAMMED};

IN_FLASH(static const struct app front_door) = {
  .firmware = "front-door",
  .affordances = affordances,
  .affordances_count = sizeof affordances / sizeof affordances[0],
  .open = door_open,
  .act = door_act,
  .tick = door_tick,
  .stand = door_stand,
  .mind = door_mind,
  .link = door_link,
  .grants = grants,
  .grants_max = sizeof grants / sizeof grants[0],
  .codes = &codes,
};

int app_main(const struct port *port) { return device_run(port, &front_door); }
