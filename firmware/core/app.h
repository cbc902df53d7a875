// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What one product declares (SPEC 4.13, 4.14): what it is called, which affordances it has, and what they do.
 * In: orders that were judged, and time; out: values that changed. An app sees port.h for its pins and nothing of keys, envelopes or links.
 */
#ifndef SHALLOT_APP_H
#define SHALLOT_APP_H

#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "claims.h"
#include "../../schemas/gen/c/shallot_wire.h"

/* Values that changed, in order; at most one reading's worth. Times are filled in by the session. */
struct changes {
  struct sample list[SHALLOT_VALUES_PER_READING_MAX];
  size_t count;
  /* What somebody who stood before the device had done by the way (SPEC 12.8): SHALLOT_ACT_..., 0: nothing. */
  uint8_t act_source;
  uint16_t act_affordance;
  uint32_t still_size; /* of the picture that was taken, in bytes; it is read by app->stills. 0: none was */
};

struct grant;
struct keycodes;
struct stills;

struct app {
  const char *firmware; /* its name; with the version of core/image.h at most SHALLOT_LABEL_BYTES_MAX characters */
  const uint16_t *affordances;
  size_t affordances_count; /* 1 to SHALLOT_AFFORDANCES_MAX */
  /* Called once, before anything else. */
  void (*open)(const struct port *port);
  /* One order that is known to fit: 0, SHALLOT_E_DEVICE_FAULT or SHALLOT_E_BUSY. Adds what changed. */
  int (*act)(const struct command_body *order, struct changes *changes);
  /* Time passes; adds what changed. Returns in how many milliseconds it wants to be called again, at most. */
  uint32_t (*tick)(uint64_t now_ms, struct changes *changes);
  /* Adds how every property stands, for a hub that may not know. */
  void (*stand)(struct changes *changes);
  /* The hub's welcome came, or its link is gone. NULL: this app does the same either way. */
  void (*link)(bool is_up, uint64_t now_ms);
  /* Time passes while nothing can be told or asked, in a handshake: only what cannot wait. NULL: nothing is so urgent. */
  void (*mind)(uint64_t now_ms);
  /* The room for grants that this product gives (core/grants.h), and for codes on a keypad (core/keycodes.h). NULL, 0: it takes none. */
  struct grant *grants;
  uint32_t grants_max;
  struct keycodes *codes;
  struct stills *stills; /* of a camera (core/stills.h). NULL: it takes no pictures */
};

/* Adds one value, of the kind its capability has; beyond the last place nothing happens. */
void changes_add(struct changes *changes, unsigned affordance, int32_t number);

/* Which of an app's affordances are properties: bit i for its affordance i. */
uint16_t app_properties(const struct app *app);

/* Adds how properties stand, in the app's order: of those in `which` the one with this affordance, or all for SHALLOT_AFFORDANCE_ALL. */
void app_read(const struct app *app, unsigned affordance, uint16_t which, struct changes *changes);

/* Whether an order fits this app: 0, SHALLOT_E_NO_SUCH_AFFORDANCE, SHALLOT_E_READ_ONLY or SHALLOT_E_BAD_VALUE (SPEC 4.14). */
int app_judge(const struct app *app, const struct command_body *order);

#endif
