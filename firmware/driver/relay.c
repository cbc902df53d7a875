// SPDX-License-Identifier: GPL-3.0-or-later
#include "relay.h"

#include "../core/line.h"

enum { FULL = 1000 };

static int relay_drive(struct relay *relay, bool is_on) {
  if (relay->port->output_set(relay->channel, is_on ? FULL : 0) != 0) return SHALLOT_E_DEVICE_FAULT;
  relay->is_on = is_on;
  log_number(relay->port, "relay ", relay->channel, is_on ? " on" : " off");
  return 0;
}

int relay_open(struct relay *relay) {
  relay->rests_until_ms = 0;
  return relay_drive(relay, false);
}

int relay_off(struct relay *relay, uint64_t now_ms) {
  if (!relay->is_on) return 0;
  relay->rests_until_ms = now_ms + relay->rest_ms;
  return relay_drive(relay, false);
}

int relay_set(struct relay *relay, bool is_on, uint64_t now_ms) {
  if (is_on == relay->is_on) return 0;
  if (now_ms < relay->rests_until_ms) return SHALLOT_E_BUSY;
  relay->rests_until_ms = now_ms + relay->rest_ms;
  return relay_drive(relay, is_on);
}
