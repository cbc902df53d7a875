// SPDX-License-Identifier: GPL-3.0-or-later
// Written by scripts/wiring.ts from firmware/wiring/*.json. Do not edit.
#ifndef SHALLOT_WIRING_PINS_H
#define SHALLOT_WIRING_PINS_H

/* A line for each pin: app, kind (OUTPUT, PULSE, INPUT, LINE, SDA, SCL, WIEGAND_0, WIEGAND_1, CAMERA_...), channel (0 for a bus), GPIO. */
#define SHALLOT_WIRING_ESP8266(X) \
  X(blinds, PULSE, 1, 5) \
  X(front_door, OUTPUT, 1, 5) \
  X(front_door, INPUT, 1, 14) \
  X(front_door, INPUT, 2, 12) \
  X(front_door, INPUT, 3, 16) \
  X(front_door, WIEGAND_0, 0, 4) \
  X(front_door, WIEGAND_1, 0, 13) \
  X(porch_light, OUTPUT, 1, 5) \
  X(room, SDA, 0, 4) \
  X(room, SCL, 0, 5) \
  X(room, LINE, 2, 14) \
  X(room, INPUT, 3, 12) \
  X(room, INPUT, 4, 13) \
  X(thermostat, LINE, 1, 14) \
  X(thermostat, OUTPUT, 2, 5) \
  X(weather, SDA, 0, 4) \
  X(weather, SCL, 0, 5)

#define SHALLOT_WIRING_ESP32(X) \
  X(blinds, PULSE, 1, 18) \
  X(front_door, OUTPUT, 1, 18) \
  X(front_door, INPUT, 1, 32) \
  X(front_door, INPUT, 2, 33) \
  X(front_door, INPUT, 3, 25) \
  X(front_door, WIEGAND_0, 0, 26) \
  X(front_door, WIEGAND_1, 0, 27) \
  X(porch_light, OUTPUT, 1, 18) \
  X(room, SDA, 0, 21) \
  X(room, SCL, 0, 22) \
  X(room, LINE, 2, 4) \
  X(room, INPUT, 3, 32) \
  X(room, INPUT, 4, 33) \
  X(thermostat, LINE, 1, 4) \
  X(thermostat, OUTPUT, 2, 18) \
  X(weather, SDA, 0, 21) \
  X(weather, SCL, 0, 22)

#define SHALLOT_WIRING_ESP32C3(X) \
  X(blinds, PULSE, 1, 4) \
  X(front_door, OUTPUT, 1, 4) \
  X(front_door, INPUT, 1, 0) \
  X(front_door, INPUT, 2, 1) \
  X(front_door, INPUT, 3, 3) \
  X(front_door, WIEGAND_0, 0, 5) \
  X(front_door, WIEGAND_1, 0, 10) \
  X(porch_light, OUTPUT, 1, 4) \
  X(room, SDA, 0, 6) \
  X(room, SCL, 0, 7) \
  X(room, LINE, 2, 5) \
  X(room, INPUT, 3, 0) \
  X(room, INPUT, 4, 1) \
  X(thermostat, LINE, 1, 5) \
  X(thermostat, OUTPUT, 2, 4) \
  X(weather, SDA, 0, 6) \
  X(weather, SCL, 0, 7)

#define SHALLOT_WIRING_ESP32CAM(X) \
  X(camera, CAMERA_POWER, 0, 32) \
  X(camera, CAMERA_CLOCK, 0, 0) \
  X(camera, CAMERA_SDA, 0, 26) \
  X(camera, CAMERA_SCL, 0, 27) \
  X(camera, CAMERA_D0, 0, 5) \
  X(camera, CAMERA_D1, 0, 18) \
  X(camera, CAMERA_D2, 0, 19) \
  X(camera, CAMERA_D3, 0, 21) \
  X(camera, CAMERA_D4, 0, 36) \
  X(camera, CAMERA_D5, 0, 39) \
  X(camera, CAMERA_D6, 0, 34) \
  X(camera, CAMERA_D7, 0, 35) \
  X(camera, CAMERA_VSYNC, 0, 25) \
  X(camera, CAMERA_HREF, 0, 23) \
  X(camera, CAMERA_PCLK, 0, 22) \
  X(camera, OUTPUT, 1, 4)

#endif
