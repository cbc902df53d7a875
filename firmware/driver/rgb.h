// SPDX-License-Identifier: GPL-3.0-or-later
/* A light of three dimmable outputs in a row: red, green, blue. In: a colour 0xRRGGBB and a level in per cent. */
#ifndef SHALLOT_RGB_H
#define SHALLOT_RGB_H

#include <stdint.h>

#include "../port/port.h"

struct rgb {
  const struct port *port;
  int first_channel;
};

/* Dark. 0 or SHALLOT_E_DEVICE_FAULT. */
int rgb_open(const struct rgb *rgb);

/* level: 0 to 100. 0, or SHALLOT_E_DEVICE_FAULT; then all three were told to be dark. */
int rgb_set(const struct rgb *rgb, int32_t color, int32_t level);

#endif
