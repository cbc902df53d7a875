// SPDX-License-Identifier: GPL-3.0-or-later
#include "update.h"

#include <string.h>

#include "kept.h"
#include "crypto.h"
#include "envelope.h"
#include "identity.h"

enum { LAYOUT = 1, PLACES = 2 };

static const char STATE_BLOB[] = "update-";

/* ---- the state on flash ---- */

enum { SUMMED_BYTES = sizeof(struct update_state) - CRYPTO_SUM_BYTES };

static const uint8_t *summed(const struct update_state *state) { return (const uint8_t *)state + CRYPTO_SUM_BYTES; }

/* Whether it was ever written by state_store: a right sum does not say so of another firmware's bytes. */
static bool is_state(const struct update_state *state, const struct port *port) {
  uint32_t bytes_max = port->slots == NULL ? 0 : port->slots->bytes;
  bool is_within = state->kept <= state->size && state->kept % PORT_SECTOR_BYTES == 0 && (state->phase != UPDATE_RECEIVING || state->size <= bytes_max);
  return state->layout == LAYOUT && state->phase <= UPDATE_RETURNED && state->slot < PLACES && is_within;
}

static bool place_read(const struct port *port, unsigned place, struct update_state *state) {
  char name[PORT_BLOB_NAME_CHARS_MAX + 1];
  blob_name(name, STATE_BLOB, place);
  if (port->blob_read(name, (uint8_t *)state, sizeof *state) != (int)sizeof *state) return false;
  return crypto_sum_fits(state->sum, summed(state), SUMMED_BYTES) && is_state(state, port);
}

/* The newest that is sound. */
static void state_load(struct update *update) {
  struct update_state found;
  memset(&update->state, 0, sizeof update->state);
  for (unsigned place = 0; place < PLACES; place++) {
    if (place_read(update->port, place, &found) && found.serial > update->state.serial) update->state = found;
  }
}

/* Over the older of the two. */
static int state_store(struct update *update) {
  struct update_state *state = &update->state;
  char name[PORT_BLOB_NAME_CHARS_MAX + 1];
  state->serial++;
  state->layout = LAYOUT;
  int fault = crypto_sum(state->sum, summed(state), SUMMED_BYTES);
  blob_name(name, STATE_BLOB, state->serial % PLACES);
  return fault ? fault : update->port->blob_write(name, (const uint8_t *)state, sizeof *state);
}

/* ---- what has run, and what may ---- */

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

static bool is_on_trial(const struct update *update) { return update->trial_until_ms != 0; }

static uint64_t running_of(const struct update *update) {
  if (is_on_trial(update)) return update->state.sequence;
  return larger(image_sequence(update->image), update->state.running);
}

/* Also of a board that got a newer image over its serial line. */
static uint64_t floor_of(const struct update *update) { return larger(image_sequence(update->image), update->state.floor); }

struct update_standing update_standing(const struct update *update) {
  bool is_returned = update->state.phase == UPDATE_RETURNED;
  unsigned standing = is_on_trial(update) ? SHALLOT_STANDING_TRIAL : is_returned ? SHALLOT_STANDING_RETURNED : SHALLOT_STANDING_STEADY;
  return (struct update_standing){running_of(update), standing, update->state.sequence};
}

int update_release_key(const struct port *port, uint8_t key[SHALLOT_KEY_BYTES]) {
  struct borrowed borrowed;
  struct envelope record;
  int fault = kept_borrow(&borrowed, port, IDENTITY_RECORD_BLOB, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  if (fault) return fault == SHALLOT_E_MISSING ? SHALLOT_E_NO_RELEASE_KEY : fault;
  fault = envelope_open(&record, borrowed.bytes, borrowed.size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  const uint8_t *named = fault == 0 && record.type == MESSAGE_ENROLMENT ? claims_release(&record.claims) : NULL;
  if (named != NULL) memcpy(key, named, SHALLOT_KEY_BYTES);
  blob_give_back(&borrowed);
  return named == NULL ? SHALLOT_E_NO_RELEASE_KEY : 0;
}

/* Whether text of the wire is the padded text of the image. */
static bool is_image_text(const char *padded, size_t capacity, const uint8_t *text, size_t size) {
  char own[SHALLOT_CLASS_BYTES_MAX];
  flash_copy(own, padded, capacity);
  return strnlen(own, capacity) == size && memcmp(own, text, size) == 0;
}

/* SPEC 15.3 */
static int offer_judge(const struct update *update, const struct manifest_body *manifest) {
  const struct slots *slots = update->port->slots;
  const struct image *image = update->image;
  if (slots == NULL) return SHALLOT_E_NO_SLOT;
  if (!is_image_text(image->vendor, sizeof image->vendor, manifest->vendor, manifest->vendor_size)) return SHALLOT_E_WRONG_VENDOR;
  if (!is_image_text(image->image_class, sizeof image->image_class, manifest->image_class, manifest->class_size)) return SHALLOT_E_WRONG_CLASS;
  if (manifest->sequence < floor_of(update)) return SHALLOT_E_DOWNGRADE;
  if (manifest->sequence == floor_of(update)) return SHALLOT_E_REPLAYED;
  if (manifest->wire > SHALLOT_WIRE_VERSION || manifest->from > running_of(update)) return SHALLOT_E_UPDATE_CONDITION;
  if (manifest->size > slots->bytes) return SHALLOT_E_IMAGE_TOO_LARGE;
  return is_on_trial(update) ? SHALLOT_E_BUSY : 0;
}

bool update_knows(const struct update *update, const uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  bool is_it = memcmp(update->state.manifest, digest, SHALLOT_GOT_DIGEST_BYTES) == 0;
  return update->state.phase == UPDATE_RECEIVING && is_it;
}

/* ---- receiving ---- */

int update_offer(struct update *update, const struct manifest_body *manifest, const uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  struct update_state *state = &update->state;
  bool is_trial;
  int code = offer_judge(update, manifest);
  if (code) return code;
  if (!update_knows(update, digest)) {
    int running = update->port->slots->running(&is_trial);
    if (running < 0) return running;
    state->phase = UPDATE_RECEIVING;
    state->slot = (uint8_t)(1 - running);
    state->boots = 0;
    state->kept = 0;
    state->size = manifest->size;
    state->sequence = manifest->sequence;
    memcpy(state->manifest, digest, sizeof state->manifest);
    memcpy(state->image, manifest->digest, sizeof state->image);
    update->got = 0;
    code = state_store(update);
  }
  update->code = 0;
  update->is_wanted_due = code == 0;
  return code;
}

/* It is over: the hub is told why, and nothing of it boots. */
static int give_up(struct update *update, int code) {
  update->state.phase = UPDATE_NONE;
  update->code = (int16_t)code;
  update->is_wanted_due = true;
  state_store(update);
  return 0;
}

static int slot_fetch(const void *from, uint32_t at, uint8_t *out, size_t size) {
  const struct slots *slots = from;
  return slots->read(at, out, size);
}

/* What counts is what the slot gives back. */
static int slot_check(const struct update *update) {
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  int fault = crypto_sha256_of(digest, slot_fetch, update->port->slots, update->state.size);
  if (fault) return fault;
  return memcmp(digest, update->state.image, sizeof digest) == 0 ? 0 : SHALLOT_E_IMAGE_DIGEST;
}

static int slot_add(struct update *update, const uint8_t *bytes, size_t size) {
  const struct slots *slots = update->port->slots;
  bool begins_sector = update->got % PORT_SECTOR_BYTES == 0;
  int fault = begins_sector ? slots->erase(update->got) : 0;
  if (fault == 0) fault = slots->write(update->got, bytes, size);
  if (fault) return fault;
  update->got += (uint32_t)size;
  /* Nothing would be left to ask for after a power cut: the last sector comes again, and with it the look at the whole. */
  if (update->got - update->state.kept < UPDATE_KEEP_BYTES || update->got == update->state.size) return 0;
  update->state.kept = update->got - update->got % PORT_SECTOR_BYTES;
  return state_store(update);
}

int update_chunk(struct update *update, const struct note *chunk) {
  struct update_state *state = &update->state;
  if (state->phase != UPDATE_RECEIVING || update->got == state->size) return SHALLOT_E_UNEXPECTED_MESSAGE;
  uint32_t left = state->size - update->got;
  size_t expected = left < SHALLOT_CHUNK_BYTES ? left : SHALLOT_CHUNK_BYTES;
  if (chunk->offset != update->got || chunk->bytes_size != expected) return SHALLOT_E_BAD_NOTE;
  int fault = slot_add(update, chunk->bytes, chunk->bytes_size);
  if (fault == 0 && update->got == state->size) fault = slot_check(update);
  if (fault) return give_up(update, fault == SHALLOT_E_IMAGE_DIGEST ? fault : SHALLOT_E_DEVICE_FAULT);
  update->is_wanted_due = true;
  return update->got == state->size;
}

size_t update_wanted(struct update *update, uint8_t out[NOTE_WANTED_FRAME_BYTES]) {
  if (!update->is_wanted_due) return 0;
  update->is_wanted_due = false;
  return note_wanted_put(out, update->state.manifest, update->got, update->code);
}

/* ---- trial and return ---- */

static int returned(struct update *update) {
  update->state.phase = UPDATE_RETURNED;
  return state_store(update);
}

/* What the boot loader refuses does not become better by waiting. */
static int slot_try(struct update *update) {
  int fault = state_store(update);
  if (fault) return fault;
  fault = update->port->slots->try_other();
  if (fault) returned(update);
  else update->port->slots->restart();
  return fault;
}

/* Booting it makes its sequence the floor, whatever becomes of it. */
int update_boot(struct update *update) {
  struct update_state *state = &update->state;
  state->phase = UPDATE_TRIAL;
  state->boots = 1;
  state->floor = state->sequence;
  state->running = larger(image_sequence(update->image), state->running);
  int fault = slot_try(update);
  return fault ? fault : SHALLOT_E_INTERNAL;
}

static int trial_end(struct update *update) {
  update->trial_until_ms = 0;
  update->state.phase = UPDATE_NONE;
  update->state.running = update->state.sequence;
  return state_store(update);
}

int update_healthy(struct update *update) {
  if (!is_on_trial(update)) return 0;
  int fault = update->port->slots->keep();
  if (fault == 0) fault = trial_end(update);
  return fault ? fault : 1;
}

void update_watch(struct update *update, uint64_t now_ms) {
  if (!is_on_trial(update) || now_ms < update->trial_until_ms) return;
  returned(update);
  update->port->slots->restart();
}

/*
 * The state says trial. The new slot runs: it is on trial, or was kept just before a power cut. The old one runs: the new one did not
 * get so far as to say so, and has another chance, unless somebody brought a newer image by the serial line.
 */
static void trial_resume(struct update *update, int running, bool is_trial) {
  struct update_state *state = &update->state;
  if (running == state->slot && !is_trial) {
    trial_end(update);
  } else if (running == state->slot) {
    update->trial_until_ms = update->port->now_ms() + SHALLOT_TRIAL_S_MAX * 1000;
  } else if (state->boots < SHALLOT_TRIAL_BOOTS_MAX && image_sequence(update->image) < state->sequence) {
    state->boots++;
    slot_try(update);
  } else {
    returned(update);
  }
}

void update_open(struct update *update, const struct port *port, const struct image *image) {
  bool is_trial = false;
  memset(update, 0, sizeof *update);
  update->port = port;
  update->image = image;
  state_load(update);
  int running = port->slots == NULL ? -1 : port->slots->running(&is_trial);
  if (running < 0) return;
  if (update->state.phase == UPDATE_TRIAL) trial_resume(update, running, is_trial);
  update->got = update->state.kept;
}
