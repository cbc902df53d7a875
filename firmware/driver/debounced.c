// SPDX-License-Identifier: GPL-3.0-or-later
#include "debounced.h"

int debounced_look(struct debounced *contact, uint64_t now_ms) {
  int level = contact->port->pin_read(contact->channel);
  if (level < 0) return SHALLOT_E_DEVICE_FAULT;
  bool is_active = (level == 1) != contact->is_active_low;
  if (is_active != contact->is_seen || contact->seen_since_ms == 0) {
    contact->is_seen = is_active;
    contact->seen_since_ms = now_ms;
  }
  bool is_told = contact->is_known && contact->is_active == is_active;
  if (is_told || now_ms - contact->seen_since_ms < contact->lasts_ms) return DEBOUNCED_SAME;
  contact->is_known = true;
  contact->is_active = is_active;
  return DEBOUNCED_CHANGED;
}
