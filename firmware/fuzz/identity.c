// SPDX-License-Identifier: GPL-3.0-or-later
/* What flash says that this device is: any bytes, and any bytes whose sum was made right. */
#include "place.h"

#include "../core/crypto.h"
#include "../core/identity.h"

static void read_it(const uint8_t *data, size_t size) {
  struct identity identity;
  struct enrolled_body papers;
  uint8_t again[IDENTITY_BYTES_MAX];
  uint8_t *bytes = copy_of(data, size, 0);
  if (identity_read(&identity, &papers, bytes, size) == 0) {
    if (identity.pins_count < 1 || identity.pins_count > TLS_PINS_MAX) abort();
    if (memchr(identity.host, 0, sizeof identity.host) == NULL) abort();
    identity_write(&identity, &papers, again, sizeof again);
  }
  free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { SUM_BYTES = 4 };
  uint8_t bytes[IDENTITY_BYTES_MAX];
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  read_it(data, size);
  if (size + SUM_BYTES + 1 > sizeof bytes || crypto_sha256(digest, data, size) != 0) return 0;
  memcpy(bytes, data, size);
  bytes[size] = 0x40 | SUM_BYTES;
  memcpy(bytes + size + 1, digest, SUM_BYTES);
  read_it(bytes, size + 1 + SUM_BYTES);
  return 0;
}
