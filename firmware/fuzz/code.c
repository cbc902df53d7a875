// SPDX-License-Identifier: GPL-3.0-or-later
/* What somebody pastes at the console. Half of the time the check sum is made right, so that what is behind it is reached. */
#include "place.h"

#include "../core/base64url.h"
#include "../core/crypto.h"
#include "../core/enrol.h"

static void as_text(const uint8_t *data, size_t size) {
  struct enrol_code code;
  char *text = (char *)copy_of(data, size, 0);
  enrol_code_read(&code, text, size);
  free(text);
}

static void as_map(const uint8_t *map, size_t size) {
  uint8_t bytes[SHALLOT_CODE_CHARS_MAX];
  char text[2 * SHALLOT_CODE_CHARS_MAX] = SHALLOT_CODE_ENROL_PREFIX;
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  if (size + SHALLOT_CODE_CHECKSUM_BYTES > sizeof bytes || crypto_sha256(digest, map, size) != 0) return;
  memcpy(bytes, map, size);
  memcpy(bytes + size, digest, SHALLOT_CODE_CHECKSUM_BYTES);
  size_t prefix = strlen(text);
  base64url_write(text + prefix, sizeof text - prefix, bytes, size + SHALLOT_CODE_CHECKSUM_BYTES);
  as_text((const uint8_t *)text, strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (data[0] & 1) as_map(data + 1, size - 1);
  else as_text(data + 1, size - 1);
  return 0;
}
