// SPDX-License-Identifier: GPL-3.0-or-later
#include "provision.h"

#include <string.h>

#include "arena.h"
#include "base64url.h"
#include "cbor.h"
#include "crypto.h"

enum {
  PREFIX_CHARS = sizeof SHALLOT_SERIAL_PREFIX - 1,
  ITEM_BYTES_MAX = (SHALLOT_SERIAL_LINE_CHARS_MAX - PREFIX_CHARS) * 3 / 4 - SHALLOT_CODE_CHECKSUM_BYTES,
  SEQUENCE_MAX = 255
};

/* ---- a line and the item in it ---- */

/* Decodes in place. The item's size, SHALLOT_E_MISSING, _FRAME_TOO_LARGE, _SERIAL_DAMAGED or _CBOR_... */
static int item_read(char *text, size_t size) {
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  uint8_t *bytes = (uint8_t *)text;
  if (size < PREFIX_CHARS || memcmp(text, SHALLOT_SERIAL_PREFIX, PREFIX_CHARS) != 0) return SHALLOT_E_MISSING;
  if (size > SHALLOT_SERIAL_LINE_CHARS_MAX) return SHALLOT_E_FRAME_TOO_LARGE;
  int count = base64url_read(bytes, size, text + PREFIX_CHARS, size - PREFIX_CHARS);
  if (count <= SHALLOT_CODE_CHECKSUM_BYTES) return SHALLOT_E_SERIAL_DAMAGED;
  size_t item_size = (size_t)count - SHALLOT_CODE_CHECKSUM_BYTES;
  int fault = crypto_sha256(digest, bytes, item_size);
  if (fault) return fault;
  if (memcmp(digest, bytes + item_size, SHALLOT_CODE_CHECKSUM_BYTES) != 0) return SHALLOT_E_SERIAL_DAMAGED;
  fault = cbor_check(bytes, item_size);
  return fault ? fault : (int)item_size;
}

static void item_say(provision_line out, struct cbor_writer *writer, uint8_t *bytes) {
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  int size = cbor_written(writer);
  out[0] = '\0';
  if (size < 0 || crypto_sha256(digest, bytes, (size_t)size) != 0) return;
  memcpy(bytes + size, digest, SHALLOT_CODE_CHECKSUM_BYTES);
  memcpy(out, SHALLOT_SERIAL_PREFIX, PREFIX_CHARS);
  base64url_write(out + PREFIX_CHARS, sizeof(provision_line) - PREFIX_CHARS, bytes, (size_t)size + SHALLOT_CODE_CHECKSUM_BYTES);
}

/* ---- asks ---- */

/* The next item is an integer from least to most. */
static bool number_take(struct cbor_reader *reader, int64_t least, int64_t most, size_t *out) {
  struct cbor_item item = cbor_next(reader);
  *out = (size_t)item.value;
  return item.kind == CBOR_INTEGER && item.value >= least && item.value <= most;
}

static bool piece_take(struct cbor_reader *reader, size_t least, size_t most, struct provision_ask *ask, size_t *size) {
  struct cbor_item item = cbor_next(reader);
  ask->piece = item.bytes;
  *size = item.size;
  return item.kind == CBOR_BYTES && item.size >= least && item.size <= most;
}

static bool rest_take(struct cbor_reader *reader, size_t count, struct provision_ask *ask) {
  size_t digest_size;
  switch (ask->kind) {
    case SHALLOT_SERIAL_WHO: return count == 2;
    case SHALLOT_SERIAL_PART:
      return count == 4 && number_take(reader, 0, SHALLOT_PROVISION_BYTES_MAX - 1, &ask->at) &&
             piece_take(reader, 1, SHALLOT_SERIAL_PIECE_BYTES_MAX, ask, &ask->size);
    case SHALLOT_SERIAL_TAKE:
      return count == 4 && number_take(reader, 1, SHALLOT_PROVISION_BYTES_MAX, &ask->size) &&
             piece_take(reader, SHALLOT_DIGEST_BYTES, SHALLOT_DIGEST_BYTES, ask, &digest_size);
    default: return false;
  }
}

int provision_ask_read(struct provision_ask *ask, char *text, size_t size) {
  size_t sequence, kind;
  memset(ask, 0, sizeof *ask);
  int item_size = item_read(text, size);
  if (item_size < 0) return item_size;
  struct cbor_reader reader = cbor_reader_over((uint8_t *)text, (size_t)item_size);
  struct cbor_item array = cbor_next(&reader);
  bool is_sound = array.kind == CBOR_ARRAY && array.count >= 2 && number_take(&reader, 1, SEQUENCE_MAX, &sequence) &&
                  number_take(&reader, SHALLOT_SERIAL_WHO, SHALLOT_SERIAL_TAKE, &kind);
  if (!is_sound) return SHALLOT_E_BAD_PROVISION;
  ask->sequence = (uint8_t)sequence;
  ask->kind = (uint8_t)kind;
  return rest_take(&reader, array.count, ask) ? 0 : SHALLOT_E_BAD_PROVISION;
}

/* ---- pieces ---- */

int provision_take_part(struct provision *provision, const struct provision_ask *ask) {
  size_t end = ask->at + ask->size;
  if (end > SHALLOT_PROVISION_BYTES_MAX) return SHALLOT_E_SERIAL_ORDER;
  if (provision->bytes == NULL) provision->bytes = arena_alloc(SHALLOT_PROVISION_BYTES_MAX);
  if (provision->bytes == NULL) return SHALLOT_E_OUT_OF_SPACE;
  bool is_again = ask->at != 0 && end == provision->size && memcmp(provision->bytes + ask->at, ask->piece, ask->size) == 0;
  if (is_again) return 0;
  if (ask->at == 0) provision->size = 0;
  if (ask->at != provision->size) return SHALLOT_E_SERIAL_ORDER;
  memcpy(provision->bytes + ask->at, ask->piece, ask->size);
  provision->size = end;
  return 0;
}

int provision_is_whole(const struct provision *provision, const struct provision_ask *ask) {
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  if (provision->bytes == NULL || ask->size != provision->size) return SHALLOT_E_SERIAL_ORDER;
  int fault = crypto_sha256(digest, provision->bytes, provision->size);
  if (fault) return fault;
  return memcmp(digest, ask->piece, sizeof digest) == 0 ? 0 : SHALLOT_E_SERIAL_DAMAGED;
}

void provision_drop(struct provision *provision) {
  arena_free(provision->bytes);
  provision->bytes = NULL;
  provision->size = 0;
}

/* ---- what was handed over ---- */

static int member_read(struct provision_orders *orders, int64_t key, const struct cbor_item *value) {
  if (value->kind != CBOR_TEXT) return SHALLOT_E_BAD_PROVISION;
  switch (key) {
    case SHALLOT_PROVISION_WIFI_NAME: return wifi_set_name(&orders->wifi, value->bytes, value->size);
    case SHALLOT_PROVISION_WIFI_PASSWORD: return wifi_set_password(&orders->wifi, value->bytes, value->size);
    case SHALLOT_PROVISION_CODE:
      orders->code = (char *)(uintptr_t)value->bytes;
      orders->code_size = value->size;
      return value->size >= 1 && value->size <= SHALLOT_CODE_CHARS_MAX ? 0 : SHALLOT_E_BAD_PROVISION;
    default: return SHALLOT_E_BAD_PROVISION;
  }
}

int provision_read(struct provision_orders *orders, uint8_t *bytes, size_t size) {
  memset(orders, 0, sizeof *orders);
  if (cbor_check(bytes, size) != 0) return SHALLOT_E_BAD_PROVISION;
  struct cbor_reader reader = cbor_reader_over(bytes, size);
  struct cbor_item map = cbor_next(&reader);
  struct cbor_item key = cbor_next(&reader);
  struct cbor_item value = cbor_next(&reader);
  bool has_version = map.kind == CBOR_MAP && map.count >= 1 && key.kind == CBOR_INTEGER && key.value == SHALLOT_PROVISION_VERSION &&
                     value.kind == CBOR_INTEGER && value.value >= 1;
  if (!has_version) return SHALLOT_E_BAD_PROVISION;
  /* A later version may hold anything else. */
  if (value.value > SHALLOT_PROVISION_VERSION_NOW) return SHALLOT_E_CODE_VERSION;
  for (size_t i = 1; i < map.count; i++) {
    key = cbor_next(&reader);
    if (key.kind != CBOR_INTEGER) return SHALLOT_E_BAD_PROVISION;
    value = cbor_next(&reader);
    int fault = member_read(orders, key.value, &value);
    if (fault) return fault;
  }
  bool is_password_alone = orders->wifi.name[0] == '\0' && orders->wifi.password[0] != '\0';
  return map.count == 1 || is_password_alone ? SHALLOT_E_BAD_PROVISION : 0;
}

/* ---- lines to say ---- */

void provision_say_self(provision_line out, uint8_t sequence, const struct provision_self *self) {
  uint8_t bytes[ITEM_BYTES_MAX + SHALLOT_CODE_CHECKSUM_BYTES];
  struct cbor_writer writer = cbor_writer_into(bytes, ITEM_BYTES_MAX);
  cbor_put_array(&writer, 6);
  cbor_put_integer(&writer, sequence);
  cbor_put_integer(&writer, 0);
  cbor_put_integer(&writer, SHALLOT_SERIAL_VERSION_NOW);
  cbor_put_text(&writer, self->board, strlen(self->board));
  cbor_put_text(&writer, self->firmware, strlen(self->firmware));
  cbor_put_integer(&writer, self->facts);
  item_say(out, &writer, bytes);
}

static void say(provision_line out, unsigned first, int code, const unsigned *stage) {
  uint8_t bytes[8 + SHALLOT_CODE_CHECKSUM_BYTES];
  struct cbor_writer writer = cbor_writer_into(bytes, 8);
  cbor_put_array(&writer, stage == NULL ? 2 : 3);
  cbor_put_integer(&writer, first);
  if (stage != NULL) cbor_put_integer(&writer, *stage);
  cbor_put_integer(&writer, -code);
  item_say(out, &writer, bytes);
}

void provision_say_code(provision_line out, uint8_t sequence, int code) { say(out, sequence, code, NULL); }

void provision_say_stage(provision_line out, unsigned stage, int code) { say(out, 0, code, &stage); }
