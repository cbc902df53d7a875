// SPDX-License-Identifier: GPL-3.0-or-later
#include "rgb.h"

enum { PARTS = 3, PART_MOST = 255, LEVEL_MOST = 100, OUTPUT_MOST = 1000 };

static int32_t output_of(int32_t part, int32_t level) {
  int32_t most = PART_MOST * LEVEL_MOST;
  return (part * level * OUTPUT_MOST + most / 2) / most;
}

int rgb_open(const struct rgb *rgb) { return rgb_set(rgb, 0, 0); }

int rgb_set(const struct rgb *rgb, int32_t color, int32_t level) {
  int fault = 0;
  for (int i = 0; i < PARTS && fault == 0; i++) {
    int32_t part = color >> 8 * (PARTS - 1 - i) & PART_MOST;
    fault = rgb->port->output_set(rgb->first_channel + i, output_of(part, level));
  }
  for (int i = 0; i < PARTS && fault != 0; i++) rgb->port->output_set(rgb->first_channel + i, 0);
  return fault ? SHALLOT_E_DEVICE_FAULT : 0;
}
