// SPDX-License-Identifier: GPL-3.0-or-later
#include "app.h"

#include "../../schemas/gen/c/shallot_capabilities.h"
#include "../../schemas/gen/c/shallot_codes.h"

enum { TYPE_NONE, TYPE_BOOLEAN, TYPE_INTEGER };

/* Whole words, because the table lies in flash. */
struct capability {
  uint32_t number;
  uint32_t is_property;
  uint32_t type;
  int32_t least;
  int32_t most;
  uint32_t is_writable;
};

#define CAPABILITY_ROW(number, is_property, type, least, most, is_writable) {number, is_property, type, least, most, is_writable},

IN_FLASH(static const struct capability capabilities[]) = {SHALLOT_CAPABILITY_TABLE(CAPABILITY_ROW)};

static const struct capability *capability_find(unsigned affordance) {
  for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
    if (capabilities[i].number == (affordance & 0xff)) return &capabilities[i];
  }
  return NULL;
}

static bool app_has(const struct app *app, unsigned affordance) {
  for (size_t i = 0; i < app->affordances_count; i++) {
    if (app->affordances[i] == affordance) return true;
  }
  return false;
}

void changes_add(struct changes *changes, unsigned affordance, int32_t number) {
  const struct capability *capability = capability_find(affordance);
  if (capability == NULL || changes->count == SHALLOT_VALUES_PER_READING_MAX) return;
  struct sample sample = {0, number, (uint16_t)affordance, capability->type == TYPE_BOOLEAN};
  changes->list[changes->count++] = sample;
}

static bool value_fits(const struct capability *capability, const struct value *value) {
  if (capability->type == TYPE_NONE || !value->present) return !value->present && capability->type == TYPE_NONE;
  if (value->is_boolean != (capability->type == TYPE_BOOLEAN)) return false;
  return value->number >= capability->least && value->number <= capability->most;
}

int app_judge(const struct app *app, const struct command_body *order) {
  const struct capability *capability = capability_find(order->affordance);
  if (capability == NULL || !app_has(app, order->affordance)) return SHALLOT_E_NO_SUCH_AFFORDANCE;
  bool is_write = order->operation == SHALLOT_OPERATION_WRITE;
  if (is_write != (capability->is_property != 0)) return SHALLOT_E_NO_SUCH_AFFORDANCE;
  if (is_write && !capability->is_writable) return SHALLOT_E_READ_ONLY;
  return value_fits(capability, &order->value) ? 0 : SHALLOT_E_BAD_VALUE;
}
