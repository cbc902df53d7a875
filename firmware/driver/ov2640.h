// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An OmniVision OV2640 camera (data sheet version 1.6): its registers by SCCB, which is I2C here, unless the board's own driver has them; its
 * frames by port.h's capture, which a board has in hardware. In: an order to look; out: one whole JPEG (ITU-T T.81), read piece by piece from where the port keeps it.
 * What stays true: what is not a whole picture of at most OV2640_BYTES_MAX is none, and is dropped; pictures are at least OV2640_REST_MS
 * apart; nothing is kept that nobody asked for.
 */
#ifndef SHALLOT_OV2640_H
#define SHALLOT_OV2640_H

#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "health.h"

#define OV2640_ADDRESS 0x30
/* The largest picture, in bytes. */
#define OV2640_BYTES_MAX 65536u

enum { OV2640_REST_MS = 1000, OV2640_FRAME_MS_MAX = 2000 };

struct ov2640 {
  const struct port *port;
  uint64_t rests_until_ms;
  uint32_t size;  /* of the picture that is kept; 0: none */
  uint8_t fault;  /* SHALLOT_FAULT_...: of the last try */
};

/*
 * Resets the chip and drops what was kept. 0, or SHALLOT_E_DEVICE_FAULT: nobody answers, another chip does, or the place has no capture.
 * Takes 10 ms, or as long as the board's driver.
 */
int ov2640_open(struct ov2640 *camera, const struct port *port);

/*
 * Takes a picture in place of the one that is kept. 0, SHALLOT_E_BUSY while it rests, or SHALLOT_E_DEVICE_FAULT; then `fault` says why:
 * _ABSENT (no frame in time), _RANGE (larger than allowed) or _CHECKSUM (it has no beginning or no end).
 */
int ov2640_look(struct ov2640 *camera, uint64_t now_ms);

/* Copies `size` bytes of the picture from `at`. 0 or SHALLOT_E_DEVICE_FAULT: not so many are there, or the port has lost it. */
int ov2640_read(const struct ov2640 *camera, size_t at, uint8_t *out, size_t size);

/* The picture is not needed any more. */
void ov2640_drop(struct ov2640 *camera);

#endif
