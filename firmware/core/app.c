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

uint16_t app_properties(const struct app *app) {
  unsigned properties = 0;
  for (size_t i = 0; i < app->affordances_count; i++) {
    const struct capability *capability = capability_find(app->affordances[i]);
    if (capability != NULL && capability->is_property) properties |= 1u << i;
  }
  return (uint16_t)properties;
}

void app_read(const struct app *app, unsigned affordance, uint16_t which, struct changes *changes) {
  struct changes standing = {.count = 0};
  app->stand(&standing);
  for (size_t i = 0; i < app->affordances_count; i++) {
    bool is_wanted = (which >> i & 1) != 0 && (affordance == SHALLOT_AFFORDANCE_ALL || affordance == app->affordances[i]);
    for (size_t j = 0; is_wanted && j < standing.count; j++) {
      if (standing.list[j].affordance == app->affordances[i]) changes->list[changes->count++] = standing.list[j];
    }
  }
}

/* SPEC 4.14, of a read. */
static int read_judge(const struct app *app, const struct command_body *order) {
  const struct capability *capability = capability_find(order->affordance);
  bool is_property = capability != NULL && capability->is_property && app_has(app, order->affordance);
  if (order->affordance != SHALLOT_AFFORDANCE_ALL && !is_property) return SHALLOT_E_NO_SUCH_AFFORDANCE;
  return order->value.present ? SHALLOT_E_BAD_VALUE : 0;
}

int app_judge(const struct app *app, const struct command_body *order) {
  if (order->operation == SHALLOT_OPERATION_READ) return read_judge(app, order);
  const struct capability *capability = capability_find(order->affordance);
  if (capability == NULL || !app_has(app, order->affordance)) return SHALLOT_E_NO_SUCH_AFFORDANCE;
  bool is_write = order->operation == SHALLOT_OPERATION_WRITE;
  if (is_write != (capability->is_property != 0)) return SHALLOT_E_NO_SUCH_AFFORDANCE;
  if (is_write && !capability->is_writable) return SHALLOT_E_READ_ONLY;
  return value_fits(capability, &order->value) ? 0 : SHALLOT_E_BAD_VALUE;
}
