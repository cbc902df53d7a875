// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What is kept twice: a story of writes, removals, power cuts at any of them, and bits that flip. What must hold: what is read was written,
 * and is the newest, or the one before it when the power was cut in between; one copy that is hurt takes nothing away; bytes that
 * nobody wrote are never handed out, but for those that a hurt copy holds under a sum that is right. Such bytes are one in 2^32; the
 * fuzzer learns a sum and writes it where a torn write ends, and whoever chooses the bytes could have had those kept in the first place.
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
static bool is_hurt[COPIES]; /* torn, or with flipped bits, since its last write that was whole */

static bool fits(const struct value *value, const uint8_t *bytes, int size) {
  return value->size == size && (size < 0 || memcmp(value->bytes, bytes, (size_t)size) == 0);
}

static unsigned copy_named(const char *name) { return name[sizeof "list" - 1] == 'b'; }

/* The first that is whole: the one that counts. Its value is `held`; COPIES: there is none. */
static unsigned whole_copy(struct value *held) {
  for (unsigned copy = 0; copy < COPIES; copy++) {
    int at = place_find(names[copy]);
    if (at < 0 || place_blobs[at].size < CRYPTO_SUM_BYTES) continue;
    held->size = (int)place_blobs[at].size - CRYPTO_SUM_BYTES;
    memcpy(held->bytes, place_blobs[at].bytes, (size_t)held->size);
    if (crypto_sum_fits(place_blobs[at].bytes + held->size, held->bytes, (size_t)held->size)) return copy;
  }
  return COPIES;
}

static void look(void) {
  uint8_t bytes[BYTES_MAX];
  struct value held;
  unsigned copy = whole_copy(&held);
  int size = kept_read(&port, names[0], bytes, sizeof bytes);
  if (size > BYTES_MAX) abort();
  if (size < 0 && size != SHALLOT_E_MISSING && size != SHALLOT_E_PORT_STORAGE) abort();
  int seen = size < 0 ? -1 : size;
  bool is_one = fits(&now, bytes, seen) || (is_open_which && fits(&before, bytes, seen));
  bool is_by_chance = copy < COPIES && is_hurt[copy] && fits(&held, bytes, size);
  /* Hurt in both, it is known to be hurt; a value is then no value either. */
  bool is_damage = size == SHALLOT_E_PORT_STORAGE;
  bool may_be_lost = is_damage && is_hurt[0] && is_hurt[1];
  if (is_damage && (copy < COPIES || !(is_hurt[0] || is_hurt[1]))) abort();
  if (!is_one && !may_be_lost && !is_by_chance) abort();
}

/* Once a change is whole there is one value again; a cut leaves two that may be. */
static void changed(const struct value *next, int fault) {
  if (!is_open_which) before = now;
  now = *next;
  is_open_which = fault != 0;
}

static int copy_write(const char *name, const uint8_t *data, size_t size) {
  size_t part = power_part(size);
  if (part > 0) place_blob_write(name, data, part);
  if (part > 0) is_hurt[copy_named(name)] = part < size;
  return power_is_gone() ? SHALLOT_E_PORT_STORAGE : 0;
}

static int copy_remove(const char *name) {
  int fault = power_blob_remove(name);
  if (place_find(name) < 0) is_hurt[copy_named(name)] = false;
  return fault;
}

static void write_one(struct story *story) {
  struct value next;
  next.size = (int)story_string(story, next.bytes, sizeof next.bytes);
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
  port.blob_write = copy_write;
  port.blob_remove = copy_remove;
  now.size = before.size = -1;
  is_open_which = is_hurt[0] = is_hurt[1] = false;
  while (story.left > 0) step(&story);
  return 0;
}
