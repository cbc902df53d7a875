// SPDX-License-Identifier: GPL-3.0-or-later
#include "identity.h"

#include <string.h>

#include "cbor.h"
#include "crypto.h"
#include "signer.h"

enum { FIELDS = 9, SUM_ITEM_BYTES = CRYPTO_SUM_BYTES + 1 };

/* The last field is a sum of all that is before it: a key with another bit is no key. */
static void sum_put(struct cbor_writer *writer) {
  uint8_t sum[CRYPTO_SUM_BYTES] = {0};
  if (writer->at <= writer->capacity && crypto_sum(sum, writer->bytes, writer->at) != 0) writer->at = writer->capacity + 1;
  cbor_put_bytes(writer, sum, sizeof sum);
}

static bool sum_is_right(const uint8_t *bytes, size_t size) {
  if (size <= SUM_ITEM_BYTES || bytes[size - SUM_ITEM_BYTES] != (0x40 | CRYPTO_SUM_BYTES)) return false;
  return crypto_sum_fits(bytes + size - CRYPTO_SUM_BYTES, bytes, size - SUM_ITEM_BYTES);
}

int identity_write(const struct identity *identity, const struct enrolled_body *papers, uint8_t *out, size_t capacity) {
  struct cbor_writer writer = cbor_writer_into(out, capacity);
  cbor_put_array(&writer, FIELDS);
  cbor_put_bytes(&writer, identity->seed, sizeof identity->seed);
  cbor_put_bytes(&writer, identity->public_key, sizeof identity->public_key);
  cbor_put_bytes(&writer, identity->root, sizeof identity->root);
  cbor_put_bytes(&writer, identity->pins[0], identity->pins_count * SHALLOT_KEY_BYTES);
  cbor_put_text(&writer, identity->host, strlen(identity->host));
  cbor_put_integer(&writer, identity->tcp_port);
  cbor_put_bytes(&writer, papers->certificate, papers->certificate_size);
  cbor_put_text(&writer, (const char *)papers->name, papers->name_size);
  sum_put(&writer);
  return cbor_written(&writer);
}

/* The contents of the next byte string; their size, or -1 when it is none or does not fit. */
static int bytes_take(struct cbor_reader *reader, uint8_t *out, size_t capacity) {
  struct cbor_item item = cbor_next(reader);
  if (item.kind != CBOR_BYTES || item.size > capacity) return -1;
  memcpy(out, item.bytes, item.size);
  return (int)item.size;
}

static int text_take(struct cbor_reader *reader, char *out, size_t capacity) {
  struct cbor_item item = cbor_next(reader);
  if (item.kind != CBOR_TEXT || item.size >= capacity) return -1;
  memcpy(out, item.bytes, item.size);
  out[item.size] = '\0';
  return (int)item.size;
}

static int fields_take(struct identity *identity, struct cbor_reader *reader) {
  struct cbor_item array = cbor_next(reader);
  if (array.kind != CBOR_ARRAY || array.count != FIELDS) return -1;
  if (bytes_take(reader, identity->seed, SHALLOT_KEY_BYTES) != SHALLOT_KEY_BYTES) return -1;
  if (bytes_take(reader, identity->public_key, SHALLOT_KEY_BYTES) != SHALLOT_KEY_BYTES) return -1;
  if (bytes_take(reader, identity->root, SHALLOT_KEY_BYTES) != SHALLOT_KEY_BYTES) return -1;
  int pins_size = bytes_take(reader, identity->pins[0], sizeof identity->pins);
  if (pins_size <= 0 || pins_size % SHALLOT_KEY_BYTES != 0) return -1;
  identity->pins_count = (uint32_t)pins_size / SHALLOT_KEY_BYTES;
  if (text_take(reader, identity->host, sizeof identity->host) < 0) return -1;
  struct cbor_item tcp_port = cbor_next(reader);
  identity->tcp_port = (uint16_t)tcp_port.value;
  return tcp_port.kind == CBOR_INTEGER ? 0 : -1;
}

static int papers_take(struct enrolled_body *papers, struct cbor_reader *reader) {
  struct cbor_item certificate = cbor_next(reader);
  struct cbor_item name = cbor_next(reader);
  *papers = (struct enrolled_body){certificate.bytes, certificate.size, name.bytes, name.size};
  return certificate.kind == CBOR_BYTES && name.kind == CBOR_TEXT ? 0 : -1;
}

int identity_read(struct identity *identity, struct enrolled_body *papers, const uint8_t *bytes, size_t size) {
  struct cbor_reader reader = cbor_reader_over(bytes, size);
  identity_wipe(identity);
  bool is_sound = cbor_check(bytes, size) == 0 && sum_is_right(bytes, size) && fields_take(identity, &reader) == 0 && papers_take(papers, &reader) == 0;
  if (!is_sound) identity_wipe(identity);
  else identity->is_enrolled = papers->certificate_size > 0;
  return is_sound ? 0 : SHALLOT_E_PORT_STORAGE;
}

/* Where the pins lie: behind the array's head and three keys with theirs. A list of two keeps its place and size. */
enum { PINS_AT = 1 + 3 * (2 + SHALLOT_KEY_BYTES), PINS_HEAD_BYTES = 2 };

int identity_repin(uint8_t *bytes, size_t size, const uint8_t *current, const uint8_t *next) {
  struct identity identity;
  struct enrolled_body papers;
  int fault = identity_read(&identity, &papers, bytes, size);
  if (fault == 0 && identity.pins_count != 2) fault = SHALLOT_E_PORT_STORAGE;
  identity_wipe(&identity);
  if (fault) return fault;
  uint8_t *at = bytes + PINS_AT + PINS_HEAD_BYTES;
  memcpy(at, current, SHALLOT_KEY_BYTES);
  memcpy(at + SHALLOT_KEY_BYTES, next, SHALLOT_KEY_BYTES);
  return crypto_sum(bytes + size - CRYPTO_SUM_BYTES, bytes, size - SUM_ITEM_BYTES);
}

int identity_make_key(struct identity *identity, const struct port *port) {
  struct identity fresh = {0};
  memcpy(fresh.seed, identity->seed, sizeof fresh.seed);
  int fault = signer_make_key(port, fresh.seed, fresh.public_key);
  identity_wipe(identity);
  if (fault == 0) *identity = fresh;
  identity_wipe(&fresh);
  return fault;
}

void identity_wipe(struct identity *identity) { crypto_wipe(identity, sizeof *identity); }
