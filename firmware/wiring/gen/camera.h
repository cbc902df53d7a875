// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/wiring.ts from firmware/wiring/camera.json. Do not edit.
#ifndef SHALLOT_WIRING_CAMERA_H
#define SHALLOT_WIRING_CAMERA_H

enum {
  LAMP_CHANNEL = 1, /* output, to lamp.IN */
};

#endif
