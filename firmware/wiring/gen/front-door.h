// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/wiring.ts from firmware/wiring/front-door.json. Do not edit.
#ifndef SHALLOT_WIRING_FRONT_DOOR_H
#define SHALLOT_WIRING_FRONT_DOOR_H

enum {
  LOCK_OUTPUT = 1, /* output, to switch.IN */
  BOLT_CHANNEL = 1, /* input, to bolt.B */
  DOOR_CHANNEL = 2, /* input, to door.B */
  BUTTON_CHANNEL = 3, /* input, to button.B */
};

#endif
