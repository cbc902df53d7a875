// SPDX-License-Identifier: GPL-3.0-or-later
#include "places.h"

#include <string.h>

#include "crypto.h"

enum {
  /* An array's head, an address with its head, a port with its head. */
  PLACE_BYTES_MAX = 1 + 2 + SHALLOT_PLACE_ADDRESS_CHARS_MAX + 3,
  BLOB_BYTES_MAX = CRYPTO_SUM_BYTES + 1 + SHALLOT_PLACES_MAX * PLACE_BYTES_MAX
};

typedef char address_fits[SHALLOT_PLACE_ADDRESS_CHARS_MAX <= PORT_ADDRESS_CHARS_MAX ? 1 : -1];

static const char PLACES_BLOB[] = "places";

static int list_write(struct cbor_list list, uint8_t *out) {
  struct cbor_writer writer = cbor_writer_into(out + CRYPTO_SUM_BYTES, BLOB_BYTES_MAX - CRYPTO_SUM_BYTES);
  cbor_put_array(&writer, list.count);
  while (list.count > 0) {
    struct place place = claims_place_next(&list);
    cbor_put_array(&writer, 2);
    cbor_put_text(&writer, (const char *)place.address, place.address_size);
    cbor_put_integer(&writer, place.tcp_port);
  }
  int size = cbor_written(&writer);
  int fault = size < 0 ? size : crypto_sum(out, out + CRYPTO_SUM_BYTES, (size_t)size);
  return fault ? fault : CRYPTO_SUM_BYTES + size;
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
  int size = port->blob_read(PLACES_BLOB, bytes, BLOB_BYTES_MAX);
  if (size <= CRYPTO_SUM_BYTES) return false;
  size_t list_size = (size_t)size - CRYPTO_SUM_BYTES;
  if (!crypto_sum_fits(bytes, bytes + CRYPTO_SUM_BYTES, list_size)) return false;
  return cbor_check(bytes + CRYPTO_SUM_BYTES, list_size) == 0 && claims_places_read(cbor_reader_over(bytes + CRYPTO_SUM_BYTES, list_size), list);
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
