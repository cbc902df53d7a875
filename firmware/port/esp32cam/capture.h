// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The camera of an ESP32-CAM, behind Espressif's driver: port.h's capture, of which there is one. The driver powers the sensor, sets it up by
 * its own SCCB and reads its frames in hardware; nobody else speaks to it.
 * What stays true: one frame is kept at most, and it began after it was asked for; a frame has at most CAPTURE_BYTES_MAX, because its buffer has
 * no more. Absent on purpose: a look at what is in a frame (driver/ov2640.c).
 * Run against a twin of these calls (check/twin), not verified on silicon.
 */
#ifndef SHALLOT_ESP32CAM_CAPTURE_H
#define SHALLOT_ESP32CAM_CAPTURE_H

#include "../port.h"

/* The driver takes width × height / 5 bytes for a JPEG: of VGA, and without PSRAM of CIF. */
enum { CAPTURE_BYTES_MAX = 640 * 480 / 5, CAPTURE_BYTES_MAX_WITHOUT_PSRAM = 400 * 296 / 5 };

/* What firmware/wiring says of the camera's pins, in the order of its kinds from `camera-power` on; GPIOs. */
enum { CAPTURE_POWER, CAPTURE_CLOCK, CAPTURE_SDA, CAPTURE_SCL, CAPTURE_D0, CAPTURE_D7 = CAPTURE_D0 + 7, CAPTURE_VSYNC, CAPTURE_HREF, CAPTURE_PCLK, CAPTURE_PINS };

/* As port.h's capture_begin. Takes about half a second. */
int esp32cam_begin(const int pins[CAPTURE_PINS], bool has_psram);

/* As port.h has them, but for the time: the driver waits 4 s for a frame, whatever is asked. */
int esp32cam_take(uint32_t timeout_ms);
int esp32cam_read(uint32_t at, uint8_t *out, size_t size);
void esp32cam_drop(void);

#endif
