// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Updates against power cuts at every write, on each boot loader there is: a flash whose power ends at a chosen operation (twin/flash.h),
 * then everything begins again from what is in it. A hub that offers the same image after each start is played, too.
 * Prints `ok CLAIM` or `FAILED CLAIM`; the status is the number that failed.
 */
#include <string.h>

#include "../core/crypto.h"
#include "../core/image.h"
#include "../core/line.h"
#include "../core/update.h"
#include "../port/esp32/slots.h"
#include "../port/esp8266/slots.h"
#include "twin/esp8266.h"
#include "twin/esp_ota.h"
#include "twin/flash.h"

enum { IMAGE_BYTES = 18001, STATES = 2, STARTS_MAX = 12, FLIP_STEP = 13, NOTHING = 0, OLD = 1, NEW = 2 };

/* What stands between power and an image. */
struct loader {
  const char *name;
  const struct slots *slots;
  void (*reset)(void);
  int (*boot)(bool *trial); /* the slot that runs */
  bool (*is_restarting)(void);
  int first; /* the slot that a device begins with */
};

static const struct port *console;
static int failed;
static struct {
  uint8_t bytes[STATES][sizeof(struct update_state)];
  size_t sizes[STATES];
} states;
static const struct loader *loader;
static uint64_t now;
static int running;
static bool is_trial;
static struct update update;
static struct port port;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, loader->name);
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

/* ---- what is remembered ---- */

static int place_of(const char *name) { return name[strlen(name) - 1] - '0'; }

static int blob_read(const char *name, uint8_t *out, size_t capacity) {
  size_t size = states.sizes[place_of(name)];
  if (size == 0) return SHALLOT_E_MISSING;
  if (size > capacity) return SHALLOT_E_OUT_OF_SPACE;
  memcpy(out, states.bytes[place_of(name)], size);
  return (int)size;
}

/* Worse than the port's promise: a torn blob is half the new and half the old. */
static int blob_write(const char *name, const uint8_t *data, size_t size) {
  size_t done = flash_power(size);
  memcpy(states.bytes[place_of(name)], data, done);
  if (done > 0) states.sizes[place_of(name)] = size;
  return flash_outcome();
}

static uint64_t now_ms(void) { return now; }

/* ---- the plainest boot loader that keeps the promise of port.h ---- */

static struct {
  int kept;
  bool tries_other;
  int running;
  bool is_trial;
  bool is_restarting;
} plain;

static int plain_running(bool *trial) {
  *trial = plain.is_trial;
  return plain.running;
}

static int plain_erase(uint32_t at) { return flash_erase(1 - plain.running, at); }
static int plain_write(uint32_t at, const uint8_t *data, size_t size) { return flash_write(1 - plain.running, at, data, size); }
static int plain_read(uint32_t at, uint8_t *out, size_t size) { return flash_read(1 - plain.running, at, out, size); }

static int plain_try_other(void) {
  if (flash_power(2) == 2) plain.tries_other = true;
  return flash_outcome();
}

static int plain_keep(void) {
  if (flash_power(2) == 2) plain.kept = plain.running;
  if (flash_has_power()) plain.is_trial = false;
  return flash_outcome();
}

static void plain_restart(void) { plain.is_restarting = true; }
static bool plain_is_restarting(void) { return plain.is_restarting; }
static void plain_reset(void) { memset(&plain, 0, sizeof plain); }

static int plain_boot(bool *trial) {
  plain.running = plain.tries_other ? 1 - plain.kept : plain.kept;
  *trial = plain.is_trial = plain.tries_other;
  plain.tries_other = plain.is_restarting = false;
  return plain.running;
}

IN_FLASH(static const struct slots plain_slots) = {FLASH_SLOT_BYTES, plain_running, plain_erase, plain_write, plain_read, plain_try_other, plain_keep, plain_restart};

/* ---- ESP-IDF's, behind the ESP32's port ---- */

static int idf_boot(bool *trial) {
  if (esp_ota_twin_boot() < 0) return -1;
  return esp32_slots.running(trial);
}

static void idf_reset(void) { esp_ota_twin_new(ESP_OTA_TWIN_FLASHED); }
static void idf_reset_blank(void) { esp_ota_twin_new(ESP_OTA_TWIN_BLANK); }
static void idf_reset_updated(void) { esp_ota_twin_new(ESP_OTA_TWIN_UPDATED); }
static bool idf_is_restarting(void) { return esp_ota_twin.is_restarting; }

/* ---- ours for the ESP8266, behind its port ---- */

static int chooser_boot(bool *trial) {
  if (esp8266_twin_boot() < 0) return -1;
  return esp8266_slots.running(trial);
}

static void chooser_reset(void) { esp8266_twin_new(0); }
static void chooser_reset_updated(void) { esp8266_twin_new(1); }
static bool chooser_is_restarting(void) { return esp8266_twin.is_restarting; }

IN_FLASH(static const struct loader loaders[]) = {
  {"", &plain_slots, plain_reset, plain_boot, plain_is_restarting, 0},
  {"esp32: ", &esp32_slots, idf_reset, idf_boot, idf_is_restarting, 0},
  {"esp32, otadata erased: ", &esp32_slots, idf_reset_blank, idf_boot, idf_is_restarting, 0},
  {"esp32, from the second slot: ", &esp32_slots, idf_reset_updated, idf_boot, idf_is_restarting, 1},
  {"esp8266: ", &esp8266_slots, chooser_reset, chooser_boot, chooser_is_restarting, 0},
  {"esp8266, from the second slot: ", &esp8266_slots, chooser_reset_updated, chooser_boot, chooser_is_restarting, 1},
};

/* ---- images: what is in them follows from version and place ---- */

static uint32_t image_bytes = IMAGE_BYTES;

static uint8_t image_byte(int version, uint32_t at) { return (uint8_t)(at / FLASH_CELL_BYTES * 7 + (uint32_t)version * 91); }

static bool holds_image(int slot, int version) {
  for (uint32_t at = 0; at < image_bytes; at += FLASH_CELL_BYTES) {
    if (flash.slots[slot][at / FLASH_CELL_BYTES] != image_byte(version, at)) return false;
  }
  return true;
}

static bool is_new_refused;

/* What a boot loader finds by an image's own digest. */
static bool is_sound(int slot) { return holds_image(slot, OLD) || (!is_new_refused && holds_image(slot, NEW)); }

static int image_source(const void *from, uint32_t at, uint8_t *out, size_t size) {
  for (size_t i = 0; i < size; i++) out[i] = image_byte(*(const int *)from, at + (uint32_t)i);
  return 0;
}

static int offer(int version, uint64_t sequence) {
  char vendor[sizeof own_image.vendor];
  char image_class[sizeof own_image.image_class];
  static uint8_t digests[NEW + 1][SHALLOT_DIGEST_BYTES];
  static uint32_t hashed[NEW + 1];
  uint8_t *digest = digests[version];
  uint8_t name[SHALLOT_DIGEST_BYTES] = {(uint8_t)sequence, (uint8_t)version};
  flash_copy(vendor, own_image.vendor, sizeof vendor);
  flash_copy(image_class, own_image.image_class, sizeof image_class);
  if (hashed[version] != image_bytes && crypto_sha256_of(digest, image_source, &version, image_bytes) == 0) hashed[version] = image_bytes;
  struct manifest_body manifest = {
    .sequence = sequence,
    .vendor = (const uint8_t *)vendor,
    .vendor_size = strnlen(vendor, sizeof vendor),
    .image_class = (const uint8_t *)image_class,
    .class_size = strnlen(image_class, sizeof image_class),
    .digest = digest,
    .size = image_bytes,
  };
  return update_offer(&update, &manifest, name);
}

static int chunk_send(int version) {
  uint8_t bytes[SHALLOT_CHUNK_BYTES];
  uint32_t at = update.got;
  size_t size = image_bytes - at < sizeof bytes ? image_bytes - at : sizeof bytes;
  image_source(&version, at, bytes, size);
  struct note chunk = {.kind = NOTE_CHUNK, .offset = at, .bytes = bytes, .bytes_size = size};
  return update_chunk(&update, &chunk);
}

/* ---- lives ---- */

/* The other slot holds whatever was there: it must be erased. */
static void device_new(void) {
  enum flash_cut cut = flash.cut;
  memset(&flash, 0, sizeof flash);
  memset(&states, 0, sizeof states);
  for (uint32_t at = 0; at < image_bytes; at += FLASH_CELL_BYTES) flash.slots[loader->first][at / FLASH_CELL_BYTES] = image_byte(OLD, at);
  loader->reset();
  flash.cut = cut;
  flash.operations_left = FLASH_NO_CUT;
  now = 1000;
}

/* What a boot loader does, once more if its power ends, and the first thing that an image does. */
static void start(void) {
  running = loader->boot(&is_trial);
  if (!flash_has_power()) {
    flash.operations_left = FLASH_NO_CUT;
    running = loader->boot(&is_trial);
  }
  if (running >= 0) update_open(&update, &port, &own_image);
}

static int version_running(void) {
  if (running < 0) return NOTHING;
  if (holds_image(running, OLD)) return OLD;
  return holds_image(running, NEW) ? NEW : NOTHING;
}

/* The hub's half on the old image: offers, and sends until the device restarts, the power goes or it says no. The code of the offer. */
static int hub_serve(uint32_t *chunks) {
  int code = offer(NEW, NEW);
  if (code) return code;
  for (int more = 0; more == 0 && flash_has_power() && update.code == 0; (*chunks)++) {
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
  flash.operations_left = cut_at;
  for (int starts = 0; starts < STARTS_MAX; starts++) {
    start();
    ending.version = version_running();
    ending.is_whole = ending.is_whole && ending.version != NOTHING;
    bool is_over = false;
    if (!loader->is_restarting() && ending.version == OLD) is_over = hub_serve(&ending.chunks) != 0 && flash_has_power();
    else if (!loader->is_restarting() && is_welcomed) is_over = update_healthy(&update) >= 0 && flash_has_power();
    else if (!loader->is_restarting()) update_watch(&update, now += SHALLOT_TRIAL_S_MAX * 1000 + 1);
    if (is_over) break;
    if (!flash_has_power()) flash.operations_left = FLASH_NO_CUT;
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

static void cut_claims(enum flash_cut first) {
  static const char *const how[] = {"before", "after", "in the middle of"};
  const uint32_t whole = (IMAGE_BYTES + SHALLOT_CHUNK_BYTES - 1) / SHALLOT_CHUNK_BYTES;
  struct ending ending = life(FLASH_NO_CUT, true);
  int writes = flash.operations;
  claim(ends_updated(&ending) && ending.chunks == whole, "without a cut each chunk is sent once, and the new image stays");
  ending = life(FLASH_NO_CUT, false);
  claim(ends_returned(&ending), "without a hub that welcomes it the old one is back for good");
  claim(writes > 45, "an update takes that many writes");
  for (int cut = (int)first; cut <= FLASH_CUT_TORN; cut++) {
    bool all_new = true, all_old = true, few = true;
    flash.cut = (enum flash_cut)cut;
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

/* When the last byte is there, as much is there as is remembered at once: then nothing may be left to send, and nothing to boot. */
static void even_claims(void) {
  bool all_new = true;
  image_bytes = UPDATE_KEEP_BYTES;
  life(FLASH_NO_CUT, true);
  int writes = flash.operations;
  for (int at = 0; at <= writes; at++) {
    struct ending ending = life(at, true);
    all_new = all_new && ends_updated(&ending);
  }
  claim(all_new, "so it is with an image of exactly as many bytes as are remembered at once");
  image_bytes = IMAGE_BYTES;
}

/* ---- what lies in flash ---- */

static bool is_under_way(void) {
  device_new();
  start();
  bool ok = offer(NEW, NEW) == 0;
  while (ok && update.state.kept == 0) ok = chunk_send(NEW) == 0;
  return ok;
}

/* Begins again from what lies there, and gets the image all the same: from the beginning, or from what was last remembered. */
static bool is_survived(void) {
  start();
  uint32_t from = update.got;
  uint32_t chunks = 0;
  bool ok = hub_serve(&chunks) == 0 && loader->is_restarting();
  start();
  return ok && is_trial && version_running() == NEW && (from == 0 || from == UPDATE_KEEP_BYTES);
}

static bool flip_is_survived(size_t bit, bool is_newest) {
  bool ok = is_under_way();
  unsigned place = (update.state.serial + (is_newest ? 0u : 1u)) % STATES;
  states.bytes[place][bit / 8] ^= (uint8_t)(1u << bit % 8);
  return ok && is_survived();
}

/* A right sum, and more bytes than the image has, none of a sector, a slot that there is not, or a phase. */
static bool nonsense_is_survived(int which) {
  struct update_state state;
  bool ok = is_under_way();
  uint8_t *bytes = states.bytes[update.state.serial % STATES];
  memcpy(&state, bytes, sizeof state);
  if (which == 0) state.kept = IMAGE_BYTES + PORT_SECTOR_BYTES - IMAGE_BYTES % PORT_SECTOR_BYTES;
  if (which == 1) state.kept += SHALLOT_CHUNK_BYTES;
  if (which == 2) state.size = loader->slots->bytes + 1;
  if (which == 3) state.slot = 2;
  if (which == 4) state.phase = UPDATE_RETURNED + 1;
  crypto_sum(state.sum, (const uint8_t *)&state + CRYPTO_SUM_BYTES, sizeof state - CRYPTO_SUM_BYTES);
  memcpy(bytes, &state, sizeof state);
  return ok && is_survived();
}

static void damage_claims(void) {
  bool newest = true, older = true;
  for (int which = 0; which < 5; which++) newest = newest && nonsense_is_survived(which);
  for (size_t bit = 0; bit < sizeof(struct update_state) * 8; bit += FLIP_STEP) {
    newest = newest && flip_is_survived(bit, true);
    older = older && flip_is_survived(bit, false);
  }
  claim(newest, "a flipped bit in the newest state, or what no state says, leaves the one before it");
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

/* An image may be what its manifest says and still nothing that the chip would run. */
static void refused_claims(void) {
  uint32_t chunks = 0;
  device_new();
  start();
  is_new_refused = true;
  bool is_sent = hub_serve(&chunks) == 0 && !loader->is_restarting();
  struct update_standing standing = update_standing(&update);
  claim(is_sent && standing.standing == SHALLOT_STANDING_RETURNED && standing.tried == NEW, "what the boot loader refuses counts as tried and returned");
  start();
  claim(version_running() == OLD && offer(NEW, NEW) == SHALLOT_E_REPLAYED, "and never boots");
  is_new_refused = false;
}

int app_main(const struct port *from) {
  console = from;
  esp_ota_twin.is_sound = esp8266_twin.is_sound = is_sound;
  for (size_t i = 0; i < sizeof loaders / sizeof loaders[0]; i++) {
    loader = &loaders[i];
    port = (struct port){.now_ms = now_ms, .blob_read = blob_read, .blob_write = blob_write, .slots = loader->slots};
    if (i == 0) order_claims();
    if (i == 0) damage_claims();
    if (i > 0) refused_claims();
    /* The pasts of one boot loader differ in what it writes; torn is the worst that can become of that. */
    if (i == 0) even_claims();
    cut_claims(loader->reset == idf_reset_blank || loader->first == 1 ? FLASH_CUT_TORN : FLASH_CUT_BEFORE);
  }
  log_text(from, "end");
  return failed;
}
