// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Updates against power cuts at every write: two slots, a boot record and blobs in memory, which stop working at a chosen operation,
 * before it, after it or in the middle (of 64 bytes of a slot one is kept: all of them are the same, and memory is short); then everything begins again from what is in them. A hub that offers the same image after each
 * start is played, too. Prints `ok CLAIM` or `FAILED CLAIM`; the status is the number that failed.
 */
#include <string.h>

#include "../core/crypto.h"
#include "../core/image.h"
#include "../core/line.h"
#include "../core/update.h"

enum { CELL_BYTES = 64, SLOT_BYTES = 5 * PORT_SECTOR_BYTES, IMAGE_BYTES = 18001, STATES = 2, NO_CUT = 0x7fffffff, STARTS_MAX = 12, FLIP_STEP = 13, OLD = 1, NEW = 2 };
enum cut { CUT_BEFORE, CUT_AFTER, CUT_TORN };

static const struct port *console;
static int failed;
static struct {
  uint8_t slots[2][SLOT_BYTES / CELL_BYTES];
  uint8_t states[STATES][sizeof(struct update_state)];
  size_t state_sizes[STATES];
  int kept;
  bool tries_other;
} flash;
static int operations_left;
static int operations; /* in all */
static enum cut cut;
static uint64_t now;
static int running;
static bool is_trial;
static bool is_restarting;
static struct update update;
static struct port port;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

/* ---- a flash with an end ---- */

static bool has_power(void) { return operations_left >= 0; }

/* How much of `size` still happens. */
static size_t power(size_t size) {
  if (!has_power()) return 0;
  operations++;
  if (operations_left-- > 0) return size;
  return cut == CUT_AFTER ? size : cut == CUT_TORN ? size / 2 : 0;
}

static int outcome(void) { return has_power() ? 0 : SHALLOT_E_PORT_STORAGE; }

static int place_of(const char *name) { return name[strlen(name) - 1] - '0'; }

static int blob_read(const char *name, uint8_t *out, size_t capacity) {
  size_t size = flash.state_sizes[place_of(name)];
  if (size == 0) return SHALLOT_E_MISSING;
  if (size > capacity) return SHALLOT_E_OUT_OF_SPACE;
  memcpy(out, flash.states[place_of(name)], size);
  return (int)size;
}

/* Worse than the port's promise: a torn blob is half the new and half the old. */
static int blob_write(const char *name, const uint8_t *data, size_t size) {
  size_t done = power(size);
  memcpy(flash.states[place_of(name)], data, done);
  if (done > 0) flash.state_sizes[place_of(name)] = size;
  return outcome();
}

static int slots_running(bool *trial) {
  *trial = is_trial;
  return running;
}

static int slots_erase(uint32_t at) {
  memset(flash.slots[1 - running] + at / CELL_BYTES, 0xff, power(PORT_SECTOR_BYTES) / CELL_BYTES);
  return outcome();
}

/* As flash does it: bits only fall. */
static int slots_write(uint32_t at, const uint8_t *data, size_t size) {
  size_t done = power(size);
  for (size_t i = 0; i < done; i += CELL_BYTES) flash.slots[1 - running][(at + i) / CELL_BYTES] &= data[i];
  return outcome();
}

static int slots_read(uint32_t at, uint8_t *out, size_t size) {
  for (size_t i = 0; i < size; i++) out[i] = flash.slots[1 - running][(at + i) / CELL_BYTES];
  return 0;
}

static int slots_try_other(void) {
  if (power(2) == 2) flash.tries_other = true;
  return outcome();
}

static int slots_keep(void) {
  if (power(2) == 2) flash.kept = running;
  if (has_power()) is_trial = false;
  return outcome();
}

static void slots_restart(void) { is_restarting = true; }

static uint64_t now_ms(void) { return now; }

IN_FLASH(static const struct slots slots) = {SLOT_BYTES, slots_running, slots_erase, slots_write, slots_read, slots_try_other, slots_keep, slots_restart};

/* ---- images: what is in them follows from version and place ---- */

static uint8_t image_byte(int version, uint32_t at) { return (uint8_t)(at / CELL_BYTES * 7 + (uint32_t)version * 91); }

static bool holds_image(int slot, int version) {
  for (uint32_t at = 0; at < IMAGE_BYTES; at += CELL_BYTES) {
    if (flash.slots[slot][at / CELL_BYTES] != image_byte(version, at)) return false;
  }
  return true;
}

static int image_source(const void *from, uint32_t at, uint8_t *out, size_t size) {
  for (size_t i = 0; i < size; i++) out[i] = image_byte(*(const int *)from, at + (uint32_t)i);
  return 0;
}

static int offer(int version, uint64_t sequence) {
  char vendor[sizeof own_image.vendor];
  char image_class[sizeof own_image.image_class];
  static uint8_t digests[NEW + 1][SHALLOT_DIGEST_BYTES];
  static bool is_hashed[NEW + 1];
  uint8_t *digest = digests[version];
  uint8_t name[SHALLOT_DIGEST_BYTES] = {(uint8_t)sequence, (uint8_t)version};
  flash_copy(vendor, own_image.vendor, sizeof vendor);
  flash_copy(image_class, own_image.image_class, sizeof image_class);
  if (!is_hashed[version]) is_hashed[version] = crypto_sha256_of(digest, image_source, &version, IMAGE_BYTES) == 0;
  struct manifest_body manifest = {
    .sequence = sequence,
    .vendor = (const uint8_t *)vendor,
    .vendor_size = strnlen(vendor, sizeof vendor),
    .image_class = (const uint8_t *)image_class,
    .class_size = strnlen(image_class, sizeof image_class),
    .digest = digest,
    .size = IMAGE_BYTES,
  };
  return update_offer(&update, &manifest, name);
}

static int chunk_send(int version) {
  uint8_t bytes[SHALLOT_CHUNK_BYTES];
  uint32_t at = update.got;
  size_t size = IMAGE_BYTES - at < sizeof bytes ? IMAGE_BYTES - at : sizeof bytes;
  image_source(&version, at, bytes, size);
  struct note chunk = {.kind = NOTE_CHUNK, .offset = at, .bytes = bytes, .bytes_size = size};
  return update_chunk(&update, &chunk);
}

/* ---- lives ---- */

/* The other slot holds whatever was there: it must be erased. */
static void device_new(void) {
  int version = OLD;
  memset(&flash, 0, sizeof flash);
  for (uint32_t at = 0; at < IMAGE_BYTES; at += CELL_BYTES) flash.slots[0][at / CELL_BYTES] = image_byte(version, at);
  operations_left = NO_CUT;
  operations = 0;
  now = 1000;
}

/* What a boot loader does, and the first thing that an image does. */
static void start(void) {
  running = flash.tries_other ? 1 - flash.kept : flash.kept;
  is_trial = flash.tries_other;
  flash.tries_other = false;
  is_restarting = false;
  update_open(&update, &port, &own_image);
}

static int version_running(void) {
  if (holds_image(running, OLD)) return OLD;
  return holds_image(running, NEW) ? NEW : 0;
}

/* The hub's half on the old image: offers, and sends until the device restarts, the power goes or it says no. The code of the offer. */
static int hub_serve(uint32_t *chunks) {
  int code = offer(NEW, NEW);
  if (code) return code;
  for (int more = 0; more == 0 && has_power() && update.code == 0; (*chunks)++) {
    more = chunk_send(NEW);
    if (more > 0) update_boot(&update);
  }
  return 0;
}

struct ending {
  bool is_whole; /* everything that was ever booted */
  int version;
  struct update_standing standing;
  uint32_t chunks; /* that were sent in all */
};

/* From an offer to the end of it, with a power cut at the n-th write. is_welcomed: whether a hub takes the new image's hello. */
static struct ending life(int cut_at, bool is_welcomed) {
  struct ending ending = {.is_whole = true};
  device_new();
  operations_left = cut_at;
  for (int starts = 0; starts < STARTS_MAX; starts++) {
    start();
    ending.version = version_running();
    ending.is_whole = ending.is_whole && ending.version != 0;
    bool is_over = false;
    if (!is_restarting && ending.version == OLD) is_over = hub_serve(&ending.chunks) != 0 && has_power();
    else if (!is_restarting && is_welcomed) is_over = update_healthy(&update) >= 0 && has_power();
    else if (!is_restarting) update_watch(&update, now += SHALLOT_TRIAL_S_MAX * 1000 + 1);
    if (is_over) break;
    if (!has_power()) operations_left = NO_CUT;
  }
  start();
  ending.is_whole = ending.is_whole && version_running() == ending.version;
  ending.standing = update_standing(&update);
  return ending;
}

static bool ends_updated(const struct ending *ending) {
  return ending->is_whole && ending->version == NEW && ending->standing.running == NEW && ending->standing.standing == SHALLOT_STANDING_STEADY;
}

static bool ends_returned(const struct ending *ending) {
  bool is_back = ending->is_whole && ending->version == OLD && ending->standing.running == OLD && ending->standing.standing == SHALLOT_STANDING_RETURNED;
  return is_back && offer(NEW, NEW) == SHALLOT_E_REPLAYED && offer(OLD, OLD) == SHALLOT_E_DOWNGRADE;
}

static void cut_claims(void) {
  static const char *const how[] = {"before", "after", "in the middle of"};
  const uint32_t whole = (IMAGE_BYTES + SHALLOT_CHUNK_BYTES - 1) / SHALLOT_CHUNK_BYTES;
  struct ending ending = life(NO_CUT, true);
  int writes = operations;
  claim(ends_updated(&ending) && ending.chunks == whole, "without a cut each chunk is sent once, and the new image stays");
  ending = life(NO_CUT, false);
  claim(ends_returned(&ending), "without a hub that welcomes it the old one comes back, and takes neither it nor an older one");
  claim(writes > 45, "an update takes that many writes");
  for (cut = CUT_BEFORE; cut <= CUT_TORN; cut++) {
    bool all_new = true, all_old = true, few = true;
    for (int at = 0; at <= writes; at++) {
      ending = life(at, true);
      all_new = all_new && ends_updated(&ending);
      few = few && ending.chunks <= whole + UPDATE_KEEP_BYTES / SHALLOT_CHUNK_BYTES + 1;
      ending = life(at, false);
      all_old = all_old && ends_returned(&ending);
    }
    struct line line = {.size = 0};
    line_add(&line, "a power cut ");
    line_add(&line, how[cut]);
    line_add(&line, " any write");
    claim(all_new, line.text);
    claim(all_old, "the same, of an image that no hub welcomes");
    claim(few, "and no more is sent again than was not remembered");
  }
}

/* ---- what lies in flash ---- */

static bool flip_is_survived(size_t bit, bool is_newest) {
  device_new();
  start();
  bool ok = offer(NEW, NEW) == 0;
  while (ok && update.state.kept == 0) ok = chunk_send(NEW) == 0;
  unsigned place = (update.state.serial + (is_newest ? 0u : 1u)) % STATES;
  flash.states[place][bit / 8] ^= (uint8_t)(1u << bit % 8);
  start();
  uint32_t from = update.got;
  uint32_t chunks = 0;
  ok = ok && hub_serve(&chunks) == 0 && is_restarting;
  start();
  return ok && is_trial && version_running() == NEW && (from == 0 || from == UPDATE_KEEP_BYTES);
}

static void damage_claims(void) {
  bool newest = true, older = true;
  for (size_t bit = 0; bit < sizeof(struct update_state) * 8; bit += FLIP_STEP) {
    newest = newest && flip_is_survived(bit, true);
    older = older && flip_is_survived(bit, false);
  }
  claim(newest, "a flipped bit in the newest state leaves the one before it");
  claim(older, "one in the other state changes nothing");
  device_new();
  start();
  offer(NEW, NEW);
  for (int more = 0; more == 0; more = chunk_send(NEW)) {
    if (update.got == 2 * SHALLOT_CHUNK_BYTES) flash.slots[1][7] ^= 1;
  }
  claim(update.code == SHALLOT_E_IMAGE_DIGEST && update.state.phase == UPDATE_NONE, "a slot that forgets a bit is not booted");
  start();
  claim(version_running() == OLD && offer(NEW, NEW) == 0 && update.got == 0, "and the same image may be sent again");
}

static void order_claims(void) {
  static const uint8_t bytes[SHALLOT_CHUNK_BYTES];
  device_new();
  start();
  struct note chunk = {.kind = NOTE_CHUNK, .offset = 0, .bytes = bytes, .bytes_size = SHALLOT_CHUNK_BYTES};
  claim(update_chunk(&update, &chunk) == SHALLOT_E_UNEXPECTED_MESSAGE, "no chunk is taken before an offer");
  offer(NEW, NEW);
  chunk.offset = SHALLOT_CHUNK_BYTES;
  claim(update_chunk(&update, &chunk) == SHALLOT_E_BAD_NOTE, "nor one that is not the next");
  chunk.offset = 0;
  chunk.bytes_size = 1;
  claim(update_chunk(&update, &chunk) == SHALLOT_E_BAD_NOTE, "nor one that is shorter than it must be");
  claim(update.got == 0 && flash.slots[1][0] == 0, "and nothing of them is written");
  for (int i = 0; i < 3; i++) chunk_send(NEW);
  claim(offer(OLD, NEW + 1) == 0 && update.got == 0, "a newer offer takes the place of one under way");
  claim(offer(NEW, NEW) == 0 && update.got == 0, "and what never booted may be offered once more");
}

int app_main(const struct port *from) {
  console = from;
  port = (struct port){.now_ms = now_ms, .blob_read = blob_read, .blob_write = blob_write, .slots = &slots};
  order_claims();
  damage_claims();
  cut_claims();
  log_text(from, "end");
  return failed;
}
