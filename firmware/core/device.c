// SPDX-License-Identifier: GPL-3.0-or-later
#include "device.h"

#include <string.h>

#include "arena.h"
#include "base64url.h"
#include "built_in.h"
#include "crypto.h"
#include "direct.h"
#include "discovery.h"
#include "enrol.h"
#include "identity.h"
#include "image.h"
#include "kept.h"
#include "keycodes.h"
#include "line.h"
#include "places.h"
#include "provision.h"
#include "renewal.h"
#include "revocations.h"
#include "session.h"
#include "signer.h"
#include "spool.h"
#include "tls.h"
#include "update.h"
#include "uses.h"

enum {
  CONNECT_MS_MAX = 5000,
  CONNECT_MS_MAX_MINDING = 2000, /* of an app that has something that cannot wait */
  DIAL_MS = 20,
  WRITE_MS_MAX = 5000,
  CONSOLE_MS = 1000,
  READ_BYTES = 256,
  PAUSE_MS_LEAST = 1000,
  PAUSE_MS_MOST = 60000,
  DISCOVERY_MS_MAX = 1000,
  PROVISION_SILENCE_MS_MAX = 10000,
  /* A link that is away for less costs no flash. */
  AWAY_MS = 10000,
  UNSEALED_MS_MAX = 300000
};

static const char CODE_BLOB[] = "code";
static const char TICKET_BLOB[] = "ticket";

struct device {
  const struct port *port;
  const struct app *app;
  struct identity identity;
  struct session_config session_config;
  struct tls_config tls_config;
  uint16_t door_port; /* 0: there is no door */
  const uint8_t *door_point;
  struct tls tls;
  struct spool spool;
  struct update update;
  struct discovery found; /* where the hub may be instead of where it was */
  struct session session; /* its gate and buffer also serve enrolment, when there is no session */
  uint64_t tick_due_ms;
  uint64_t away_since_ms;
  uint32_t pause_ms;
  uint8_t chain_tries; /* of this place, which shows a leaf that is not under our pins */
  uint8_t place;       /* the next of the places that the hub told, when it is nowhere else */
  bool was_welcomed;   /* in this connection */
  bool is_handed_over; /* what comes of it is told at the console, SPEC 17 */
  uint8_t record_digest[GATE_DIGEST_BYTES];
};

/* The one device there is: tls_config.unix_time has no way to be told which. */
static struct device device;

static int64_t unix_time(void) { return session_time_s(&device.session, device.port->now_ms()); }

static bool is_enrolled(void) { return device.identity.is_enrolled; }

/* Room for frames, stored blobs and console lines; the session's own while there is one. */
static uint8_t *scratch(void) { return device.session.buffer + SESSION_BEFORE_FRAME; }

enum { SCRATCH_BYTES = SESSION_BUFFER_BYTES - SESSION_BEFORE_FRAME };
typedef char spool_fits_scratch[SPOOL_ROOM_BYTES <= SCRATCH_BYTES ? 1 : -1];

/* ---- what waits for a hub ---- */

/* What the spool dropped is told like what the outbox dropped. */
static void lost_count(void) {
  device.session.outbox.lost += device.spool.lost;
  device.spool.lost = 0;
}

/* While there is no link, sealed readings go to flash, where they outlive a power cut. */
static void spool_fill(void) {
  while (spool_put(&device.spool, &device.session.outbox, scratch()) == 0) {}
  lost_count();
}

static void spool_tend(uint64_t now_ms) {
  if (device.session.state != SESSION_CLOSED || now_ms - device.away_since_ms < AWAY_MS) return;
  session_seal_waiting(&device.session, UNSEALED_MS_MAX, now_ms);
  spool_fill();
}

/* Before a connection: what lies in flash is older than what is in memory, so all of it goes there, and a new epoch follows. */
static int spool_precede(void) {
  if (spool_is_empty(&device.spool)) return 0;
  spool_fill();
  return session_renew_epoch(&device.session);
}

static void spool_send(void) {
  size_t capacity;
  if (!session_has_room(&device.session)) return;
  size_t size = spool_take(&device.spool, session_record_room(&device.session, &capacity));
  if (size > 0) session_send_record(&device.session, size);
  lost_count();
}

/* ---- the app's time ---- */

static uint32_t app_tick(void) {
  struct changes changes = {.count = 0, .act_source = 0};
  uint64_t now_ms = device.port->now_ms();
  if (now_ms >= device.tick_due_ms) {
    device.tick_due_ms = now_ms + device.app->tick(now_ms, &changes);
    if (is_enrolled()) session_report(&device.session, &changes, now_ms);
    if (is_enrolled()) spool_tend(now_ms);
  }
  if (is_enrolled() && session_tick(&device.session, now_ms)) return 0;
  return (uint32_t)(device.tick_due_ms - now_ms);
}

/* In a handshake, where nothing can be sealed. */
static void app_mind(void) { device.app->mind(device.port->now_ms()); }

/* A trial that has lasted too long ends in a restart. */
static uint32_t wait_ms(uint32_t ms_max) {
  update_watch(&device.update, device.port->now_ms());
  uint32_t due_ms = app_tick();
  return due_ms < ms_max ? due_ms : ms_max;
}

/* ---- identity ---- */

/* Written by way of the outbox's room, because papers lie in the frame that brought them. */
static int identity_store(const struct enrolled_body *papers) {
  return renewal_begin(device.port, &device.identity, papers, device.session.outbox.bytes);
}

/* The papers stay in the scratch room. */
static int identity_load(struct enrolled_body *papers) {
  return renewal_load(device.port, &device.identity, papers, scratch(), SCRATCH_BYTES);
}

static void identity_restore(void) {
  struct enrolled_body papers;
  int fault = identity_load(&papers);
  if (fault) identity_wipe(&device.identity);
  if (fault && fault != SHALLOT_E_MISSING) log_number(device.port, "stored identity unreadable ", fault, "");
  crypto_wipe(scratch(), SCRATCH_BYTES);
}

static bool has_key(void) { return device.identity.pins_count > 0; }

static void identity_say(void) {
  struct line line = {.size = 0};
  char id[SHALLOT_TEXT_ID_CHARS + 1];
  base64url_write(id, sizeof id, device.identity.public_key, SHALLOT_KEY_BYTES);
  line_add(&line, "device ");
  line_add(&line, id);
  line_add(&line, is_enrolled() ? " enrolled" : " new");
  device.port->log(line.text);
}

static void record_digest_take(const uint8_t *record, size_t size) {
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  if (crypto_sha256(digest, record, size) == 0) memcpy(device.record_digest, digest, sizeof device.record_digest);
}

/* SPEC 16.2: an older CA is forgotten once the hub has shown the newer one, and not before. */
static int pins_take(const struct pins_body *pins) {
  struct identity *identity = &device.identity;
  if (identity->pins_count != 2) return SHALLOT_E_CA_UNKNOWN;
  bool is_current = memcmp(identity->pins[0], pins->current, SHALLOT_KEY_BYTES) == 0;
  if (is_current && memcmp(identity->pins[1], pins->next, SHALLOT_KEY_BYTES) == 0) return 0;
  if (memcmp(identity->pins[1], pins->current, SHALLOT_KEY_BYTES) != 0) return SHALLOT_E_CA_UNKNOWN;
  /* A resumed connection shows nothing: the next one is to be a full one. */
  if (tls_resumed(&device.tls)) device.port->blob_remove(TICKET_BLOB);
  if (!tls_shown_under(&device.tls, 1)) return SHALLOT_E_CA_ANNOUNCED;
  int fault = renewal_repin(device.port, pins->current, pins->next);
  if (fault) return fault;
  memcpy(identity->pins[0], pins->current, SHALLOT_KEY_BYTES);
  memcpy(identity->pins[1], pins->next, SHALLOT_KEY_BYTES);
  device.tls.peer_pins = 1;
  log_text(device.port, "hub CA changed");
  return 0;
}

/* Begins a session's life with the identity there is. */
static int life_begin(void) {
  struct identity *identity = &device.identity;
  device.session_config = (struct session_config){
    .sealer = {identity->seed, identity->public_key},
    .root = identity->root,
    .app = device.app,
    .board = device.port->board,
    .random = device.port->random,
    .port = device.port,
    .update = &device.update,
    .pins = pins_take,
    .door_port = device.door_port,
    .door_point = device.door_point,
    .direct = direct_take,
  };
  int fault = session_open(&device.session, &device.session_config);
  if (fault) return fault;
  int size = kept_read(device.port, IDENTITY_RECORD_BLOB, scratch(), SCRATCH_BYTES);
  if (size > 0) record_digest_take(scratch(), (size_t)size);
  if (size > 0) session_hold_record(&device.session, scratch(), (size_t)size);
  spool_open(&device.spool, device.port, scratch());
  return 0;
}

/* ---- a door of its own, SPEC 18 ---- */

static int door_answer(uint8_t *bytes, size_t size) { return session_direct(&device.session, bytes, size, device.port->now_ms()); }

static void door_begin(void) {
  struct direct_config config = {.port = device.port, .answer = door_answer, .unix_time = unix_time, .device = device.identity.public_key};
  int fault = direct_begin(&config, &device.door_port, &device.door_point);
  if (fault && fault != SHALLOT_E_MISSING) log_number(device.port, "no door ", fault, "");
}

/* What has come on the link, or that nothing has; in between whoever stands before the door is served. */
static int link_read(uint8_t *bytes, size_t capacity, uint32_t ms) {
  if (!direct_is_open()) return tls_read(&device.tls, bytes, capacity, ms);
  uint32_t door_ms = direct_step();
  int count = tls_read(&device.tls, bytes, capacity, 0);
  if (count == SHALLOT_E_PORT_TIMEOUT) direct_wait(door_ms < ms ? door_ms : ms);
  return count;
}

/* In a handshake with the hub. While a device enrols, its session's room is in use, and the door is not served. */
static void door_turn(void) { direct_step(); }

/* ---- connections ---- */

static void tls_configure(const char *alpn, const struct enrolled_body *papers) {
  const struct identity *identity = &device.identity;
  device.tls_config = (struct tls_config){
    .port = device.port,
    .pins = (const uint8_t(*)[SHALLOT_KEY_BYTES])identity->pins,
    .pins_count = identity->pins_count,
    .alpn = alpn,
    .certificate = papers == NULL ? NULL : papers->certificate,
    .certificate_size = papers == NULL ? 0 : papers->certificate_size,
    .seed = identity->seed,
    .public_key = identity->public_key,
    .unix_time = unix_time,
    .idle = device.app->mind == NULL ? NULL : app_mind,
    .handshake_ms_max = SHALLOT_HANDSHAKE_MS_MAX,
  };
}

/* The certificate in the scratch room has been copied when TLS is prepared; the stored ticket comes in its place. */
static bool ticket_offer(void) {
  int size = device.port->blob_read(TICKET_BLOB, scratch(), SCRATCH_BYTES);
  if (size > 0) tls_offer(&device.tls, scratch(), (size_t)size);
  return size > 0;
}

static int handshake(bool with_ticket) {
  int fault = tls_open(&device.tls, &device.tls_config);
  bool is_offered = fault == 0 && with_ticket && ticket_offer();
  if (fault == 0) fault = tls_handshake(&device.tls);
  /* Whatever was wrong with it is not tried twice. */
  if (is_offered && (fault || !tls_resumed(&device.tls))) device.port->blob_remove(TICKET_BLOB);
  if (fault) tls_close(&device.tls);
  return fault;
}

/* Goes on with a connection that has begun, and serves the door in between. */
static int link_dial_on(uint32_t ms_max) {
  uint64_t until_ms = device.port->now_ms() + ms_max;
  int fault = SHALLOT_E_PORT_TIMEOUT;
  while (fault == SHALLOT_E_PORT_TIMEOUT && device.port->now_ms() < until_ms) {
    direct_step();
    if (device.app->mind != NULL) app_mind();
    fault = device.port->net_finish(DIAL_MS);
  }
  return fault;
}

/* Of `serving` the door is served meanwhile, where the port can do both. */
static int link_dial(bool serving) {
  uint32_t ms_max = device.app->mind == NULL ? CONNECT_MS_MAX : CONNECT_MS_MAX_MINDING;
  bool is_moved = device.found.tcp_port != 0;
  bool takes_turns = serving && device.port->net_finish != NULL;
  const char *host = is_moved ? device.found.host : device.identity.host;
  uint16_t tcp_port = is_moved ? device.found.tcp_port : device.identity.tcp_port;
  int fault = device.port->net_open(host, tcp_port, takes_turns ? DIAL_MS : ms_max);
  if (fault == SHALLOT_E_PORT_TIMEOUT && takes_turns) fault = link_dial_on(ms_max);
  if (fault) device.port->net_close();
  return fault;
}

static bool is_elsewhere(const struct discovery *found) {
  return found->tcp_port != device.identity.tcp_port || strcmp(found->host, device.identity.host) != 0;
}

/*
 * SPEC 6.8, 16.5: after a failure where the hub was known to be the LAN is asked; after one where the LAN said, the places are tried that
 * the hub itself told, one in each connection; then the known one again.
 */
static void hub_seek(void) {
  struct discovery *found = &device.found;
  bool was_elsewhere = found->tcp_port != 0;
  if (!was_elsewhere) {
    device.place = 0;
    bool is_found = discovery_ask(found, device.port, device.identity.root, scratch(), DISCOVERY_MS_MAX) == 0 && is_elsewhere(found);
    if (is_found) log_text(device.port, "hub found elsewhere");
    if (is_found) return;
  }
  while (places_read(device.port, device.place++, found) == 0) {
    if (!is_elsewhere(found)) continue;
    log_text(device.port, "hub tried elsewhere");
    return;
  }
  found->tcp_port = 0;
}

/*
 * A hub may have other leaves for who does not take this one (SPEC 16.3). Where it was known to be as many are looked at as it may have;
 * elsewhere one more, for that may be anybody, and a hub that is there goes on where it was when the device comes round again.
 */
static void link_failed(int fault) {
  uint32_t tries_max = device.found.tcp_port == 0 ? SHALLOT_GENERATIONS_SPARE : 1;
  if (fault == SHALLOT_E_TLS_BAD_CHAIN && ++device.chain_tries <= tries_max) return;
  device.chain_tries = 0;
  hub_seek();
}

/* Whoever is there has proven a pinned CA and sealed a welcome: it is the hub, and lives here now. */
static void hub_settle(void) {
  size_t capacity;
  struct discovery *found = &device.found;
  if (found->tcp_port == 0) return;
  if (renewal_move(device.port, found->host, found->tcp_port, session_record_room(&device.session, &capacity)) != 0) return;
  memcpy(device.identity.host, found->host, sizeof device.identity.host);
  device.identity.tcp_port = found->tcp_port;
  found->tcp_port = 0;
  log_text(device.port, "hub moved");
}

static int enrolment_link_open(void) {
  int fault = link_dial(false);
  tls_configure(SHALLOT_ALPN_ENROL, NULL);
  return fault ? fault : handshake(false);
}

/* Certificate and ticket are read from storage each time, and lie in the scratch room only until TLS is up. */
static int session_link_open(void) {
  struct enrolled_body papers;
  int fault = link_dial(direct_is_open());
  if (fault) return fault;
  fault = identity_load(&papers);
  if (fault) return fault;
  tls_configure(SHALLOT_ALPN_LINK, &papers);
  device.tls_config.turn = direct_is_open() ? door_turn : NULL;
  fault = handshake(true);
  crypto_wipe(scratch(), SCRATCH_BYTES);
  return fault;
}

/* ---- enrolment ---- */

/* The hub's answer as one frame in the scratch room: its size, or a negative code. */
static int answer_wait(void) {
  struct frame_reader reader = {.size = 0};
  uint64_t deadline_ms = device.port->now_ms() + SHALLOT_HANDSHAKE_MS_MAX;
  while (device.port->now_ms() < deadline_ms) {
    uint8_t byte;
    int count = tls_read(&device.tls, &byte, 1, CONSOLE_MS);
    if (count == SHALLOT_E_PORT_TIMEOUT) continue;
    if (count < 0) return count;
    int taken = frame_feed(&reader, scratch(), &byte, 1);
    if (taken < 0) return taken;
    if (reader.complete && reader.size > 0) return (int)reader.size;
    if (reader.complete) frame_expect(&reader);
  }
  return SHALLOT_E_SILENT;
}

static int exchange(const struct enrol_code *code, struct enrolled_body *papers) {
  uint8_t hub[SHALLOT_KEY_BYTES];
  struct enrol_asking asking = {&device.identity, code->secret, device.app, device.port->board, device.port->random};
  int fault = tls_peer_key(&device.tls, hub);
  if (fault) return fault;
  int size = enrol_ask(&device.session.gate, &asking, hub, scratch(), SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  if (size < 0) return size;
  uint8_t *frame = scratch() - SHALLOT_FRAME_HEADER_BYTES;
  frame_head_put(frame, (size_t)size);
  int written = tls_write(&device.tls, frame, SHALLOT_FRAME_HEADER_BYTES + (size_t)size, WRITE_MS_MAX);
  if (written < 0) return written;
  size = answer_wait();
  if (size < 0) return size;
  return enrol_answer(&device.session.gate, papers, scratch(), (size_t)size, 0);
}

/* A key of its own before anything is asked with it, so that an answer that was lost can be asked for again. */
static int key_ready(const struct enrol_code *code) {
  bool was_enrolled = is_enrolled();
  if (was_enrolled || !has_key()) {
    int fault = identity_make_key(&device.identity, device.port);
    if (fault) return fault;
  }
  enrol_prepare(&device.identity, code);
  /* An identity that works stays in storage until another works. */
  return was_enrolled ? 0 : identity_store(&(struct enrolled_body){NULL, 0, NULL, 0});
}

static bool is_worth_another_try(int code) {
  return code == SHALLOT_E_LINK_CLOSED || code == SHALLOT_E_SILENT || code == SHALLOT_E_HANDSHAKE_TIMEOUT ||
         code == SHALLOT_E_TOO_MANY_CONNECTIONS || code == SHALLOT_E_PORT_NETWORK || code == SHALLOT_E_PORT_TIMEOUT ||
         code == SHALLOT_E_INTERNAL || code == SHALLOT_E_CA_ANNOUNCED;
}

static void pause_grow(void) {
  device.pause_ms = device.pause_ms == 0 ? PAUSE_MS_LEAST : device.pause_ms * 2;
  if (device.pause_ms > PAUSE_MS_MOST) device.pause_ms = PAUSE_MS_MOST;
}

/* Half of a pause is left to chance, so that a house full of devices does not come back in one moment. */
static uint32_t pause_pick(uint32_t pause_ms) {
  uint8_t chance[2] = {0, 0};
  device.port->random(chance, sizeof chance);
  uint32_t part = (uint32_t)(chance[0] << 8 | chance[1]);
  return pause_ms / 2 + pause_ms / 2 * part / 0xffff;
}

/* Another place, or another leaf, is tried soon; when none is left, the pauses grow. */
static uint32_t pause_next(void) {
  if (device.found.tcp_port != 0 || device.chain_tries != 0) return pause_pick(PAUSE_MS_LEAST);
  pause_grow();
  return pause_pick(device.pause_ms);
}

static int enrol_try(const struct enrol_code *code) {
  struct enrolled_body papers;
  int fault = enrolment_link_open();
  if (fault) return fault;
  fault = exchange(code, &papers);
  tls_close(&device.tls);
  if (fault) return fault;
  if (!renewal_is_about(&papers, device.identity.public_key)) return SHALLOT_E_CERTIFICATE_PROFILE;
  device.identity.is_enrolled = true;
  return identity_store(&papers);
}

/* For whoever holds the cable. */
static void stage_say(unsigned stage, int code) {
  provision_line line;
  if (!device.is_handed_over) return;
  provision_say_stage(line, stage, code);
  device.port->log(line);
}

/* A lock has to lock again meanwhile, and a thermostat to look. */
static void enrolment_pause(uint32_t ms) {
  uint64_t until_ms = device.port->now_ms() + ms;
  for (uint64_t now_ms; (now_ms = device.port->now_ms()) < until_ms;) device.port->sleep_ms(wait_ms((uint32_t)(until_ms - now_ms)));
}

static int enrol_with(const struct enrol_code *code) {
  int fault = key_ready(code);
  if (fault) return fault;
  identity_say();
  device.pause_ms = 0;
  uint64_t until_ms = device.port->now_ms() + SHALLOT_PERMIT_LIFETIME_S_MAX * 1000;
  while ((fault = enrol_try(code)) != 0 && is_worth_another_try(fault) && device.port->now_ms() < until_ms) {
    log_number(device.port, "enrolment waits ", fault, "");
    stage_say(SHALLOT_SERIAL_WAITING, fault);
    pause_grow();
    enrolment_pause(pause_pick(device.pause_ms));
  }
  device.pause_ms = 0;
  if (fault) return fault;
  kept_remove(device.port, IDENTITY_RECORD_BLOB);
  device.port->blob_remove(TICKET_BLOB);
  places_forget(device.port);
  direct_shut();
  spool_clear(&device.spool);
  memset(device.record_digest, 0, sizeof device.record_digest);
  revocations_forget(device.port);
  uses_forget(device.port);
  keycodes_forget(device.port);
  return life_begin();
}

/* Enrolment used the session's room, so a device that keeps its old identity begins a new life with it. */
static void enrolment_abandon(void) {
  identity_restore();
  if (is_enrolled() && life_begin() != 0) identity_wipe(&device.identity);
}

static void enrol_by_code(struct enrol_code *code) {
  int fault = enrol_with(code);
  crypto_wipe(code, sizeof *code);
  crypto_wipe(scratch(), SCRATCH_BYTES);
  if (fault) log_number(device.port, "enrolment refused ", fault, "");
  else identity_say();
  stage_say(fault ? SHALLOT_SERIAL_REFUSED : SHALLOT_SERIAL_DONE, fault);
  if (fault) enrolment_abandon();
}

/* A line of the console or the stored code, in the scratch room. */
static void enrol_by_text(char *text, size_t size) {
  struct enrol_code code;
  int fault = enrol_code_read(&code, text, size);
  if (fault == 0) return enrol_by_code(&code);
  crypto_wipe(scratch(), SCRATCH_BYTES);
  log_number(device.port, "enrolment refused ", fault, "");
}

/* ---- what is handed over at the console, SPEC 17 ---- */

static void self_say(uint8_t sequence) {
  provision_line line;
  const struct port *port = device.port;
  unsigned facts = (is_enrolled() ? SHALLOT_SERIAL_IS_ENROLLED : 0) | (wifi_is_there(port) ? SHALLOT_SERIAL_HAS_WIFI : 0) |
                   (wifi_is_there(port) && wifi_is_kept(port) ? SHALLOT_SERIAL_KNOWS_WIFI : 0);
  char firmware[SHALLOT_LABEL_BYTES_MAX + 1];
  image_firmware(firmware, device.app);
  struct provision_self self = {port->board, firmware, facts};
  provision_say_self(line, sequence, &self);
  port->log(line);
}

static void code_say(uint8_t sequence, int code) {
  provision_line line;
  provision_say_code(line, sequence, code);
  device.port->log(line);
}

/* What was handed over, out of bytes that may be given back then. `code` of no pins: none was. */
static int orders_take(uint8_t *bytes, size_t size, struct wifi *wifi, struct enrol_code *code) {
  struct provision_orders orders;
  int fault = provision_read(&orders, bytes, size);
  memset(code, 0, sizeof *code);
  *wifi = orders.wifi;
  if (fault == 0 && wifi->name[0] != '\0' && !wifi_is_there(device.port)) fault = SHALLOT_E_BAD_PROVISION;
  if (fault == 0 && orders.code_size > 0) fault = enrol_code_read(code, orders.code, orders.code_size);
  crypto_wipe(&orders, sizeof orders);
  return fault;
}

/* Answers one line. SHALLOT_SERIAL_TAKE when all was taken, else 0. */
static int line_answer(struct provision *provision, char *line, size_t size, struct wifi *wifi, struct enrol_code *code) {
  struct provision_ask ask;
  int fault = provision_ask_read(&ask, line, size);
  if (fault == SHALLOT_E_MISSING) return 0;
  device.is_handed_over = true;
  if (fault) stage_say(SHALLOT_SERIAL_UNREAD, fault);
  else if (ask.kind == SHALLOT_SERIAL_WHO) self_say(ask.sequence);
  else {
    bool is_last = ask.kind == SHALLOT_SERIAL_TAKE;
    fault = is_last ? provision_is_whole(provision, &ask) : provision_take_part(provision, &ask);
    if (is_last && fault == 0) fault = orders_take(provision->bytes, provision->size, wifi, code);
    code_say(ask.sequence, fault);
    if (is_last && fault == 0) return SHALLOT_SERIAL_TAKE;
  }
  return 0;
}

/* Listens to whoever holds the cable until everything has come, which is true, or nothing more does. `line` is the first one. */
static bool __attribute__((noinline)) hand_over(char *line, size_t size, struct wifi *wifi, struct enrol_code *code) {
  struct provision provision = {NULL, 0};
  int taken = line_answer(&provision, line, size, wifi, code);
  uint64_t heard_ms = device.port->now_ms();
  while (taken == 0 && device.port->now_ms() - heard_ms < PROVISION_SILENCE_MS_MAX) {
    int count = device.port->read_line(line, SCRATCH_BYTES, wait_ms(CONSOLE_MS));
    if (count == SHALLOT_E_LINK_CLOSED) break;
    if (count < 0) continue;
    taken = line_answer(&provision, line, (size_t)count, wifi, code);
    heard_ms = device.port->now_ms();
  }
  provision_drop(&provision);
  crypto_wipe(line, SCRATCH_BYTES);
  return taken != 0;
}

static int __attribute__((noinline)) network_take(struct wifi *wifi) {
  int fault = 0;
  if (wifi->name[0] != '\0') {
    stage_say(SHALLOT_SERIAL_JOINING, 0);
    fault = wifi_take(device.port, wifi);
    log_number(device.port, "wifi ", fault, "");
  }
  crypto_wipe(wifi, sizeof *wifi);
  return fault;
}

/* Wi-Fi first, then the hub; both are wiped. */
static void orders_carry_out(struct wifi *wifi, struct enrol_code *code) {
  int fault = network_take(wifi);
  bool has_code = code->pins_count > 0;
  if (fault == 0 && has_code) stage_say(SHALLOT_SERIAL_ENROLLING, 0);
  if (fault == 0 && has_code) enrol_by_code(code);
  else stage_say(fault ? SHALLOT_SERIAL_REFUSED : SHALLOT_SERIAL_DONE, fault);
  crypto_wipe(code, sizeof *code);
}

static void provision_by(char *line, size_t size) {
  struct wifi wifi;
  struct enrol_code code;
  if (hand_over(line, size, &wifi, &code)) orders_carry_out(&wifi, &code);
  device.is_handed_over = false;
}

static int __attribute__((noinline)) built_in_take(struct wifi *wifi, struct enrol_code *code) {
  uint8_t *bytes = arena_alloc(SHALLOT_PROVISION_BYTES_MAX);
  size_t size = bytes == NULL ? 0 : built_in_copy(bytes, SHALLOT_PROVISION_BYTES_MAX);
  int fault = size == 0 ? SHALLOT_E_MISSING : orders_take(bytes, size, wifi, code);
  arena_free(bytes);
  return fault;
}

/* What was compiled in, once in each life. */
static void built_in_try(void) {
  struct wifi wifi;
  struct enrol_code code;
  int fault = built_in_take(&wifi, &code);
  if (fault == 0) orders_carry_out(&wifi, &code);
  else if (fault != SHALLOT_E_MISSING) log_number(device.port, "built in, unreadable ", fault, "");
}

static bool begins(const char *line, const char *text) { return strncmp(line, text, strlen(text)) == 0; }

/* Waits a while for a code at the console, or for somebody with a cable. */
static void console_wait(uint32_t ms) {
  char *line = (char *)scratch();
  int size = device.port->read_line(line, SCRATCH_BYTES, ms);
  if (size == SHALLOT_E_LINK_CLOSED) device.port->sleep_ms(ms);
  if (size < 0) return;
  if (begins(line, SHALLOT_SERIAL_PREFIX)) provision_by(line, (size_t)size);
  else if (begins(line, "shallot:")) enrol_by_text(line, (size_t)size);
}

static void stored_code_try(void) {
  int size = device.port->blob_read(CODE_BLOB, scratch(), SCRATCH_BYTES);
  if (size <= 0) return;
  enrol_by_text((char *)scratch(), (size_t)size);
  device.port->blob_remove(CODE_BLOB);
}

static void enrolment_await(void) {
  built_in_try();
  if (is_enrolled()) return;
  log_text(device.port, "waiting for an enrolment code");
  while (!is_enrolled()) {
    stored_code_try();
    if (!is_enrolled()) console_wait(wait_ms(CONSOLE_MS));
  }
}

/* ---- the session ---- */

static int output_pump(void) {
  const uint8_t *bytes;
  size_t size;
  while ((size = session_output(&device.session, device.port->now_ms(), &bytes)) > 0) {
    int written = tls_write(&device.tls, bytes, size, WRITE_MS_MAX);
    if (written < 0) return written;
  }
  return 0;
}

static void app_link(bool is_up) {
  if (device.app->link != NULL) device.app->link(is_up, device.port->now_ms());
}

/* After a full handshake: a ticket that was good once is good until its hub refuses it, and flash is not written each time. */
static void ticket_keep(void) {
  size_t capacity;
  uint8_t *room = session_record_room(&device.session, &capacity);
  int size = tls_ticket(&device.tls, room, capacity);
  if (size > 0) device.port->blob_write(TICKET_BLOB, room, (size_t)size);
  crypto_wipe(room, capacity);
}

static void connected(void) {
  log_text(device.port, tls_resumed(&device.tls) ? "connected resumed" : "connected");
  device.pause_ms = 0;
  device.was_welcomed = true;
  device.chain_tries = 0;
  places_keep(device.port, &device.session.places);
  app_link(true);
  if (!tls_resumed(&device.tls)) ticket_keep();
  tls_ticket_drop(&device.tls);
  hub_settle();
}

/* SPEC 15.5: once the image is kept, it says so. */
static int image_keep(void) {
  int kept = update_healthy(&device.update);
  if (kept < 0) log_number(device.port, "image not kept ", kept, "");
  if (kept <= 0) return 0;
  log_text(device.port, "image kept");
  return session_greet(&device.session, device.port->now_ms());
}

/* SPEC 6.5: without a record there is nothing that this hub would hear. */
static int record_show(void) {
  size_t capacity;
  uint8_t *room = session_record_room(&device.session, &capacity);
  int size = kept_read(device.port, IDENTITY_RECORD_BLOB, room, capacity);
  if (size <= 0) return SHALLOT_E_UNKNOWN_DEVICE;
  session_send_record(&device.session, (size_t)size);
  return 0;
}

static void record_keep(void) {
  size_t size;
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  const uint8_t *record = session_record(&device.session, &size);
  if (crypto_sha256(digest, record, size) != 0 || memcmp(digest, device.record_digest, GATE_DIGEST_BYTES) == 0) return;
  if (kept_write(device.port, IDENTITY_RECORD_BLOB, record, size) != 0) return;
  record_digest_take(record, size);
  session_hold_record(&device.session, scratch(), size);
  log_text(device.port, "enrolment recorded");
}

/* SPEC 6.7. The ticket speaks for the certificate before. What came instead of a welcome is used by connecting again. */
static int papers_keep(void) {
  int fault = renewal_keep(device.port, &device.identity, &device.session.papers);
  log_number(device.port, "certificate renewed ", fault, "");
  if (fault == 0) device.port->blob_remove(TICKET_BLOB);
  if (device.session.state == SESSION_OPEN) return 0;
  device.pause_ms = 0;
  return fault ? fault : SHALLOT_E_CERTIFICATE_RENEWED;
}

/* A hub that knows its own certificates better than we do: another one may be good. */
static void refusal_heed(int code) {
  if (code == SHALLOT_E_CERTIFICATE_PROFILE && renewal_undo(device.port) == 0) device.port->blob_remove(TICKET_BLOB);
}

/*
 * SPEC 15.5. The hub is told that all has arrived, if the link still carries it; what was sealed goes to flash; then it is as after a power
 * cut. A link that ends just now is no reason to stay: the hub would offer what is there, and wait for a hello that never comes.
 */
static int image_boot(void) {
  output_pump();
  session_seal_waiting(&device.session, 0, device.port->now_ms());
  spool_fill();
  log_text(device.port, "image complete, restarting");
  app_link(false);
  tls_close(&device.tls);
  return update_boot(&device.update);
}

/* The welcome that asks for the record is one all the same: the record goes first, because hello takes its room. */
static int record_show_and_keep(void) {
  int fault = record_show();
  if (fault == 0) fault = output_pump();
  return fault ? fault : image_keep();
}

static int event_handle(int event) {
  switch (event) {
    case SESSION_CONNECTED: connected(); return image_keep();
    case SESSION_CONNECTED_WANTED: connected(); return record_show_and_keep();
    case SESSION_WANTED: return record_show();
    case SESSION_COMMAND: log_number(device.port, "command ", device.session.code, ""); return 0;
    case SESSION_IGNORED: log_number(device.port, "ignored ", device.session.code, ""); return 0;
    case SESSION_RECORD: record_keep(); return 0;
    case SESSION_STORED: spool_stored(&device.spool, device.session.noted_epoch, device.session.noted_sequence); return 0;
    case SESSION_PAPERS: return papers_keep();
    case SESSION_UPDATED: return image_boot();
    default: return event < 0 ? event : 0;
  }
}

static int input_take(const uint8_t *bytes, size_t size) {
  size_t at = 0;
  while (at < size) {
    int taken = session_feed(&device.session, bytes + at, size - at, device.port->now_ms());
    if (taken < 0) return taken;
    at += (size_t)taken;
    /* What says that a command arrived leaves before the command is looked at. */
    int fault = output_pump();
    if (fault == 0) fault = event_handle(session_step(&device.session, device.port->now_ms()));
    if (fault == 0) fault = output_pump();
    if (fault) return fault;
  }
  return 0;
}

static int session_serve(void) {
  uint8_t bytes[READ_BYTES];
  for (;;) {
    uint32_t ms = wait_ms(CONSOLE_MS);
    int fault = session_check(&device.session, device.port->now_ms());
    spool_send();
    if (fault == 0) fault = output_pump();
    if (fault) return fault;
    int count = link_read(bytes, sizeof bytes, ms);
    if (count == SHALLOT_E_PORT_TIMEOUT) continue;
    fault = count < 0 ? count : input_take(bytes, (size_t)count);
    if (fault) return fault;
  }
}

static int session_hold(void) {
  uint8_t hub[SHALLOT_KEY_BYTES];
  device.was_welcomed = false;
  int fault = session_link_open();
  if (fault) link_failed(fault);
  if (fault) return fault;
  fault = spool_precede();
  if (fault == 0) fault = tls_peer_key(&device.tls, hub);
  if (fault == 0) fault = session_connect(&device.session, hub, device.port->now_ms());
  if (fault == 0) fault = session_serve();
  session_disconnect(&device.session);
  spool_rewind(&device.spool, !is_worth_another_try(fault), scratch());
  device.away_since_ms = device.port->now_ms();
  app_link(false);
  tls_close(&device.tls);
  /* Whoever is there may show a leaf of ours and still not be the hub. */
  bool was_wrong_place = !device.was_welcomed && (device.found.tcp_port != 0 || is_worth_another_try(fault));
  if (was_wrong_place || fault == SHALLOT_E_HUB_ELSEWHERE) hub_seek();
  return fault;
}

static void pause_spend(void) {
  uint64_t until_ms = device.port->now_ms() + pause_next();
  while (is_enrolled() && device.port->now_ms() < until_ms) {
    uint32_t left_ms = (uint32_t)(until_ms - device.port->now_ms());
    uint32_t ms = wait_ms(left_ms < CONSOLE_MS ? left_ms : CONSOLE_MS);
    uint32_t door_ms = direct_step();
    if (direct_is_open()) direct_wait(door_ms < ms ? door_ms : ms);
    console_wait(direct_is_open() ? 0 : ms);
  }
}

static void image_say(void) {
  struct update_standing image = update_standing(&device.update);
  bool is_trial = image.standing == SHALLOT_STANDING_TRIAL;
  bool is_returned = image.standing == SHALLOT_STANDING_RETURNED;
  log_number(device.port, "image ", (int64_t)image.running, is_trial ? " on trial" : is_returned ? " came back" : "");
}

int device_run(const struct port *port, const struct app *app) {
  device.port = port;
  device.app = app;
  device.spool.port = port;
  signer_use(port);
  app->open(port);
  update_open(&device.update, port, &own_image);
  image_say();
  wifi_resume(port);
  door_begin();
  identity_restore();
  if (is_enrolled()) {
    int fault = life_begin();
    if (fault) return fault;
    identity_say();
  }
  for (;;) {
    if (!is_enrolled()) enrolment_await();
    int code = session_hold();
    log_number(port, "link ended ", code, "");
    refusal_heed(code);
    pause_spend();
  }
}
