// SPDX-License-Identifier: GPL-3.0-or-later
/* Compiled anew for each program and version, with IMAGE_CLASS, IMAGE_VERSION, IMAGE_SEQUENCE and IMAGE_VENDOR. */
#include "../core/image.h"

IN_FLASH(const struct image own_image) = {
  .magic = IMAGE_MAGIC,
  .sequence = IMAGE_SEQUENCE,
  .vendor = IMAGE_VENDOR,
  .image_class = IMAGE_CLASS,
  .version = IMAGE_VERSION,
};
