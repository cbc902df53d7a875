// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The small tables on flash, any bytes in them and any bytes under a right sum: uses, lists, wrong tries, places, the owner's record, the
 * door's key, an update's state, a Wi-Fi. A story places blobs; then a life begins over them, and does what it does with each.
 * What must hold beside not breaking: no use is given back, no wait is waived, nothing is joined, written or dialled that is out of bounds.
 */
#include "story.h"

#include "../core/cbor.h"
#include "../core/direct.h"
#include "../core/discovery.h"
#include "../core/envelope.h"
#include "../core/kept.h"
#include "../core/identity.h"
#include "../core/keycodes.h"
#include "../core/places.h"
#include "../core/revocations.h"
#include "../core/session.h"
#include "../core/signer.h"
#include "../core/update.h"
#include "../core/uses.h"
#include "../core/wifi.h"

enum { SLOT_BYTES = 2 * PORT_SECTOR_BYTES, TRIES_BYTES = 4, KEY_AND_POINT_BYTES = SIGNER_KEY_BYTES + SIGNER_POINT_BYTES };

/* `whole`: the size that its reader wants; 0: any. */
static const struct {
  const char *name;
  uint16_t whole;
  enum sum_place sum;
} blobs[] = {
  {"uses", 0, SUM_LAST},      {"usesb", 0, SUM_LAST},
  {"pin-tries", TRIES_BYTES, SUM_LAST}, {"pin-triesb", TRIES_BYTES, SUM_LAST},
  {"revoked-0", 0, SUM_LAST}, {"revoked-1", 0, SUM_LAST},
  {"revoked-1b", 0, SUM_LAST}, {"pin-0", 0, SUM_LAST},
  {"places", 0, SUM_FIRST},   {"record", 0, SUM_LAST},
  {"recordb", 0, SUM_LAST},   {"direct", KEY_AND_POINT_BYTES, SUM_LAST},
  {"update-0", sizeof(struct update_state) - CRYPTO_SUM_BYTES, SUM_FIRST},
  {"update-1", sizeof(struct update_state) - CRYPTO_SUM_BYTES, SUM_FIRST},
  {"wifi", 0, SUM_NONE},
};
enum { BLOBS = sizeof blobs / sizeof blobs[0], WIFI = BLOBS - 1 };

/* ---- the place ---- */

static int slot_running(bool *is_trial) {
  *is_trial = false;
  return 0;
}
static bool slot_fits(uint32_t at, size_t size) { return at <= SLOT_BYTES && size <= SLOT_BYTES - at; }
static int slot_erase(uint32_t at) {
  if (at % PORT_SECTOR_BYTES != 0 || !slot_fits(at, PORT_SECTOR_BYTES)) abort();
  return 0;
}
static int slot_write(uint32_t at, const uint8_t *data, size_t size) {
  (void)data;
  if (at % 4 != 0 || !slot_fits(at, size) || at / PORT_SECTOR_BYTES != (at + size - 1) / PORT_SECTOR_BYTES) abort();
  return 0;
}
static int slot_read(uint32_t at, uint8_t *out, size_t size) {
  if (!slot_fits(at, size)) abort();
  memset(out, 0, size);
  return 0;
}
static int slot_done(void) { return 0; }
static void slot_restart(void) {}
static const struct slots slots = {SLOT_BYTES, slot_running, slot_erase, slot_write, slot_read, slot_done, slot_done, slot_restart};

static int wifi_join(const char *name, const char *password, uint32_t timeout_ms) {
  (void)timeout_ms;
  if (strlen(name) < 1 || strlen(name) > SHALLOT_WIFI_NAME_BYTES_MAX || strlen(password) > SHALLOT_WIFI_PASSWORD_BYTES_MAX) abort();
  return 0;
}
static int listen_at(uint16_t tcp_port) { return tcp_port; }
static const struct listener listener = {.listen = listen_at};
static int chance(uint8_t *out, size_t size) {
  memset(out, 7, size);
  return 0;
}
static int point_make(const struct port *port, unsigned key, uint8_t point[SIGNER_POINT_BYTES - 1]) {
  (void)port;
  if (key > 1) abort();
  memset(point, 5, SIGNER_POINT_BYTES - 1);
  return 0;
}
static const struct point_signer point_signer = {"chip", point_make, NULL};
static int64_t unix_time(void) { return 0; }

/* ---- the device ---- */

static const uint8_t device[SHALLOT_KEY_BYTES] = {3};
static const uint8_t root[SHALLOT_KEY_BYTES] = {2};
static const uint8_t seed[SHALLOT_KEY_BYTES] = {4};
static const uint16_t affordances[] = {1, 7};
static struct grant table[2];
static struct keycodes codes;
static const struct app app = {
  .firmware = "fuzz", .affordances = affordances, .affordances_count = 2, .grants = table, .grants_max = 2, .codes = &codes};
static const struct image image = {IMAGE_MAGIC, 5, "shallot", "host/porch-light", "0.5.0"};
static struct session session;
static struct update update;
static struct port port;

/* ---- what a life does with each ---- */

static bool is_there(const char *name) { return place_find(name) >= 0; }

static void uses_live(struct story *story) {
  uint8_t bytes[PORT_BLOB_BYTES_MAX];
  struct grant link = {.uses = (uint8_t)(1 + story_byte(story) % 3), .expires_s = (uint32_t)story_byte(story) << 24};
  struct grant *links[] = {&link};
  story_fill(story, link.id, sizeof link.id);
  uint32_t now_s = (uint32_t)story_byte(story) << 24;
  uses_latest_s(&port);
  /* Counts that cannot be read are no permission to begin at 0. */
  if (kept_read(&port, "uses", bytes, sizeof bytes) == SHALLOT_E_PORT_STORAGE && uses_check(&port, &link) == 0) abort();
  for (unsigned i = 0; i <= 3; i++) {
    bool may_be_used = uses_check(&port, &link) == 0;
    int counted = uses_count(&port, links, 1, now_s);
    /* Nothing that had its uses has more of them. */
    if (counted == 0 && (!may_be_used || i >= link.uses)) abort();
  }
}

/* Who pulled the plug, or hurt what counts the tries, waits all the same. */
static void tries_live(void) {
  uint32_t wrong;
  bool was_there = is_there("pin-tries") || is_there("pin-triesb");
  int size = kept_read(&port, "pin-tries", (uint8_t *)&wrong, sizeof wrong);
  bool must_wait = was_there && (size != sizeof wrong || wrong >= SHALLOT_PIN_TRIES_FREE);
  keycodes_open(&codes, &port);
  if ((keycodes_wait_ms(&codes, port.now_ms()) > 0) != must_wait) abort();
}

static void lists_live(struct story *story) {
  uint8_t id[SHALLOT_GRANT_ID_BYTES], key[SHALLOT_KEY_BYTES];
  story_fill(story, id, sizeof id);
  story_fill(story, key, sizeof key);
  struct revocable what = {.id = id, .holder = key, .sealer = key, .is_passed_on = true};
  revocations_check(&session.gate, &port, &what);
  revocations_check_key(&session.gate, &port, key);
  revocations_latest_s(&port);
  keycodes_has(&session.grants, id);
}

static void places_live(void) {
  struct discovery found;
  for (unsigned number = 0; number <= SHALLOT_PLACES_MAX + 1; number++) {
    int fault = places_read(&port, number, &found);
    if (memchr(found.host, 0, sizeof found.host) == NULL) abort();
    if ((fault == 0) != (found.tcp_port != 0) || (fault == 0 && number >= SHALLOT_PLACES_MAX)) abort();
  }
}

static void record_live(void) {
  uint8_t key[SHALLOT_KEY_BYTES];
  int size = kept_read(&port, IDENTITY_RECORD_BLOB, session.buffer + SESSION_BEFORE_FRAME, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  if (size > 0) session_hold_record(&session, session.buffer + SESSION_BEFORE_FRAME, (size_t)size);
  update_release_key(&port, key);
}

static void door_live(bool has_chip) {
  struct direct_config config = {.port = &port, .unix_time = unix_time, .device = device};
  uint16_t tcp_port;
  const uint8_t *point;
  port.point_signer = has_chip ? &point_signer : NULL;
  if (direct_begin(&config, &tcp_port, &point) == 0 && (tcp_port == 0 || point[0] != 4)) abort();
}

/* It goes on where the state says that it was, with whatever the hub sends. */
static void update_live(void) {
  static uint8_t bytes[SHALLOT_CHUNK_BYTES];
  update_open(&update, &port, &image);
  update_watch(&update, port.now_ms());
  for (unsigned i = 0; i < 3; i++) {
    uint32_t left = update.state.size - update.got;
    struct note chunk = {.kind = NOTE_CHUNK, .offset = update.got, .bytes = bytes, .bytes_size = left < sizeof bytes ? left : sizeof bytes};
    if (update_chunk(&update, &chunk) != 0) break;
  }
  update_standing(&update);
  update_healthy(&update);
}

/* ---- the story ---- */

/* A network under its sum, whatever its name and its password are. */
static void wifi_place(struct story *story) {
  struct wifi wifi = {.name = ""};
  uint8_t bytes[PORT_BLOB_BYTES_MAX], sum[CRYPTO_SUM_BYTES];
  size_t name_size = story_string(story, (uint8_t *)wifi.name, sizeof wifi.name);
  size_t password_size = story_string(story, (uint8_t *)wifi.password, sizeof wifi.password);
  struct cbor_writer writer = cbor_writer_into(bytes, sizeof bytes);
  crypto_sum(sum, (const uint8_t *)&wifi, sizeof wifi);
  cbor_put_array(&writer, 3);
  cbor_put_text(&writer, wifi.name, name_size);
  cbor_put_text(&writer, wifi.password, password_size);
  cbor_put_bytes(&writer, sum, sizeof sum);
  flash_put("wifi", bytes, (size_t)cbor_written(&writer), SUM_NONE);
}

/* Sound in its sum, and as large as it must be, or just any bytes. */
static void blob_place(struct story *story) {
  uint8_t bytes[PORT_BLOB_BYTES_MAX] = {0};
  unsigned what = story_byte(story);
  unsigned blob = (what & 0x3f) % BLOBS;
  bool is_sound = what & 0x40;
  if (blob == WIFI && is_sound) {
    wifi_place(story);
    return;
  }
  size_t size = story_string(story, bytes, sizeof bytes - CRYPTO_SUM_BYTES);
  if (is_sound && blobs[blob].whole > 0) size = blobs[blob].whole;
  flash_put(blobs[blob].name, bytes, size, is_sound ? blobs[blob].sum : SUM_NONE);
}

static void life_begin(struct story *story, bool has_chip) {
  static struct session_config config = {{seed, device}, root, &app, "fuzz", chance, &port, NULL, NULL, 0, NULL, NULL};
  session_open(&session, &config);
  record_live();
  lists_live(story);
  places_live();
  tries_live();
  uses_live(story);
  wifi_resume(&port);
  update_live();
  if (has_chip || is_there("direct")) door_live(has_chip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct story story = {data, size};
  unsigned first = story_byte(&story);
  place_clear();
  port = place;
  port.random = chance;
  port.slots = &slots;
  port.listener = &listener;
  port.wifi_join = wifi_join;
  for (unsigned i = 0; i < (first & 0xf); i++) blob_place(&story);
  life_begin(&story, first & 0x10);
  return 0;
}
