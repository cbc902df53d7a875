// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A story: libFuzzer's bytes as a sequence of small numbers and strings, and a flash whose power can be cut. Beyond the end of the bytes
 * everything is 0. What lies on flash may be other bytes than were written, under a sum that is right or wrong.
 */
#ifndef SHALLOT_FUZZ_STORY_H
#define SHALLOT_FUZZ_STORY_H

#include "place.h"

#include "../core/crypto.h"

struct story {
  const uint8_t *at;
  size_t left;
};

static inline uint8_t story_byte(struct story *story) {
  if (story->left == 0) return 0;
  story->left--;
  return *story->at++;
}

static inline void story_fill(struct story *story, void *out, size_t size) {
  for (size_t i = 0; i < size; i++) ((uint8_t *)out)[i] = story_byte(story);
}

/* A string behind its size, at most `most` bytes and what there is. */
static inline size_t story_string(struct story *story, uint8_t *out, size_t most) {
  size_t size = story_byte(story);
  if (size & 0x80) size = (size & 0x7f) << 8 | story_byte(story);
  if (size > most) size = most;
  if (size > story->left) size = story->left;
  story_fill(story, out, size);
  return size;
}

/* ---- power ---- */

enum power_cut { CUT_BEFORE, CUT_AFTER, CUT_TORN };

static struct {
  int writes_left; /* below 0: the power is gone */
  enum power_cut cut;
  bool is_cut_due;
} power;

static inline void power_on(void) { memset(&power, 0, sizeof power); }

static inline bool power_is_gone(void) { return power.is_cut_due && power.writes_left < 0; }

/* Gone, it comes back by power_on alone. */
static inline void power_cut_after(unsigned writes, unsigned how) {
  if (power_is_gone()) return;
  power.is_cut_due = true;
  power.writes_left = (int)writes;
  power.cut = (enum power_cut)(how % 3);
}

/* How much of this write happens: all, half, or nothing. */
static inline size_t power_part(size_t size) {
  if (!power.is_cut_due) return size;
  if (power.writes_left < 0) return 0;
  if (power.writes_left-- > 0) return size;
  return power.cut == CUT_AFTER ? size : power.cut == CUT_TORN ? size / 2 : 0;
}

static inline int power_blob_write(const char *name, const uint8_t *data, size_t size) {
  size_t part = power_part(size);
  if (part > 0) place_blob_write(name, data, part);
  return power_is_gone() ? SHALLOT_E_PORT_STORAGE : 0;
}

static inline int power_blob_remove(const char *name) {
  if (power_part(1) > 0) place_blob_remove(name);
  return power_is_gone() ? SHALLOT_E_PORT_STORAGE : 0;
}

/* ---- what flash holds instead ---- */

enum sum_place { SUM_NONE, SUM_FIRST, SUM_LAST };

/* Puts bytes on flash, under a sum that is right if one is asked for; it is added. */
static inline void flash_put(const char *name, const uint8_t *bytes, size_t size, enum sum_place sum) {
  uint8_t room[PORT_BLOB_BYTES_MAX];
  size_t before = sum == SUM_FIRST ? CRYPTO_SUM_BYTES : 0;
  memcpy(room + before, bytes, size);
  if (sum == SUM_FIRST) crypto_sum(room, room + before, size);
  if (sum == SUM_LAST) crypto_sum(room + size, room, size);
  place_blob_write(name, room, size + (sum == SUM_NONE ? 0 : CRYPTO_SUM_BYTES));
}

/* Other bits of a blob that is there, and a sum that is right again if one is asked for. */
static inline void flash_change(struct story *story, const char *name, enum sum_place sum) {
  int at = place_find(name);
  unsigned changes = story_byte(story) % 8;
  if (at < 0 || place_blobs[at].size <= CRYPTO_SUM_BYTES) return;
  uint8_t *bytes = place_blobs[at].bytes;
  size_t size = place_blobs[at].size;
  for (; changes > 0; changes--) {
    unsigned where = (unsigned)story_byte(story) << 8 | story_byte(story);
    bytes[where % size] ^= story_byte(story);
  }
  if (sum == SUM_FIRST) crypto_sum(bytes, bytes + CRYPTO_SUM_BYTES, size - CRYPTO_SUM_BYTES);
  if (sum == SUM_LAST) crypto_sum(bytes + size - CRYPTO_SUM_BYTES, bytes, size - CRYPTO_SUM_BYTES);
}

#endif
