// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Espressif's camera driver with one frame buffer, as check/shim declares it, made to run from its documentation: the buffer is filled as soon
 * as the driver has it, with what is before the lens then; a frame that does not fit is dropped, and who waits for one hears nothing.
 * `misuses` counts what would be wrong on a board: a frame given back twice or kept through a new start, a second start, a pin that is none.
 */
#ifndef SHALLOT_TWIN_ESP_CAMERA_H
#define SHALLOT_TWIN_ESP_CAMERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ESP_CAMERA_TWIN_BYTES_MAX = 70000, ESP_CAMERA_TWIN_OV2640 = 0x26 };

/* What is before the lens, or wrong with the camera. */
struct esp_camera_twin {
  int sensor;       /* its product number; 0: nobody answers */
  size_t size;      /* of a frame; 0: none comes */
  uint8_t scene;    /* a byte of which the picture is full */
  bool has_no_beginning;
  bool has_no_end;
  bool is_too_large_told; /* a driver that hands out what does not fit */
  int starts;
  int misuses;
  struct { /* of the last start */
    bool is_vga;
    bool is_in_psram;
    int power, clock, reset, d0, d7, pclk;
  } told;
};
extern struct esp_camera_twin esp_camera_twin;

/* A board that was just switched on, with an OV2640 that sees 30,000 bytes. */
void esp_camera_twin_new(void);

#endif
