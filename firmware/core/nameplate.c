// SPDX-License-Identifier: GPL-3.0-or-later
#include "nameplate.h"

#include <stdbool.h>
#include <string.h>

#include "crypto.h"

enum {
  HEADER_BYTES = 12,
  QUESTIONS_MAX = 8,
  POINTER = 0xc0,
  TYPE_A = 1,
  TYPE_ANY = 255,
  CLASS_IN = 1,
  CLASS_MASK = 0x7fff,
  TOP_BIT = 0x80, /* of a question's class: to me alone; of an answer's: there is no other (RFC 6762 §5.4, §10.2) */
  MDNS_PORT = 5353,
  TTL_S = 120,
  TTL_LEGACY_S = 10 /* §6.7: who is no speaker of mDNS is not to keep it */
};

static uint16_t word_at(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

int nameplate_name(uint8_t name[NAMEPLATE_NAME_BYTES], const uint8_t device[SHALLOT_KEY_BYTES]) {
  static const char digit[] = "0123456789abcdef";
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  int fault = crypto_sha256(digest, device, SHALLOT_KEY_BYTES);
  if (fault) return fault;
  *name++ = SHALLOT_DIRECT_LABEL_CHARS;
  for (size_t i = 0; i < SHALLOT_DIRECT_LABEL_CHARS; i++) *name++ = (uint8_t)digit[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
  memcpy(name, "\x05local", 7);
  return 0;
}

/* 10/8, 172.16/12, 192.168/16, 169.254/16, 127/8. */
static bool is_near(const uint8_t address[4]) {
  if (address[0] == 10 || address[0] == 127) return true;
  if (address[0] == 172) return (address[1] & 0xf0) == 16;
  return (address[0] == 192 && address[1] == 168) || (address[0] == 169 && address[1] == 254);
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

/* The place behind the question at `at`, or 0: it is none. A first name has nothing to point to, and later ones that do are not ours. */
static size_t question_take(const uint8_t *bytes, size_t size, size_t at, const uint8_t *name, bool *is_ours, bool *is_for_one) {
  size_t from = at;
  while (at < size && bytes[at] != 0 && (bytes[at] & POINTER) == 0) at += 1u + bytes[at];
  if (at >= size) return 0;
  bool is_pointed = (bytes[at] & POINTER) != 0;
  at += is_pointed ? 2 : 1;
  if (size < 4 || at > size - 4) return 0;
  bool is_same = !is_pointed && at - from == NAMEPLATE_NAME_BYTES;
  /* Lengths are below 64, where no letter is. */
  for (size_t i = 0; is_same && i < NAMEPLATE_NAME_BYTES; i++) is_same = lower(bytes[from + i]) == name[i];
  uint16_t type = word_at(bytes + at);
  bool is_kind = (type == TYPE_A || type == TYPE_ANY) && (word_at(bytes + at + 2) & CLASS_MASK) == CLASS_IN;
  if (is_same && is_kind) {
    *is_ours = true;
    *is_for_one = (bytes[at + 2] & TOP_BIT) != 0;
  }
  return at + 4;
}

static bool is_asked(const uint8_t *question, size_t size, const uint8_t *name, bool *is_for_one) {
  bool is_ours = false;
  if (size < HEADER_BYTES || question[2] != 0) return false;
  size_t left = word_at(question + 4);
  if (left == 0 || left > QUESTIONS_MAX) return false;
  for (size_t at = HEADER_BYTES; left > 0 && !is_ours; left--) {
    at = question_take(question, size, at, name, &is_ours, is_for_one);
    if (at == 0) return false;
  }
  return is_ours;
}

int nameplate_answer(uint8_t out[NAMEPLATE_ANSWER_BYTES_MAX], const uint8_t *question, size_t size, const uint8_t name[NAMEPLATE_NAME_BYTES],
                     struct asker *asker) {
  static const uint8_t group[4] = {224, 0, 0, 251};
  bool is_for_one = false;
  bool is_legacy = asker->udp_port != MDNS_PORT;
  if (!is_near(asker->address) || !is_asked(question, size, name, &is_for_one)) return SHALLOT_E_NO_ANSWER;
  memset(out, 0, HEADER_BYTES);
  out[2] = 0x84; /* an answer, with authority */
  out[7] = 1;
  uint8_t *at = out + HEADER_BYTES;
  if (is_legacy) {
    memcpy(out, question, 2);
    out[5] = 1;
    memcpy(at, name, NAMEPLATE_NAME_BYTES);
    memcpy(at + NAMEPLATE_NAME_BYTES, "\0\x01\0\x01", 4);
    at += NAMEPLATE_NAME_BYTES + 4;
  }
  const uint8_t record[] = {0, TYPE_A, is_legacy ? 0 : TOP_BIT, CLASS_IN, 0, 0, 0, is_legacy ? TTL_LEGACY_S : TTL_S, 0, 4};
  memcpy(at, name, NAMEPLATE_NAME_BYTES);
  memcpy(at + NAMEPLATE_NAME_BYTES, record, sizeof record);
  memcpy(at + NAMEPLATE_NAME_BYTES + sizeof record, asker->own, sizeof asker->own);
  if (!is_legacy && !is_for_one) memcpy(asker->address, group, sizeof group);
  return (int)(at + NAMEPLATE_NAME_BYTES + sizeof record + sizeof asker->own - out);
}
