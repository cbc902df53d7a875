// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/wiring.ts from firmware/wiring/blinds.json. Do not edit.
#ifndef SHALLOT_WIRING_BLINDS_H
#define SHALLOT_WIRING_BLINDS_H

enum {
  SERVO_CHANNEL = 1, /* pulse, to servo.signal */
};

#endif
