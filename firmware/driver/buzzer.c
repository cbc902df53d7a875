// SPDX-License-Identifier: GPL-3.0-or-later
#include "buzzer.h"

static int tone(const struct buzzer *buzzer, int is_on) {
  uint16_t high_us = is_on ? buzzer->period_us / 2 : 0;
  return buzzer->port->pulse_set(buzzer->channel, buzzer->period_us, high_us) == 0 ? 0 : SHALLOT_E_DEVICE_FAULT;
}

int buzzer_open(struct buzzer *buzzer) {
  buzzer->beats_left = 0;
  return tone(buzzer, 0);
}

void buzzer_sound(struct buzzer *buzzer, int32_t seconds) {
  buzzer->beats_left = (uint32_t)seconds * 1000 / BUZZER_BEAT_MS;
  buzzer->due_ms = 0;
}

/* The last beat is a silent one. */
int buzzer_step(struct buzzer *buzzer, uint64_t now_ms) {
  if (buzzer->beats_left == 0 || now_ms < buzzer->due_ms) return 0;
  buzzer->beats_left--;
  buzzer->due_ms = now_ms + BUZZER_BEAT_MS;
  if (tone(buzzer, buzzer->beats_left % 2) == 0) return 0;
  buzzer_open(buzzer);
  return SHALLOT_E_DEVICE_FAULT;
}
