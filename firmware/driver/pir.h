// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A PIR motion sensor with a digital output, such as AM312 (high for about two seconds when something warm moves).
 * In: looks at its pin; out: motion, from the first sign of it until none was seen for `hold_ms`, so that a busy room is two reports and
 * not hundreds. What stays true: what it says in its first `warm_ms`, while its element settles, is not believed.
 */
#ifndef SHALLOT_PIR_H
#define SHALLOT_PIR_H

#include <stdbool.h>
#include <stdint.h>

#include "../port/port.h"
#include "debounced.h"

enum { PIR_LASTS_MS = 50, PIR_HOLD_MS = 10000 };

struct pir {
  struct debounced sensor; /* port, channel, lasts_ms */
  uint32_t warm_ms;
  uint32_t hold_ms;
  uint64_t opened_ms;
  uint64_t seen_ms;
  bool is_known;
  bool is_motion;
};

void pir_open(struct pir *pir, const struct port *port, int channel, uint32_t warm_ms, uint64_t now_ms);

/* DEBOUNCED_CHANGED when is_motion changed or became known, DEBOUNCED_SAME, or SHALLOT_E_DEVICE_FAULT. Look at least every PIR_LASTS_MS. */
int pir_look(struct pir *pir, uint64_t now_ms);

#endif
