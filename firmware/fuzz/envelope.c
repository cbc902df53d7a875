// SPDX-License-Identifier: GPL-3.0-or-later
/* Opening and verifying, in place: what is opened points into its bytes, and they are left as they were. */
#include "place.h"

#include "../core/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct envelope envelope;
  uint8_t *room = copy_of(data, size, ENVELOPE_HEADROOM);
  uint8_t *bytes = room + ENVELOPE_HEADROOM;
  if (envelope_open(&envelope, bytes, size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX) == 0) {
    if (envelope.signer < bytes || envelope.signature + SHALLOT_SIGNATURE_BYTES > bytes + size) abort();
    envelope_verify(&envelope);
  }
  if (memcmp(bytes, data, size) != 0) abort();
  free(room);
  return 0;
}
