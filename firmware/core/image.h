// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an image says of itself (SPEC 15.2): compiled in by scripts/firmware.ts, found again in its bytes by `shallot firmware seal`.
 * In: nothing; out: vendor, class, version and sequence of the running program. It lies in flash: read it by flash_copy.
 */
#ifndef SHALLOT_IMAGE_H
#define SHALLOT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "../../schemas/gen/c/shallot_wire.h"

#define IMAGE_MAGIC "shallot-image/1"

/* Text is padded with NULs; one that fills its place has none. */
struct image {
  char magic[16]; /* IMAGE_MAGIC */
  uint32_t sequence; /* little-endian */
  char vendor[SHALLOT_VENDOR_BYTES_MAX];
  char image_class[SHALLOT_CLASS_BYTES_MAX]; /* board, a slash, app */
  char version[16];
};

/* Of the program that this is linked into. */
extern const struct image own_image;

uint32_t image_sequence(const struct image *image);

/* App and version, as a hello says them: their length. */
size_t image_firmware(char out[SHALLOT_LABEL_BYTES_MAX + 1], const struct app *app);

#endif
