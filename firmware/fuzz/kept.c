// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is kept twice: a story of writes, removals, power cuts at any of them, and bits that flip. What must hold: what is read was written,
 * and is the newest, or the one before it when the power was cut in between; one copy that is hurt takes nothing away; bytes that
 * nobody wrote are never handed out.
 */
#include "story.h"

#include "../core/kept.h"

enum { BYTES_MAX = 96, COPIES = 2 };

static const char *const names[COPIES] = {"list", "listb"};

/* What may be there; `size` below 0: nothing. */
struct value {
  uint8_t bytes[BYTES_MAX];
  int size;
};

static struct port port;
static struct value now, before; /* `before` counts while a cut leaves it open which of them it is */
static bool is_open_which;
static bool is_hurt[COPIES];

static bool fits(const struct value *value, const uint8_t *bytes, int size) {
  return value->size == size && (size < 0 || memcmp(value->bytes, bytes, (size_t)size) == 0);
}

static void look(void) {
  uint8_t bytes[BYTES_MAX];
  int size = kept_read(&port, names[0], bytes, sizeof bytes);
  if (size > BYTES_MAX) abort();
  if (size < 0 && size != SHALLOT_E_MISSING && size != SHALLOT_E_PORT_STORAGE) abort();
  int seen = size < 0 ? -1 : size;
  bool is_one = fits(&now, bytes, seen) || (is_open_which && fits(&before, bytes, seen));
  /* Hurt in both, it is known to be hurt; a value is then no value either. */
  bool may_be_lost = size == SHALLOT_E_PORT_STORAGE && (is_hurt[0] || is_hurt[1]) && (is_open_which || (is_hurt[0] && is_hurt[1]));
  if (!is_one && !may_be_lost) abort();
  if (size == SHALLOT_E_MISSING && now.size >= 0 && !(is_open_which && before.size < 0)) abort();
}

/* Once a change is whole there is one value again; a cut leaves two that may be, and a copy that may be torn. */
static void changed(const struct value *next, int fault) {
  if (!is_open_which) before = now;
  now = *next;
  is_open_which = fault != 0;
  if (!is_open_which) is_hurt[0] = is_hurt[1] = false;
}

/*
 * Half of it, as a cut leaves it, is another whole copy: it holds the sum of what is before. By chance that is one in 2^32; the fuzzer
 * learns the sum and writes it, and whoever chooses the bytes could have had the shorter ones kept in the first place.
 */
static bool is_whole_in_half(const struct value *value) {
  int size = (value->size + CRYPTO_SUM_BYTES) / 2 - CRYPTO_SUM_BYTES;
  return size >= 0 && crypto_sum_fits(value->bytes + size, value->bytes, (size_t)size);
}

static void write_one(struct story *story) {
  struct value next;
  next.size = (int)story_string(story, next.bytes, sizeof next.bytes);
  if (is_whole_in_half(&next)) return;
  changed(&next, kept_write(&port, names[0], next.bytes, (size_t)next.size));
}

static void remove_it(void) {
  struct value none = {.size = -1};
  changed(&none, kept_remove(&port, names[0]));
}

static void bit_flip(struct story *story, unsigned copy) {
  int at = place_find(names[copy]);
  unsigned bit = story_byte(story);
  if (at < 0 || place_blobs[at].size == 0) return;
  place_blobs[at].bytes[bit / 8 % place_blobs[at].size] ^= (uint8_t)(1u << bit % 8);
  is_hurt[copy] = true;
}

/* Power again. After a second cut before anything was whole, what there may be is more than is followed here. */
static void life_begin(void) {
  uint8_t bytes[BYTES_MAX];
  if (!power_is_gone()) return;
  power_on();
  look();
  int size = kept_read(&port, names[0], bytes, sizeof bytes);
  struct value found = {.size = size < 0 ? -1 : size};
  if (size > 0) memcpy(found.bytes, bytes, (size_t)size);
  /* As whoever keeps something does, it is written anew. */
  if (size >= 0) changed(&found, kept_write(&port, names[0], bytes, (size_t)size));
  else changed(&found, kept_remove(&port, names[0]));
}

static void step(struct story *story) {
  unsigned what = story_byte(story);
  life_begin();
  switch (what & 3) {
    case 0: write_one(story); break;
    case 1: power_cut_after(what >> 2 & 3, what >> 4); break;
    case 2: bit_flip(story, what >> 2 & 1); break;
    default:
      if (what & 0x80) remove_it();
  }
  if (!power_is_gone()) look();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct story story = {data, size};
  place_clear();
  power_on();
  port = place;
  port.blob_write = power_blob_write;
  port.blob_remove = power_blob_remove;
  now.size = before.size = -1;
  is_open_which = is_hurt[0] = is_hurt[1] = false;
  while (story.left > 0) step(&story);
  return 0;
}
