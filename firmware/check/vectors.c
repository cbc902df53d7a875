// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Plays schemas/vectors on the firmware's own code. It reads the lines of vector files from the console, each file after a line
 * `file: NAME`, and answers every step with `reached N`, N being the number of the code (schemas/codes.csv); `end:` ends it.
 * An unknown field or room ends it with status 2: a vector that is not understood must not look played.
 *
 * envelope    frames of any type, judged by core/gate.h as the receiver that the context describes
 * enrolment   what a device is answered, by core/enrol.h
 * grants      what reaches a lock after its welcome, by core/session.h; owners come as frames, and `restart` is a new life
 * update      what reaches a device after its welcome that can be updated, by core/session.h; its image is the context's
 * stills      what reaches a camera that has said what picture it has, by core/session.h; its bytes are five times their place
 * session     bytes of the link, by core/session.h, from the moment the hello was said
 * code        enrolment codes, by core/enrol.h
 * serial      lines on the console, and what is handed over in them, by core/provision.h
 * certificate leaves of a hub, by core/certificate.h
 */
#include <string.h>

#include "../core/arena.h"
#include "../core/certificate.h"
#include "../core/crypto.h"
#include "../core/enrol.h"
#include "../core/grants.h"
#include "../core/kept.h"
#include "../core/keycodes.h"
#include "../core/line.h"
#include "../core/provision.h"
#include "../core/revocations.h"
#include "../core/session.h"
#include "../core/stills.h"
#include "../core/update.h"
#include "../core/uses.h"

enum { SLOT_BYTES_MAX = 1536, LINE_BYTES = 3400, BEFORE_LINE = 16, DEVICES_MAX = 2, STATUS_NOT_UNDERSTOOD = 2 };

static const struct port *console;
/* A frame is decoded in place, so in front of the line there is room for what envelope_verify writes. From the arena: no TLS needs it here. */
static uint8_t *storage;
static char *line;

enum room { NO_ROOM, ROOM_ENVELOPE, ROOM_CODE, ROOM_SESSION, ROOM_ENROLMENT, ROOM_GRANTS, ROOM_UPDATE, ROOM_STILLS, ROOM_SERIAL, ROOM_CERTIFICATE };

/* One receiver, described by the context fields of one file. */
static struct {
  enum room room;
  size_t limit;
  int64_t now_s;
  bool is_connected;
  uint8_t devices[DEVICES_MAX][SHALLOT_KEY_BYTES];
  uint8_t device[SHALLOT_KEY_BYTES];
  struct zone zone;
  uint32_t groups[SHALLOT_GROUPS_MAX];
  size_t groups_count;
  size_t affordances_count; /* of the lock */
  struct image image;       /* that runs */
  int64_t floor;            /* the highest sequence that ran or was tried */
  struct update update;
  int64_t picture;          /* bytes of it; 0: there is no camera */
  struct session session;   /* its gate is every room's */
} receiver;

static struct gate *const gate = &receiver.session.gate;
static const uint8_t seed[SHALLOT_KEY_BYTES] = {7};
static uint8_t public_key[SHALLOT_KEY_BYTES];

/* ---- an app that has nothing to do ---- */

static void nothing_open(const struct port *port) { (void)port; }
static int nothing_act(const struct command_body *order, struct changes *changes) {
  (void)order;
  (void)changes;
  return 0;
}
static uint32_t nothing_tick(uint64_t now_ms, struct changes *changes) {
  (void)now_ms;
  (void)changes;
  return 1000;
}
static void nothing_stand(struct changes *changes) { (void)changes; }

static const uint16_t affordances[] = {1};
static const struct app nothing = {
  .firmware = "vectors",
  .affordances = affordances,
  .affordances_count = sizeof affordances / sizeof affordances[0],
  .open = nothing_open,
  .act = nothing_act,
  .tick = nothing_tick,
  .stand = nothing_stand,
};

/* ---- a lock as the vectors describe it ---- */

static uint16_t lock_affordances[SHALLOT_AFFORDANCES_MAX];
static struct grant lock_grants[8];
static struct keycodes lock_codes;
static struct app lock = {
  .firmware = "vectors",
  .affordances = lock_affordances,
  .open = nothing_open,
  .act = nothing_act,
  .tick = nothing_tick,
  .stand = nothing_stand,
  .grants = lock_grants,
  .codes = &lock_codes,
};

/* ---- a picture ---- */

static int picture_read(const void *from, uint32_t at, uint8_t *out, size_t size) {
  (void)from;
  for (size_t i = 0; i < size; i++) out[i] = (uint8_t)((at + i) * 5);
  return 0;
}
static void picture_drop(void) {}
static struct stills picture;

/* ---- a slot in memory ---- */

/* What the images of the vectors fill; the slot may be said to be larger. From the arena, as the line. */
static uint8_t *slot;

static int slot_running(bool *is_trial) {
  *is_trial = false;
  return 0;
}
static int slot_erase(uint32_t at) {
  (void)at;
  return 0;
}
static int slot_write(uint32_t at, const uint8_t *data, size_t size) {
  if (at + size > SLOT_BYTES_MAX) return SHALLOT_E_PORT_STORAGE;
  memcpy(slot + at, data, size);
  return 0;
}
static int slot_read(uint32_t at, uint8_t *out, size_t size) {
  memcpy(out, slot + at, size);
  return 0;
}
static int slot_choose(void) { return 0; }
static void slot_restart(void) {}
static struct slots two_slots = {0, slot_running, slot_erase, slot_write, slot_read, slot_choose, slot_choose, slot_restart};
static struct port slotted;

/* ---- fields ---- */

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes written, or -1. `out` may lie before `text` in the same memory. */
static int hex_read(uint8_t *out, size_t capacity, const char *text) {
  size_t at = 0;
  for (; text[0] != '\0'; text += 2) {
    int high = digit_of(text[0]);
    int low = high < 0 ? -1 : digit_of(text[1]);
    if (low < 0 || at == capacity) return -1;
    out[at++] = (uint8_t)(high << 4 | low);
  }
  return (int)at;
}

static bool key_learn(uint8_t *out, size_t size, const char *value) { return hex_read(out, size, value) == (int)size; }

static bool owner_learn(const char *value) {
  if (gate->signers_count == GATE_OWNERS_MAX) return false;
  gate->signers[gate->signers_count].is_owner = true;
  return key_learn(gate->signers[gate->signers_count++].key, SHALLOT_KEY_BYTES, value);
}

static bool device_learn(const char *value) {
  if (gate->devices_count == DEVICES_MAX) return false;
  gate->devices = (const uint8_t(*)[SHALLOT_KEY_BYTES])receiver.devices;
  key_learn(receiver.device, sizeof receiver.device, value);
  return key_learn(receiver.devices[gate->devices_count++], SHALLOT_KEY_BYTES, value);
}

static bool audience_learn(const char *value) {
  if (strlen(value) != SHALLOT_TEXT_ID_CHARS) return false;
  strcpy(gate->home, value);
  strcpy(gate->device, value);
  return true;
}

static bool number_learn(int64_t *out, const char *value) {
  *out = 0;
  for (; *value != '\0'; value++) {
    if (*value < '0' || *value > '9') return false;
    *out = *out * 10 + (*value - '0');
  }
  return true;
}

static bool group_learn(const char *value) {
  if (receiver.groups_count == SHALLOT_GROUPS_MAX) return false;
  receiver.groups[receiver.groups_count++] = grant_group((const uint8_t *)value, strlen(value));
  return true;
}

static bool affordance_learn(const char *value) {
  int64_t number;
  if (receiver.affordances_count == SHALLOT_AFFORDANCES_MAX || !number_learn(&number, value)) return false;
  lock_affordances[receiver.affordances_count++] = (uint16_t)number;
  return true;
}

static bool slots_learn(const char *value) {
  int64_t slots;
  bool sound = number_learn(&slots, value) && slots <= (int64_t)(sizeof lock_grants / sizeof lock_grants[0]);
  lock.grants_max = (uint32_t)slots;
  return sound;
}

/* The next number of a line, which may be negative, without it. */
static bool number_take(int64_t *out, char **value) {
  char *text = *value;
  bool is_negative = *text == '-';
  char *end = strchr(text, ' ');
  if (end != NULL) *end = '\0';
  *value = end == NULL ? text + strlen(text) : end + 1;
  if (!number_learn(out, text + is_negative)) return false;
  if (is_negative) *out = -*out;
  return true;
}

/* `offset changesAt thereafter` */
static bool zone_learn(char *value) {
  int64_t east, changes, then_east;
  if (!number_take(&east, &value) || !number_take(&changes, &value) || !number_take(&then_east, &value)) return false;
  receiver.zone = (struct zone){(int32_t)east, (int32_t)then_east, changes};
  return true;
}

/* `vendor class sequence` */
static bool image_learn(char *value) {
  int64_t sequence;
  char *image_class = strchr(value, ' ');
  char *number = image_class == NULL ? NULL : strchr(image_class + 1, ' ');
  if (number == NULL || !number_learn(&sequence, number + 1)) return false;
  struct image *image = &receiver.image;
  memset(image, 0, sizeof *image);
  image->sequence = (uint32_t)sequence;
  memcpy(image->vendor, value, (size_t)(image_class - value));
  memcpy(image->image_class, image_class + 1, (size_t)(number - image_class - 1));
  return true;
}

static bool slot_learn(const char *value) {
  int64_t bytes;
  bool sound = number_learn(&bytes, value);
  two_slots.bytes = (uint32_t)bytes;
  return sound;
}

static bool limit_learn(const char *value) {
  int64_t limit;
  bool sound = number_learn(&limit, value);
  receiver.limit = (size_t)limit;
  return sound;
}

static bool room_learn(const char *value) {
  static const char *const rooms[] = {"", "envelope", "code", "session", "enrolment", "grants", "update", "stills", "serial", "certificate"};
  for (int room = ROOM_ENVELOPE; room <= ROOM_CERTIFICATE; room++) {
    if (strcmp(value, rooms[room]) == 0) receiver.room = (enum room)room;
  }
  return receiver.room != NO_ROOM;
}

/* A new life: what is on flash stays, and of the rest only what the file says. */
static int lock_open(const uint8_t nonce[SHALLOT_EPOCH_BYTES]) {
  static struct session_config config;
  static uint8_t root[SHALLOT_KEY_BYTES];
  uint8_t hub[SHALLOT_KEY_BYTES];
  uint8_t charge[SHALLOT_KEY_BYTES];
  bool has_charge = receiver.session.has_charge;
  uint64_t record_sequence = receiver.session.record_sequence;
  memcpy(charge, receiver.session.charge, sizeof charge);
  memcpy(root, gate->root, sizeof root);
  memcpy(hub, gate->hub, sizeof hub);
  config = (struct session_config){{seed, receiver.device}, root, &lock, "vectors", console->random, console, NULL, NULL, 0, NULL, NULL};
  lock.affordances_count = receiver.affordances_count;
  lock.stills = receiver.picture > 0 ? &picture : NULL;
  if (receiver.room == ROOM_UPDATE) {
    slotted = *console;
    slotted.slots = two_slots.bytes == 0 ? NULL : &two_slots;
    config.port = &slotted;
    config.update = &receiver.update;
    update_open(&receiver.update, &slotted, &receiver.image);
    receiver.update.state.floor = (uint64_t)receiver.floor;
  }
  int fault = session_open(&receiver.session, &config);
  gate_renew(gate, nonce);
  memcpy(gate->hub, hub, sizeof hub);
  memcpy(receiver.session.grants.groups, receiver.groups, sizeof receiver.groups);
  receiver.session.record_sequence = record_sequence;
  receiver.session.has_charge = has_charge;
  memcpy(receiver.session.charge, charge, sizeof charge);
  receiver.session.state = SESSION_OPEN;
  receiver.is_connected = fault == 0;
  picture = (struct stills){.read = picture_read, .drop = picture_drop, .affordance = 1};
  if (fault == 0 && lock.stills != NULL) fault = stills_take(&picture, (uint32_t)receiver.picture, receiver.device, 0);
  return fault;
}

static bool lock_restart(const char *value) {
  uint8_t nonce[SHALLOT_EPOCH_BYTES];
  receiver.now_s = 0;
  receiver.zone = (struct zone){0};
  memcpy(receiver.groups, receiver.session.grants.groups, sizeof receiver.groups);
  return key_learn(nonce, sizeof nonce, value) && lock_open(nonce) == 0;
}

static bool is_one_of(const char *field, const char *const names[], size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(field, names[i]) == 0) return true;
  }
  return false;
}

static bool context_learn(const char *field, char *value) {
  static const char *const for_people[] = {"comment", "section", "made-by", "expect"};
  if (strcmp(field, "room") == 0) return room_learn(value);
  if (strcmp(field, "audience") == 0) return audience_learn(value);
  if (strcmp(field, "now") == 0) return number_learn(&receiver.now_s, value);
  if (strcmp(field, "limit") == 0) return limit_learn(value);
  if (strcmp(field, "nonce") == 0) return key_learn(gate->nonce, sizeof gate->nonce, value);
  if (strcmp(field, "root") == 0) return key_learn(gate->root, sizeof gate->root, value);
  if (strcmp(field, "hub") == 0) return key_learn(gate->hub, sizeof gate->hub, value);
  if (strcmp(field, "owner") == 0) return owner_learn(value);
  if (strcmp(field, "device") == 0) return device_learn(value);
  if (strcmp(field, "home") == 0) return strlen(value) == SHALLOT_TEXT_ID_CHARS;
  if (strcmp(field, "group") == 0) return group_learn(value);
  if (strcmp(field, "affordance") == 0) return affordance_learn(value);
  if (strcmp(field, "slots") == 0) return slots_learn(value);
  if (strcmp(field, "zone") == 0) return zone_learn(value);
  if (strcmp(field, "image") == 0) return image_learn(value);
  if (strcmp(field, "floor") == 0) return number_learn(&receiver.floor, value);
  if (strcmp(field, "slot") == 0) return slot_learn(value);
  if (strcmp(field, "picture") == 0) return number_learn(&receiver.picture, value);
  if (strcmp(field, "restart") == 0) return lock_restart(value);
  return is_one_of(field, for_people, sizeof for_people / sizeof for_people[0]);
}

/* ---- steps ---- */

static int frame_play(uint8_t *frame, size_t size) {
  struct envelope envelope;
  int fault = envelope_open(&envelope, frame, size, receiver.limit);
  return fault ? fault : gate_admit(gate, &envelope, receiver.now_s);
}

static int answer_play(uint8_t *frame, size_t size) {
  struct enrolled_body papers;
  return enrol_answer(gate, &papers, frame, size, receiver.now_s);
}

/* A session whose hello went out, behind the gate that the context describes. */
static int session_begin(void) {
  static struct session_config config = {{seed, public_key}, public_key, &nothing, "vectors", NULL, NULL, NULL, NULL, 0, NULL, NULL};
  static struct gate described;
  const uint8_t *hello;
  described = *gate;
  config.random = console->random;
  config.port = console;
  int fault = session_open(&receiver.session, &config);
  described.grants = gate->grants;
  *gate = described;
  session_set_time(&receiver.session, receiver.now_s * 1000, 0);
  if (fault == 0) fault = session_connect(&receiver.session, described.hub, 0);
  if (fault == 0) session_output(&receiver.session, 0, &hello);
  receiver.is_connected = fault == 0;
  return fault;
}

static int bytes_play(const uint8_t *bytes, size_t size) {
  const uint8_t *out;
  int code = receiver.is_connected ? 0 : session_begin();
  for (size_t at = 0; code == 0 && at < size;) {
    int taken = session_feed(&receiver.session, bytes + at, size - at, 0);
    at += taken > 0 ? (size_t)taken : 0;
    code = taken < 0 ? taken : session_step(&receiver.session, 0);
    if (code > 0) code = 0;
    while (session_output(&receiver.session, 0, &out) > 0) {}
  }
  /* A code ends the link; what comes after it is a new one. */
  if (code != 0) receiver.is_connected = false;
  return code;
}

/* One frame as the link brings it; what was answered or ignored, or why the link ends. */
static int lock_play(uint8_t *frame, size_t size) {
  struct session *session = &receiver.session;
  uint8_t nonce[SHALLOT_EPOCH_BYTES];
  uint64_t now_ms = (uint64_t)receiver.now_s * 1000;
  uint8_t head[SHALLOT_FRAME_HEADER_BYTES];
  const uint8_t *out;
  memcpy(nonce, gate->nonce, sizeof nonce);
  if (size > receiver.limit) return SHALLOT_E_TOO_LARGE;
  if (!receiver.is_connected && lock_open(nonce) != 0) return SHALLOT_E_INTERNAL;
  session_set_time(session, receiver.now_s * 1000, now_ms);
  session->grants.zone = receiver.zone;
  if (receiver.room == ROOM_STILLS) while (session_output(session, now_ms, &out) > 0) {}
  frame_head_put(head, size);
  session_feed(session, head, sizeof head, now_ms);
  session_feed(session, frame, size, now_ms);
  while (session_output(session, now_ms, &out) > 0) {}
  int event = session_step(session, now_ms);
  if (event == SESSION_RECORD) session_hold_record(session, frame, size);
  if (event == SESSION_RECORD && receiver.room == ROOM_UPDATE) kept_write(console, IDENTITY_RECORD_BLOB, frame, size);
  while (session_output(session, now_ms, &out) > 0) {}
  outbox_stored(&session->outbox, gate->nonce, UINT32_MAX);
  if (event < 0) return event;
  if (event == SESSION_COMMAND || event == SESSION_IGNORED) return session->code;
  return receiver.room == ROOM_UPDATE ? receiver.update.code : 0;
}

static int code_play(char *text) {
  struct enrol_code code;
  struct provision_ask ask;
  if (receiver.room == ROOM_SERIAL) return provision_ask_read(&ask, text, strlen(text));
  return enrol_code_read(&code, text, strlen(text));
}

static int hex_play(char *text) {
  uint8_t *bytes = storage + ENVELOPE_HEADROOM;
  int size = hex_read(bytes, LINE_BYTES, text);
  if (size < 0) return STATUS_NOT_UNDERSTOOD;
  switch (receiver.room) {
    case ROOM_ENVELOPE: return frame_play(bytes, (size_t)size);
    case ROOM_ENROLMENT: return answer_play(bytes, (size_t)size);
    case ROOM_SESSION: return bytes_play(bytes, (size_t)size);
    case ROOM_UPDATE:
    case ROOM_STILLS:
    case ROOM_GRANTS: return lock_play(bytes, (size_t)size);
    case ROOM_CERTIFICATE: return certificate_read_leaf(&(struct certificate_leaf){.not_before = 0}, bytes, (size_t)size);
    case ROOM_SERIAL: return provision_read(&(struct provision_orders){.code = NULL}, bytes, (size_t)size);
    default: return STATUS_NOT_UNDERSTOOD;
  }
}

/* A positive number: not understood. */
static int step_play(const char *field, char *value) {
  bool is_code = strcmp(field, "code") == 0;
  if (receiver.room != ROOM_SERIAL && is_code != (receiver.room == ROOM_CODE)) return STATUS_NOT_UNDERSTOOD;
  return is_code ? code_play(value) : hex_play(value);
}

/* ---- lines ---- */

static int line_play(const char *field, char *value) {
  static const char *const inputs[] = {"frame", "bytes", "code"};
  if (strcmp(field, "file") == 0) {
    memset(&receiver, 0, sizeof receiver);
    lock.grants_max = sizeof lock_grants / sizeof lock_grants[0];
    revocations_forget(console);
    uses_forget(console);
    keycodes_forget(console);
    two_slots.bytes = 0;
    kept_remove(console, IDENTITY_RECORD_BLOB);
    console->blob_remove("update-0");
    console->blob_remove("update-1");
    return 0;
  }
  if (!is_one_of(field, inputs, sizeof inputs / sizeof inputs[0])) return context_learn(field, value) ? 0 : STATUS_NOT_UNDERSTOOD;
  int code = step_play(field, value);
  if (code <= 0) log_number(console, "reached ", -code, "");
  return code > 0 ? code : 0;
}

/* Ends the field at its colon and points to the value, without the space between them. */
static char *field_split(char *field) {
  char *colon = strchr(field, ':');
  if (colon == NULL) return NULL;
  *colon++ = '\0';
  return *colon == ' ' ? colon + 1 : colon;
}

int app_main(const struct port *port) {
  console = port;
  storage = arena_alloc(BEFORE_LINE + LINE_BYTES);
  slot = arena_alloc(SLOT_BYTES_MAX);
  if (storage == NULL || slot == NULL) return 1;
  line = (char *)storage + BEFORE_LINE;
  if (crypto_public(public_key, seed) != 0) return 1;
  for (;;) {
    int size = port->read_line(line, LINE_BYTES, 1000);
    if (size == SHALLOT_E_PORT_TIMEOUT) continue;
    char *value = size < 0 ? NULL : field_split(line);
    if (value != NULL && strcmp(line, "end") == 0) return 0;
    if (value == NULL || line_play(line, value) != 0) {
      log_text(port, "not understood");
      return STATUS_NOT_UNDERSTOOD;
    }
  }
}
