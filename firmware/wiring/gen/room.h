// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/wiring.ts from firmware/wiring/room.json. Do not edit.
#ifndef SHALLOT_WIRING_ROOM_H
#define SHALLOT_WIRING_ROOM_H

enum {
  DHT22_CHANNEL = 2, /* line, to other.DATA */
  MOTION_CHANNEL = 3, /* input, to motion.OUT */
  DOOR_CHANNEL = 4, /* input, to door.A */
};

#endif
