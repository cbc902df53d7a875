// SPDX-License-Identifier: GPL-3.0-or-later
/* A passive buzzer on one output: a tone for a time, half a second on and half off. Silent at the start, on a fault, and after its time. */
#ifndef SHALLOT_BUZZER_H
#define SHALLOT_BUZZER_H

#include <stdint.h>

#include "../port/port.h"

enum { BUZZER_BEAT_MS = 500 };

struct buzzer {
  const struct port *port;
  int channel;
  uint16_t period_us; /* 250 is 4 kHz */
  uint32_t beats_left;
  uint64_t due_ms;
};

/* 0 or SHALLOT_E_DEVICE_FAULT. */
int buzzer_open(struct buzzer *buzzer);
void buzzer_sound(struct buzzer *buzzer, int32_t seconds);
/* Time passes. 0 or SHALLOT_E_DEVICE_FAULT: it was silenced. */
int buzzer_step(struct buzzer *buzzer, uint64_t now_ms);

#endif
