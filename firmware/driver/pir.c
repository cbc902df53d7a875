// SPDX-License-Identifier: GPL-3.0-or-later
#include "pir.h"

void pir_open(struct pir *pir, const struct port *port, int channel, uint32_t warm_ms, uint64_t now_ms) {
  *pir = (struct pir){.warm_ms = warm_ms, .hold_ms = PIR_HOLD_MS, .opened_ms = now_ms};
  pir->sensor = (struct debounced){.port = port, .channel = channel, .lasts_ms = PIR_LASTS_MS};
}

int pir_look(struct pir *pir, uint64_t now_ms) {
  int outcome = debounced_look(&pir->sensor, now_ms);
  if (outcome < 0) return outcome;
  if (!pir->sensor.is_known || now_ms - pir->opened_ms < pir->warm_ms) return DEBOUNCED_SAME;
  bool is_seen = pir->sensor.is_active;
  if (is_seen) pir->seen_ms = now_ms;
  bool is_motion = is_seen || (pir->is_motion && now_ms - pir->seen_ms < pir->hold_ms);
  if (pir->is_known && is_motion == pir->is_motion) return DEBOUNCED_SAME;
  pir->is_known = true;
  pir->is_motion = is_motion;
  return DEBOUNCED_CHANGED;
}
