// SPDX-License-Identifier: GPL-3.0-or-later
/* The daemon's leaf, before anybody has checked its signature. */
#include "place.h"

#include "../core/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct certificate_leaf leaf;
  uint8_t *der = copy_of(data, size, 0);
  certificate_read_leaf(&leaf, der, size);
  certificate_is_self_issued(der, size);
  free(der);
  return 0;
}
