// SPDX-License-Identifier: GPL-3.0-or-later
/* The daemon's leaf, before anybody has checked its signature; and the one that it gives a door (SPEC 18.2). */
#include "place.h"

#include "../core/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t point[65] = {4};
  struct certificate_leaf leaf;
  int64_t not_after;
  uint8_t *der = copy_of(data, size, 0);
  certificate_read_leaf(&leaf, der, size);
  certificate_is_self_issued(der, size);
  certificate_read_door(&not_after, der, size, size > sizeof point ? der + size - sizeof point : point);
  free(der);
  return 0;
}
