// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/wiring.ts from firmware/wiring/porch-light.json. Do not edit.
#ifndef SHALLOT_WIRING_PORCH_LIGHT_H
#define SHALLOT_WIRING_PORCH_LIGHT_H

enum {
  LAMP_CHANNEL = 1, /* output, to switch.IN */
};

#endif
