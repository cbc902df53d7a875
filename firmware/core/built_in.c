// SPDX-License-Identifier: GPL-3.0-or-later
#include "built_in.h"

#include "../port/port.h"

#ifdef SHALLOT_PROVISION
#include SHALLOT_PROVISION

size_t built_in_copy(uint8_t *out, size_t capacity) {
  if (sizeof shallot_provision > capacity) return 0;
  flash_copy(out, shallot_provision, sizeof shallot_provision);
  return sizeof shallot_provision;
}
#else
size_t built_in_copy(uint8_t *out, size_t capacity) {
  (void)out;
  (void)capacity;
  return 0;
}
#endif
