// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Manifests that any hub may send, and chunks, to a device whose check of the seal is left out: what the release key's thief can say too.
 * A story of frames, each behind its length; a length of 0 is a restart, in which what lies in flash may have changed.
 */
#include "story.h"

#include "../core/crypto.h"
#include "../core/envelope.h"
#include "../core/update.h"

enum { SLOT_BYTES = 2 * PORT_SECTOR_BYTES };

static uint8_t slot[SLOT_BYTES];
static int running;
static bool is_trial;
static bool is_restarting;

static int slot_running(bool *trial) {
  *trial = is_trial;
  return running;
}
static bool fits(uint32_t at, size_t size) { return at <= SLOT_BYTES && size <= SLOT_BYTES - at; }
static int slot_erase(uint32_t at) {
  if (at % PORT_SECTOR_BYTES != 0 || !fits(at, PORT_SECTOR_BYTES)) abort();
  memset(slot + at, 0xff, PORT_SECTOR_BYTES);
  return 0;
}
static int slot_write(uint32_t at, const uint8_t *data, size_t size) {
  if (at % 4 != 0 || !fits(at, size)) abort();
  memcpy(slot + at, data, size);
  return 0;
}
static int slot_read(uint32_t at, uint8_t *out, size_t size) {
  if (!fits(at, size)) abort();
  memcpy(out, slot + at, size);
  return 0;
}
static int slot_try(void) {
  is_trial = true;
  return 0;
}
static int slot_keep(void) {
  is_trial = false;
  return 0;
}
static void slot_restart(void) { is_restarting = true; }
static uint64_t now_ms(void) { return 1; }

static const struct slots slots = {SLOT_BYTES, slot_running, slot_erase, slot_write, slot_read, slot_try, slot_keep, slot_restart};
static const struct image image = {IMAGE_MAGIC, 5, "shallot", "host/porch-light", "0.5.0"};
static struct port port;
static struct update update;

static void start(void) {
  is_restarting = false;
  update_open(&update, &port, &image);
  if (is_restarting) running = 1 - running;
}

static void boot(void) {
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  crypto_sha256(digest, slot, update.state.size);
  if (memcmp(digest, update.state.image, sizeof digest) != 0) abort();
  update_boot(&update);
  running = 1 - running;
  start();
  update_healthy(&update);
}

static void offer(uint8_t *frame, size_t size) {
  struct envelope envelope;
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  if (envelope_open(&envelope, frame, size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX) != 0 || envelope.type != MESSAGE_MANIFEST) return;
  uint64_t floor = update_standing(&update).running;
  struct manifest_body manifest = claims_manifest(&envelope.claims);
  crypto_sha256(digest, frame, size);
  if (update_offer(&update, &manifest, digest) == 0 && (manifest.sequence <= floor || manifest.size > SLOT_BYTES)) abort();
}

static void frame_play(uint8_t *frame, size_t size) {
  struct note note;
  uint8_t wanted[NOTE_WANTED_FRAME_BYTES];
  if (size > 0 && frame[0] == ENVELOPE_FIRST_BYTE) offer(frame, size);
  else if (note_read(&note, frame, size) == 0 && note.kind == NOTE_CHUNK && update_chunk(&update, &note) == 1) boot();
  if (update_wanted(&update, wanted) > sizeof wanted || (update.state.phase == UPDATE_RECEIVING && update.got > update.state.size)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t room[ENVELOPE_HEADROOM + SHALLOT_DEVICE_ENVELOPE_BYTES_MAX];
  place_clear();
  port = place;
  port.slots = &slots;
  port.now_ms = now_ms;
  running = 0;
  is_trial = false;
  start();
  for (size_t at = 0; at + 2 <= size;) {
    size_t count = (size_t)(data[at] << 8 | data[at + 1]);
    at += 2;
    if (count == 0) {
      /* A state on flash may have other bits, and a sum that fits them all the same. */
      struct story story = {data + at, size - at};
      unsigned what = story_byte(&story);
      flash_change(&story, what & 1 ? "update-1" : "update-0", what & 2 ? SUM_FIRST : SUM_NONE);
      start();
      at = (size_t)(story.at - data);
      continue;
    }
    if (count > SHALLOT_DEVICE_ENVELOPE_BYTES_MAX || count > size - at) break;
    memcpy(room + ENVELOPE_HEADROOM, data + at, count);
    frame_play(room + ENVELOPE_HEADROOM, count);
    at += count;
  }
  return 0;
}
