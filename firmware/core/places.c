// SPDX-License-Identifier: GPL-3.0-or-later
#include "places.h"

#include <string.h>

#include "crypto.h"

enum {
  SUM_BYTES = 4,
  /* An array's head, an address with its head, a port with its head. */
  PLACE_BYTES_MAX = 1 + 2 + SHALLOT_PLACE_ADDRESS_CHARS_MAX + 3,
  BLOB_BYTES_MAX = SUM_BYTES + 1 + SHALLOT_PLACES_MAX * PLACE_BYTES_MAX
};

typedef char address_fits[SHALLOT_PLACE_ADDRESS_CHARS_MAX <= PORT_ADDRESS_CHARS_MAX ? 1 : -1];

static const char PLACES_BLOB[] = "places";

/* The beginning of the SHA-256 of what follows it. 0, or what the arithmetic says. */
static int sum_take(uint8_t sum[SUM_BYTES], const uint8_t *bytes, size_t size) {
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  int fault = crypto_sha256(digest, bytes + SUM_BYTES, size - SUM_BYTES);
  if (fault == 0) memcpy(sum, digest, SUM_BYTES);
  return fault;
}

static int list_write(struct cbor_list list, uint8_t *out) {
  struct cbor_writer writer = cbor_writer_into(out + SUM_BYTES, BLOB_BYTES_MAX - SUM_BYTES);
  cbor_put_array(&writer, list.count);
  while (list.count > 0) {
    struct place place = claims_place_next(&list);
    cbor_put_array(&writer, 2);
    cbor_put_text(&writer, (const char *)place.address, place.address_size);
    cbor_put_integer(&writer, place.tcp_port);
  }
  int size = cbor_written(&writer);
  int fault = size < 0 ? size : sum_take(out, out, SUM_BYTES + (size_t)size);
  return fault ? fault : SUM_BYTES + size;
}

void places_keep(const struct port *port, const struct cbor_list *places) {
  uint8_t fresh[BLOB_BYTES_MAX];
  uint8_t held[BLOB_BYTES_MAX];
  int size = places->count == 0 ? 0 : list_write(*places, fresh);
  if (size <= 0) return;
  bool is_held = port->blob_read(PLACES_BLOB, held, sizeof held) == size && memcmp(held, fresh, (size_t)size) == 0;
  if (!is_held) port->blob_write(PLACES_BLOB, fresh, (size_t)size);
}

/* A list that is what was written, in `bytes`. */
static bool list_read(const struct port *port, uint8_t *bytes, struct cbor_list *list) {
  uint8_t sum[SUM_BYTES];
  int size = port->blob_read(PLACES_BLOB, bytes, BLOB_BYTES_MAX);
  if (size <= SUM_BYTES || sum_take(sum, bytes, (size_t)size) != 0 || memcmp(sum, bytes, SUM_BYTES) != 0) return false;
  size_t list_size = (size_t)size - SUM_BYTES;
  return cbor_check(bytes + SUM_BYTES, list_size) == 0 && claims_places_read(cbor_reader_over(bytes + SUM_BYTES, list_size), list);
}

int places_read(const struct port *port, unsigned number, struct discovery *found) {
  uint8_t bytes[BLOB_BYTES_MAX];
  struct cbor_list list;
  memset(found, 0, sizeof *found);
  if (!list_read(port, bytes, &list) || number >= list.count) return SHALLOT_E_MISSING;
  struct place place = claims_place_next(&list);
  while (number-- > 0) place = claims_place_next(&list);
  memcpy(found->host, place.address, place.address_size);
  found->tcp_port = place.tcp_port;
  return 0;
}

void places_forget(const struct port *port) { port->blob_remove(PLACES_BLOB); }
