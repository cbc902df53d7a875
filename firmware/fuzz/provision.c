// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whoever holds the cable: lines, each behind a byte of its length. The first byte says whether their sums are made right, so that what is
 * behind them is reached, and whether the whole is read as if its digest had been right.
 */
#include "place.h"

#include "../core/base64url.h"
#include "../core/crypto.h"
#include "../core/provision.h"

enum { SUMS_RIGHT = 1, AS_WHOLE = 2 };

/* The text of a line whose item is `data`, or `data` itself. */
static char *line_of(const uint8_t *data, size_t size, bool is_right, size_t *length) {
  uint8_t bytes[256 + SHALLOT_CODE_CHECKSUM_BYTES];
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  char text[512] = SHALLOT_SERIAL_PREFIX;
  if (!is_right) {
    *length = size;
    return (char *)copy_of(data, size, 0);
  }
  if (crypto_sha256(digest, data, size) != 0) abort();
  memcpy(bytes, data, size);
  memcpy(bytes + size, digest, SHALLOT_CODE_CHECKSUM_BYTES);
  int written = base64url_write(text + strlen(text), sizeof text - strlen(text), bytes, size + SHALLOT_CODE_CHECKSUM_BYTES);
  if (written < 0) abort();
  *length = strlen(text);
  return (char *)copy_of((const uint8_t *)text, *length, 0);
}

static void whole_read(const uint8_t *bytes, size_t size) {
  struct provision_orders orders;
  uint8_t *whole = copy_of(bytes, size, 0);
  if (provision_read(&orders, whole, size) == 0) {
    if (strlen(orders.wifi.name) > SHALLOT_WIFI_NAME_BYTES_MAX || strlen(orders.wifi.password) > SHALLOT_WIFI_PASSWORD_BYTES_MAX) abort();
    if (orders.code_size > 0 && ((uint8_t *)orders.code < whole || (uint8_t *)orders.code + orders.code_size > whole + size)) abort();
  }
  free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct provision provision = {NULL, 0};
  if (size == 0) return 0;
  if (data[0] & AS_WHOLE) whole_read(data + 1, size - 1);
  for (size_t at = 1; at < size;) {
    size_t count = data[at++];
    size_t length;
    struct provision_ask ask;
    if (count > size - at) count = size - at;
    char *line = line_of(data + at, count, data[0] & SUMS_RIGHT, &length);
    at += count;
    if (provision_ask_read(&ask, line, length) == 0) {
      int code = ask.kind == SHALLOT_SERIAL_PART ? provision_take_part(&provision, &ask) : ask.kind == SHALLOT_SERIAL_TAKE ? provision_is_whole(&provision, &ask) : 0;
      if (code == 0 && ask.kind == SHALLOT_SERIAL_TAKE) whole_read(provision.bytes, provision.size);
      provision_line out;
      provision_say_code(out, ask.sequence, code);
      if (strlen(out) == 0 || strlen(out) > SHALLOT_SERIAL_LINE_CHARS_MAX) abort();
    }
    free(line);
  }
  provision_drop(&provision);
  return 0;
}
