// SPDX-License-Identifier: GPL-3.0-or-later
#include "image.h"

#include <string.h>

uint32_t image_sequence(const struct image *image) {
  uint32_t sequence;
  flash_copy(&sequence, &image->sequence, sizeof sequence);
  return sequence;
}

size_t image_firmware(char out[SHALLOT_LABEL_BYTES_MAX + 1], const struct app *app) {
  char version[sizeof own_image.version];
  size_t size = strlen(app->firmware);
  flash_copy(version, own_image.version, sizeof version);
  size_t version_size = strnlen(version, sizeof version);
  if (size + 1 + version_size > SHALLOT_LABEL_BYTES_MAX) version_size = 0;
  memcpy(out, app->firmware, size);
  out[size] = ' ';
  memcpy(out + size + 1, version, version_size);
  size += version_size == 0 ? 0 : 1 + version_size;
  out[size] = '\0';
  return size;
}
