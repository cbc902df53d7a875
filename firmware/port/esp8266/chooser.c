// SPDX-License-Identifier: GPL-3.0-or-later
#include "chooser.h"

#include "program.h"

enum { PLACES = 2 };

/* Numbers that neither erased flash nor zeros are. */
enum standing { STEADY = 0x57d1, WANTED = 0x57d2, TRIED = 0x57d3 };

/* As it lies at the beginning of its sector, 16 bytes. */
struct record {
  uint32_t sum; /* CRC-32 of what follows */
  uint32_t serial;
  uint32_t kept; /* slot */
  uint32_t standing; /* of the other slot */
};

uint32_t chooser_slot_at(int slot) { return (slot ? (uint32_t)CHOOSER_MEGABYTE : 0) + CHOOSER_SLOT_AT; }

static uint32_t place_at(uint32_t serial) { return CHOOSER_STATE_AT + serial % PLACES * CHOOSER_SECTOR_BYTES; }

static uint32_t sum_of(const struct record *record) { return program_crc(0, &record->serial, sizeof *record - sizeof record->sum); }

static bool place_read(const struct chooser *chooser, uint32_t place, struct record *record) {
  if (chooser->read(place_at(place), record, sizeof *record) != 0 || record->sum != sum_of(record)) return false;
  return record->kept < PLACES && record->standing >= STEADY && record->standing <= TRIED && record->serial % PLACES == place;
}

/* The newest that is whole; without one what a board has that was flashed by its serial line: the first slot. */
static struct record state_load(const struct chooser *chooser) {
  struct record found;
  struct record newest = {.serial = 0, .kept = 0, .standing = STEADY};
  for (uint32_t place = 0; place < PLACES; place++) {
    if (place_read(chooser, place, &found) && found.serial > newest.serial) newest = found;
  }
  return newest;
}

/* Over the older of the two; what counts is what the flash gives back. */
static int state_store(const struct chooser *chooser, struct record state, int kept, enum standing standing) {
  struct record back;
  state.serial++;
  state.kept = (uint32_t)kept;
  state.standing = standing;
  state.sum = sum_of(&state);
  uint32_t at = place_at(state.serial);
  if (chooser->erase(at) != 0 || chooser->write(at, &state, sizeof state) != 0) return -1;
  return place_read(chooser, state.serial % PLACES, &back) && back.serial == state.serial && back.standing == state.standing ? 0 : -1;
}

int chooser_choose(const struct chooser *chooser) {
  struct record state = state_load(chooser);
  int kept = (int)state.kept;
  int other = 1 - kept;
  bool is_tried = state.standing == WANTED && state_store(chooser, state, kept, TRIED) == 0;
  if (is_tried && chooser->is_sound(other)) return other;
  if (chooser->is_sound(kept)) return kept;
  return chooser->is_sound(other) ? other : CHOOSER_NONE;
}

bool chooser_is_trial(const struct chooser *chooser, int running) {
  struct record state = state_load(chooser);
  return state.standing == TRIED && (int)state.kept != running;
}

int chooser_try_other(const struct chooser *chooser, int running) {
  if (!chooser->is_sound(1 - running)) return -1;
  return state_store(chooser, state_load(chooser), running, WANTED);
}

int chooser_keep(const struct chooser *chooser, int running) {
  struct record state = state_load(chooser);
  if ((int)state.kept == running && state.standing == STEADY) return 0;
  return state_store(chooser, state, running, STEADY);
}
