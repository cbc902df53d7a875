// SPDX-License-Identifier: GPL-3.0-or-later
/* A payload of any type; the first byte says which. */
#include "place.h"

#include "../core/claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct claims claims;
  if (size == 0) return 0;
  enum message_type type = (enum message_type)(data[0] % MESSAGE_TYPES);
  uint8_t *payload = copy_of(data + 1, size - 1, 0);
  if (claims_read(&claims, type, payload, size - 1) == 0) {
    if (type == MESSAGE_ENROLLED) claims_enrolled(&claims);
    if (type == MESSAGE_WELCOME) claims_welcome(&claims);
    if (type == MESSAGE_COMMAND) claims_command(&claims);
  }
  message_type_of(payload, size - 1);
  free(payload);
  return 0;
}
