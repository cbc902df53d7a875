// SPDX-License-Identifier: GPL-3.0-or-later
#include "cbor.h"

#include <string.h>

#include "../../schemas/gen/c/shallot_codes.h"
#include "../../schemas/gen/c/shallot_wire.h"

enum major { MAJOR_UNSIGNED, MAJOR_NEGATIVE, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_SIMPLE };
enum { INFO_ONE_BYTE = 24, INFO_EIGHT_BYTES = 27, INFO_INDEFINITE = 31, SIMPLE_FALSE = 20, SIMPLE_TRUE = 21 };

struct head {
  enum major major;
  unsigned info;
  uint64_t value;
};

static int item_check(struct cbor_reader *reader, unsigned depth);

static size_t bytes_left(const struct cbor_reader *reader) { return reader->size - reader->at; }

/* What a value of this width must reach, or a shorter head would have held it (RFC 8949 §4.2.1). */
static uint64_t argument_least(unsigned info) {
  return info == INFO_ONE_BYTE ? INFO_ONE_BYTE : (uint64_t)1 << (4u << (info - INFO_ONE_BYTE));
}

static int argument_read(struct cbor_reader *reader, struct head *head) {
  size_t width = (size_t)1 << (head->info - INFO_ONE_BYTE);
  if (bytes_left(reader) < width) return SHALLOT_E_CBOR_TRUNCATED;
  head->value = 0;
  for (size_t i = 0; i < width; i++) head->value = head->value << 8 | reader->bytes[reader->at++];
  if (head->major == MAJOR_SIMPLE) return SHALLOT_E_CBOR_TYPE;
  if (head->value < argument_least(head->info)) return SHALLOT_E_CBOR_NOT_CANONICAL;
  uint64_t most = SHALLOT_INTEGER_MAX - (head->major == MAJOR_NEGATIVE ? 1 : 0);
  return head->value > most ? SHALLOT_E_CBOR_RANGE : 0;
}

static int head_read(struct cbor_reader *reader, struct head *head) {
  if (bytes_left(reader) == 0) return SHALLOT_E_CBOR_TRUNCATED;
  uint8_t first = reader->bytes[reader->at++];
  head->major = (enum major)(first >> 5);
  head->info = first & 31;
  head->value = head->info;
  if (head->info < INFO_ONE_BYTE) return 0;
  if (head->info == INFO_INDEFINITE) return SHALLOT_E_CBOR_NOT_CANONICAL;
  if (head->info > INFO_EIGHT_BYTES) return SHALLOT_E_CBOR_MALFORMED;
  return argument_read(reader, head);
}

static bool is_continuation(const uint8_t *bytes, size_t size, size_t at) { return at < size && (bytes[at] & 0xc0) == 0x80; }

/* Bytes of the UTF-8 sequence at `bytes` (RFC 3629 §4: no surrogates, nothing overlong, nothing above U+10FFFF); 0 if it is none. */
static size_t utf8_sequence(const uint8_t *bytes, size_t size) {
  uint8_t first = bytes[0];
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !is_continuation(bytes, size, 1)) return 0;
  if (first < 0xe0) return 2;
  uint8_t second = bytes[1];
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  if (!is_continuation(bytes, size, 2)) return 0;
  if (first < 0xf0) return 3;
  return is_continuation(bytes, size, 3) ? 4 : 0;
}

static int utf8_check(const uint8_t *bytes, size_t size) {
  size_t at = 0;
  while (at < size) {
    size_t step = utf8_sequence(bytes + at, size - at);
    if (step == 0) return SHALLOT_E_CBOR_UTF8;
    at += step;
  }
  return 0;
}

static int string_check(struct cbor_reader *reader, const struct head *head) {
  if (head->value > bytes_left(reader)) return SHALLOT_E_CBOR_TRUNCATED;
  const uint8_t *contents = reader->bytes + reader->at;
  reader->at += (size_t)head->value;
  return head->major == MAJOR_TEXT ? utf8_check(contents, (size_t)head->value) : 0;
}

static int array_check(struct cbor_reader *reader, uint64_t count, unsigned depth) {
  if (depth > SHALLOT_CBOR_DEPTH_MAX) return SHALLOT_E_CBOR_DEPTH;
  for (uint64_t i = 0; i < count; i++) {
    int fault = item_check(reader, depth);
    if (fault) return fault;
  }
  return 0;
}

/* Bytewise order of two encoded keys (RFC 8949 §4.2.1). */
static int key_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
  int difference = memcmp(a, b, a_size < b_size ? a_size : b_size);
  if (difference != 0) return difference;
  return a_size < b_size ? -1 : a_size > b_size;
}

static int key_check(struct cbor_reader *reader, unsigned depth) {
  enum major major = bytes_left(reader) ? (enum major)(reader->bytes[reader->at] >> 5) : MAJOR_UNSIGNED;
  int fault = item_check(reader, depth);
  if (fault) return fault;
  return major == MAJOR_UNSIGNED || major == MAJOR_NEGATIVE || major == MAJOR_TEXT ? 0 : SHALLOT_E_CBOR_TYPE;
}

static int map_check(struct cbor_reader *reader, uint64_t pairs, unsigned depth) {
  const uint8_t *before = NULL;
  size_t before_size = 0;
  if (depth > SHALLOT_CBOR_DEPTH_MAX) return SHALLOT_E_CBOR_DEPTH;
  for (uint64_t i = 0; i < pairs; i++) {
    const uint8_t *key = reader->bytes + reader->at;
    int fault = key_check(reader, depth);
    if (fault) return fault;
    size_t key_size = (size_t)(reader->bytes + reader->at - key);
    int order = before ? key_compare(key, key_size, before, before_size) : 1;
    if (order <= 0) return order == 0 ? SHALLOT_E_CBOR_DUPLICATE_KEY : SHALLOT_E_CBOR_NOT_CANONICAL;
    before = key;
    before_size = key_size;
    fault = item_check(reader, depth);
    if (fault) return fault;
  }
  return 0;
}

static int item_check(struct cbor_reader *reader, unsigned depth) {
  struct head head;
  int fault = head_read(reader, &head);
  if (fault) return fault;
  switch (head.major) {
    case MAJOR_UNSIGNED:
    case MAJOR_NEGATIVE: return 0;
    case MAJOR_BYTES:
    case MAJOR_TEXT: return string_check(reader, &head);
    case MAJOR_ARRAY: return array_check(reader, head.value, depth + 1);
    case MAJOR_MAP: return map_check(reader, head.value, depth + 1);
    case MAJOR_SIMPLE: return head.value == SIMPLE_FALSE || head.value == SIMPLE_TRUE ? 0 : SHALLOT_E_CBOR_TYPE;
    default: return SHALLOT_E_CBOR_TYPE;
  }
}

static int rest_check(struct cbor_reader *reader) {
  int fault = item_check(reader, 0);
  if (fault) return fault;
  return bytes_left(reader) ? SHALLOT_E_CBOR_TRAILING : 0;
}

int cbor_check(const uint8_t *bytes, size_t size) {
  struct cbor_reader reader = cbor_reader_over(bytes, size);
  return rest_check(&reader);
}

int cbor_check_tagged(const uint8_t *bytes, size_t size, uint32_t tag) {
  struct cbor_reader reader = cbor_reader_over(bytes, size);
  struct head head;
  int fault = head_read(&reader, &head);
  if (fault) return fault;
  if (head.major != MAJOR_TAG || head.value != tag) return SHALLOT_E_WRONG_TAG;
  return rest_check(&reader);
}

struct cbor_reader cbor_reader_over(const uint8_t *bytes, size_t size) { return (struct cbor_reader){bytes, size, 0}; }

static struct cbor_item string_item(struct cbor_reader *reader, const struct head *head) {
  struct cbor_item item = {.kind = head->major == MAJOR_TEXT ? CBOR_TEXT : CBOR_BYTES};
  if (head->value > bytes_left(reader)) return (struct cbor_item){.kind = CBOR_NONE};
  item.bytes = reader->bytes + reader->at;
  item.size = (size_t)head->value;
  reader->at += item.size;
  return item;
}

struct cbor_item cbor_next(struct cbor_reader *reader) {
  struct head head;
  struct cbor_item none = {.kind = CBOR_NONE};
  if (head_read(reader, &head) != 0) return none;
  switch (head.major) {
    case MAJOR_UNSIGNED: return (struct cbor_item){.kind = CBOR_INTEGER, .value = (int64_t)head.value};
    case MAJOR_NEGATIVE: return (struct cbor_item){.kind = CBOR_INTEGER, .value = -1 - (int64_t)head.value};
    case MAJOR_BYTES:
    case MAJOR_TEXT: return string_item(reader, &head);
    case MAJOR_ARRAY: return (struct cbor_item){.kind = CBOR_ARRAY, .count = (size_t)head.value};
    case MAJOR_MAP: return (struct cbor_item){.kind = CBOR_MAP, .count = (size_t)head.value};
    case MAJOR_SIMPLE: return (struct cbor_item){.kind = CBOR_BOOL, .value = head.value == SIMPLE_TRUE};
    default: return none;
  }
}

void cbor_skip(struct cbor_reader *reader) {
  size_t pending = 1;
  while (pending-- > 0) {
    struct cbor_item item = cbor_next(reader);
    if (item.kind == CBOR_ARRAY) pending += item.count;
    if (item.kind == CBOR_MAP) pending += 2 * item.count;
  }
}

struct cbor_writer cbor_writer_into(uint8_t *bytes, size_t capacity) { return (struct cbor_writer){bytes, capacity, 0}; }

static void byte_put(struct cbor_writer *writer, uint8_t byte) {
  if (writer->at < writer->capacity) writer->bytes[writer->at] = byte;
  writer->at++;
}

static void head_put(struct cbor_writer *writer, enum major major, uint64_t value) {
  uint8_t type = (uint8_t)(major << 5);
  if (value < INFO_ONE_BYTE) {
    byte_put(writer, (uint8_t)(type | value));
    return;
  }
  unsigned info = value > UINT32_MAX ? INFO_EIGHT_BYTES : value > UINT16_MAX ? 26 : value > UINT8_MAX ? 25 : INFO_ONE_BYTE;
  byte_put(writer, (uint8_t)(type | info));
  for (unsigned shift = 8u << (info - INFO_ONE_BYTE); shift > 0; shift -= 8) byte_put(writer, (uint8_t)(value >> (shift - 8)));
}

void cbor_put_integer(struct cbor_writer *writer, int64_t value) {
  if (value < 0) head_put(writer, MAJOR_NEGATIVE, (uint64_t)(-1 - value));
  else head_put(writer, MAJOR_UNSIGNED, (uint64_t)value);
}

void cbor_put_bool(struct cbor_writer *writer, bool value) { head_put(writer, MAJOR_SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE); }

void cbor_put_bytes(struct cbor_writer *writer, const uint8_t *bytes, size_t size) {
  head_put(writer, MAJOR_BYTES, size);
  cbor_put_raw(writer, bytes, size);
}

void cbor_put_text(struct cbor_writer *writer, const char *text, size_t size) {
  head_put(writer, MAJOR_TEXT, size);
  cbor_put_raw(writer, (const uint8_t *)text, size);
}

void cbor_put_array(struct cbor_writer *writer, size_t count) { head_put(writer, MAJOR_ARRAY, count); }

void cbor_put_map(struct cbor_writer *writer, size_t pairs) { head_put(writer, MAJOR_MAP, pairs); }

void cbor_put_tag(struct cbor_writer *writer, uint32_t tag) { head_put(writer, MAJOR_TAG, tag); }

void cbor_put_bytes_head(struct cbor_writer *writer, size_t size) { head_put(writer, MAJOR_BYTES, size); }

void cbor_put_raw(struct cbor_writer *writer, const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) byte_put(writer, bytes[i]);
}

int cbor_written(const struct cbor_writer *writer) {
  return writer->at > writer->capacity ? SHALLOT_E_OUT_OF_SPACE : (int)writer->at;
}
