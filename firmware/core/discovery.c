// SPDX-License-Identifier: GPL-3.0-or-later
#include "discovery.h"

#include <stdbool.h>
#include <string.h>

#include "crypto.h"
#include "line.h"

enum {
  HEADER_BYTES = 12,
  ANSWERS_MAX = 16,
  JUMPS_MAX = 8,
  LABEL_CHARS_MAX = 63,
  POINTER = 0xc0,
  IS_ANSWER = 0x80,
  TYPE_A = 1,
  TYPE_SRV = 33,
  CLASS_IN = 1,
  CLASS_MASK = 0x7fff, /* the highest bit is mDNS's (RFC 6762 §10.2) */
  SRV_PORT_AT = 4,
  FIXED_BYTES = 10, /* of a record, behind its name: type, class, time to live, length */
  TYPE_AT = 0,
  CLASS_AT = 2,
  LENGTH_AT = 8
};

/* What follows the home's own label in the name of its service. */
IN_FLASH(static const char service[]) = "\x08_shallot\x04_tcp\x05local";

typedef char service_has_its_size[sizeof service == DISCOVERY_SERVICE_BYTES ? 1 : -1];

static uint16_t word_at(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

int discovery_question(uint8_t out[DISCOVERY_QUESTION_BYTES], const uint8_t root[SHALLOT_KEY_BYTES]) {
  static const char digit[] = "0123456789abcdef";
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  int fault = crypto_sha256(digest, root, SHALLOT_KEY_BYTES);
  if (fault) return fault;
  memset(out, 0, DISCOVERY_QUESTION_BYTES);
  out[5] = 1; /* one question */
  uint8_t *at = out + HEADER_BYTES;
  *at++ = SHALLOT_DISCOVERY_LABEL_CHARS;
  for (size_t i = 0; i < SHALLOT_DISCOVERY_LABEL_CHARS; i++) *at++ = (uint8_t)digit[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
  flash_copy(at, service, sizeof service);
  at += sizeof service;
  at[1] = TYPE_SRV;
  at[3] = CLASS_IN;
  return DISCOVERY_QUESTION_BYTES;
}

/* ---- answers ---- */

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static bool same_label(const uint8_t *a, const uint8_t *b, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

/* The place behind the name at `at`, or 0 when there is no sound name. */
static size_t name_end(const uint8_t *bytes, size_t size, size_t at) {
  while (at < size && bytes[at] != 0) {
    if ((bytes[at] & POINTER) == POINTER) return at + 2 <= size ? at + 2 : 0;
    if (bytes[at] > LABEL_CHARS_MAX) return 0;
    at += 1u + bytes[at];
  }
  return at < size ? at + 1 : 0;
}

/* Whether the name at `at` is `wanted`, which has no pointers. A pointer leads backwards, a few times at most (RFC 1035 §4.1.4). */
static bool name_is(const uint8_t *bytes, size_t size, size_t at, const uint8_t *wanted) {
  for (int jumps = 0; at < size;) {
    if ((bytes[at] & POINTER) == POINTER) {
      if (at + 2 > size || ++jumps > JUMPS_MAX) return false;
      size_t to = word_at(bytes + at) & 0x3fffu;
      if (to >= at) return false;
      at = to;
      continue;
    }
    size_t label = bytes[at];
    if (label > LABEL_CHARS_MAX || label != wanted[0] || at + 1 + label > size) return false;
    if (!same_label(bytes + at + 1, wanted + 1, label)) return false;
    if (label == 0) return true;
    at += 1 + label;
    wanted += 1 + label;
  }
  return false;
}

static void host_write(char *host, const uint8_t *address) {
  struct line line = {.size = 0};
  for (int i = 0; i < 4; i++) {
    if (i > 0) line_add(&line, ".");
    line_add_number(&line, address[i]);
  }
  memcpy(host, line.text, line.size + 1);
}

/* One record: where the next begins, or 0. */
static size_t record_take(struct discovery *found, const uint8_t *wanted, const uint8_t *bytes, size_t size, size_t at) {
  size_t fixed = name_end(bytes, size, at);
  if (fixed == 0 || size - fixed < FIXED_BYTES) return 0;
  size_t data = fixed + FIXED_BYTES;
  size_t length = word_at(bytes + fixed + LENGTH_AT);
  if (length > size - data) return 0;
  bool is_internet = (word_at(bytes + fixed + CLASS_AT) & CLASS_MASK) == CLASS_IN;
  uint16_t type = word_at(bytes + fixed + TYPE_AT);
  bool is_place = type == TYPE_SRV && length > SRV_PORT_AT + 2 && name_is(bytes, size, at, wanted);
  if (is_internet && is_place) found->tcp_port = word_at(bytes + data + SRV_PORT_AT);
  if (is_internet && type == TYPE_A && length == 4 && found->host[0] == '\0') host_write(found->host, bytes + data);
  return data + length;
}

int discovery_read(struct discovery *found, const uint8_t *question, const uint8_t *answer, size_t size) {
  memset(found, 0, sizeof *found);
  if (size < HEADER_BYTES || !(answer[2] & IS_ANSWER)) return SHALLOT_E_NO_ANSWER;
  size_t questions = word_at(answer + 4);
  size_t records = (size_t)word_at(answer + 6) + word_at(answer + 8) + word_at(answer + 10);
  size_t at = HEADER_BYTES;
  if (questions > 1 || records > ANSWERS_MAX) return SHALLOT_E_NO_ANSWER;
  if (questions == 1) {
    at = name_end(answer, size, at);
    if (at == 0 || size - at < 4) return SHALLOT_E_NO_ANSWER;
    at += 4;
  }
  for (size_t i = 0; i < records && at != 0; i++) at = record_take(found, question + HEADER_BYTES, answer, size, at);
  bool is_whole = at != 0 && found->tcp_port != 0 && found->host[0] != '\0';
  if (!is_whole) memset(found, 0, sizeof *found);
  return is_whole ? 0 : SHALLOT_E_NO_ANSWER;
}

int discovery_ask(struct discovery *found, const struct port *port, const uint8_t root[SHALLOT_KEY_BYTES], uint8_t *room, uint32_t timeout_ms) {
  uint8_t question[DISCOVERY_QUESTION_BYTES];
  found->tcp_port = 0;
  if (discovery_question(question, root) < 0) return SHALLOT_E_NO_ANSWER;
  int size = port->lan_ask(question, sizeof question, room, DISCOVERY_ANSWER_BYTES_MAX, timeout_ms);
  return size < 0 ? SHALLOT_E_NO_ANSWER : discovery_read(found, question, room, (size_t)size);
}
