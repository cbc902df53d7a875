// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The ring of readings on flash: a story of entries, notes of a hub, power cuts, and slots that hold any bytes, under a sum that is right
 * too, at a restart or while it is read. What must hold: no call goes to flash more often than its slots ask for; what is sent was put or
 * is forged, the put ones in their order, none after it was noted; and every one that was put comes or is counted as lost, unless somebody
 * wrote over it under a right sum.
 */
#include "story.h"

#include "../core/spool.h"

enum { ENVELOPE_BYTES = 12, NUMBERS_MAX = 4096 };

/* How often each call may read, write or remove. An opening reads the ring no more than twice, and drops each slot of it once. */
enum { LOOKS_OPEN = 3 * SPOOL_SLOTS, LOOKS_PUT = 3, LOOKS_ENTRY = 2, LOOKS_STORED = 1, LOOKS_REWIND = 2 };

static const uint8_t mark[] = {0xd2, 's', 'p', 'o', 'o', 'l'};
static const uint8_t epoch[SHALLOT_EPOCH_BYTES] = {9};

static struct outbox outbox;
static struct spool spool;
static struct port port;
static uint8_t *room; /* of exactly the size that a room must have */
static unsigned looks_left;
static uint32_t made, flying, noted, lost;
static uint32_t latest; /* that was sent in this life */
static bool was_kept[NUMBERS_MAX], has_come[NUMBERS_MAX];
static uint32_t in_slot[SPOOL_SLOTS]; /* the last that was put there */

static void look(void) {
  if (looks_left-- == 0) abort();
}

static int counted_read(const char *name, uint8_t *out, size_t capacity) {
  look();
  return place_blob_read(name, out, capacity);
}

static int counted_write(const char *name, const uint8_t *data, size_t size) {
  look();
  return power_blob_write(name, data, size);
}

static int counted_remove(const char *name) {
  look();
  return power_blob_remove(name);
}

static void lost_count(void) {
  lost += spool.lost;
  spool.lost = 0;
}

static void life_begin(void) {
  lost_count();
  power_on();
  memset(&outbox, 0, sizeof outbox);
  looks_left = LOOKS_OPEN;
  spool_open(&spool, &port, room);
  flying = latest = 0;
}

static void entry_put(void) {
  struct outbox_label label = {.sequence = made + 1, .samples = 1};
  uint32_t slot = spool.next % SPOOL_SLOTS;
  if (made + 1 == NUMBERS_MAX) return;
  uint8_t *at = outbox_reserve(&outbox, ENVELOPE_BYTES);
  made++;
  memcpy(label.epoch, epoch, sizeof label.epoch);
  memset(at, 0, ENVELOPE_BYTES);
  memcpy(at, mark, sizeof mark);
  memcpy(at + sizeof mark, &made, sizeof made);
  outbox_add(&outbox, &label, ENVELOPE_BYTES);
  looks_left = LOOKS_PUT;
  was_kept[made] = spool_put(&spool, &outbox, room) == 0;
  if (was_kept[made]) in_slot[slot] = made;
  else memset(&outbox, 0, sizeof outbox);
}

static void entry_take(void) {
  looks_left = LOOKS_ENTRY * (spool.next - spool.first);
  size_t size = spool_take(&spool, room);
  if (size > SPOOL_ROOM_BYTES || (size > 0 && !spool.in_flight)) abort();
  if (size > 0) flying = 0;
  if (size != ENVELOPE_BYTES || memcmp(room, mark, sizeof mark) != 0) return;
  memcpy(&flying, room + sizeof mark, sizeof flying);
  if (flying == 0 || flying > made || flying <= noted || flying < latest) abort();
  latest = flying;
  has_come[flying] = true;
}

/* What was noted is gone only when its slot is: after a cut in between it comes once more. */
static void entry_note(bool is_far) {
  bool was_flying = flying > 0 && spool.in_flight;
  looks_left = LOOKS_STORED;
  spool_stored(&spool, epoch, is_far ? UINT32_MAX : flying);
  if (was_flying && !spool.in_flight && !power_is_gone()) noted = flying;
  if (!spool.in_flight) flying = 0;
}

static void link_cut(bool is_refused) {
  uint32_t before = spool.first;
  looks_left = LOOKS_REWIND;
  spool_rewind(&spool, is_refused, room);
  if (spool.first != before && flying > noted && !power_is_gone()) noted = flying;
  flying = 0;
}

/* Any bytes in a slot; never ours, which are known by their mark. */
static void slot_forge(struct story *story) {
  uint8_t bytes[80];
  unsigned slot = story_byte(story);
  char name[] = {'s', 'p', 'o', 'o', 'l', '-', (char)('0' + slot % SPOOL_SLOTS / 10), (char)('0' + slot % SPOOL_SLOTS % 10), 0};
  size_t size = story_string(story, bytes, sizeof bytes);
  for (size_t at = 0; at + sizeof mark <= size; at++)
    if (memcmp(bytes + at, mark, sizeof mark) == 0) return;
  bool is_right = slot & 0x80 || (size >= CRYPTO_SUM_BYTES && crypto_sum_fits(bytes, bytes + CRYPTO_SUM_BYTES, size - CRYPTO_SUM_BYTES));
  if (is_right) was_kept[in_slot[slot % SPOOL_SLOTS]] = false;
  flash_put(name, bytes, size, slot & 0x80 ? SUM_FIRST : SUM_NONE);
  if (!(slot & 0x40)) life_begin();
}

static void step(struct story *story) {
  unsigned what = story_byte(story);
  switch (what & 7) {
    case 0: slot_forge(story); return;
    case 1: life_begin(); return;
    case 2: entry_take(); return;
    case 3: entry_note(what & 8); return;
    case 4: link_cut(what & 8); return;
    case 5: power_cut_after(what >> 3 & 3, what >> 5); return;
    default:
      for (unsigned i = 0; i <= what >> 3; i++) entry_put();
  }
}

/* All that is left comes; then each that was safely put has come, or was counted. */
static void drain(void) {
  uint32_t kept = 0;
  life_begin();
  for (int i = 0; i <= SPOOL_SLOTS && !spool_is_empty(&spool); i++) {
    entry_take();
    if (!spool.in_flight) break;
    looks_left = LOOKS_STORED;
    spool_stored(&spool, spool.epoch, UINT32_MAX);
  }
  if (!spool_is_empty(&spool)) abort();
  lost_count();
  for (uint32_t i = 1; i <= made; i++) kept += was_kept[i] && !has_come[i];
  if (kept > lost) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct story story = {data, size};
  place_clear();
  port = place;
  port.blob_read = counted_read;
  port.blob_write = counted_write;
  port.blob_remove = counted_remove;
  room = malloc(SPOOL_ROOM_BYTES);
  if (room == NULL) abort();
  made = noted = lost = 0;
  memset(&spool, 0, sizeof spool);
  memset(was_kept, 0, sizeof was_kept);
  memset(has_come, 0, sizeof has_come);
  memset(in_slot, 0, sizeof in_slot);
  life_begin();
  while (story.left > 0) step(&story);
  drain();
  free(room);
  return 0;
}
