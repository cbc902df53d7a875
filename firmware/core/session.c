// SPDX-License-Identifier: GPL-3.0-or-later
#include "session.h"

#include <string.h>

#include "base64url.h"
#include "keycodes.h"
#include "crypto.h"
#include "image.h"
#include "revocations.h"
#include "stills.h"
#include "../../schemas/gen/c/shallot_codes.h"

enum {
  /* `[affordance, time-ms, value]` at most: array, 16 bits, 64 bits, 32 bits with their heads. */
  SAMPLE_BYTES_MAX = 18,
  /* A body's map, keys, array head, digest and code. */
  BODY_BYTES_MAX = 48,
  /* What an act's body may have beyond that: whose command it was, and which. */
  ACT_BYTES_MORE = 72
};

static uint8_t *frame_of(struct session *session) { return session->buffer + SESSION_BEFORE_FRAME; }

/* ---- time ---- */

int64_t session_time_s(const struct session *session, uint64_t now_ms) {
  return session->clock_known ? ((int64_t)now_ms + session->clock_offset_ms) / 1000 : 0;
}

void session_set_time(struct session *session, int64_t unix_ms, uint64_t now_ms) {
  session->clock_known = unix_ms != 0;
  session->clock_offset_ms = unix_ms - (int64_t)now_ms;
}

/* 0 while no hub has said, and of what was before 1970 by a hub whose clock begins there. */
static int64_t unix_ms_of(const struct session *session, int64_t at_ms) {
  int64_t unix_ms = at_ms + session->clock_offset_ms;
  return session->clock_known && unix_ms > 0 ? unix_ms : 0;
}

/* ---- sealing ---- */

static struct sealed_claims claims_for(const struct session *session, enum message_type type, uint32_t sequence, uint64_t now_ms) {
  return (struct sealed_claims){type, session->gate.home, session_time_s(session, now_ms), session->gate.nonce, sequence};
}

static size_t sealed_size_max(size_t samples) {
  return ENVELOPE_OVERHEAD_MAX + ENVELOPE_CLAIMS_MAX + BODY_BYTES_MAX + samples * SAMPLE_BYTES_MAX;
}

static void samples_date(const struct session *session, struct changes *changes) {
  for (size_t i = 0; i < changes->count; i++) {
    int64_t *time_ms = &changes->list[i].time_ms;
    *time_ms = unix_ms_of(session, *time_ms);
  }
}

static int outbox_seal(struct session *session, struct sealing *sealing, size_t samples, bool is_receipt) {
  int size = envelope_seal_end(sealing, &session->config->sealer);
  if (size < 0) {
    session->outbox.lost += (uint32_t)samples;
    return size;
  }
  struct outbox_label label = {.sequence = session->sequence, .samples = (uint8_t)samples, .is_receipt = is_receipt};
  memcpy(label.epoch, session->gate.nonce, sizeof label.epoch);
  outbox_add(&session->outbox, &label, (size_t)size);
  session->sequence++;
  return 0;
}

/* SPEC 4.9 */
static int reading_seal(struct session *session, uint64_t now_ms) {
  struct changes *pending = &session->pending;
  struct sealing sealing;
  size_t room = sealed_size_max(pending->count);
  uint8_t *at = outbox_reserve(&session->outbox, room);
  struct sealed_claims claims = claims_for(session, MESSAGE_READING, session->sequence, now_ms);
  samples_date(session, pending);
  envelope_seal_begin(&sealing, &session->config->sealer, &claims, at, room);
  cbor_put_map(&sealing.writer, 1);
  cbor_put_integer(&sealing.writer, SHALLOT_READING_VALUES);
  samples_put(&sealing.writer, pending->list, pending->count);
  int fault = outbox_seal(session, &sealing, pending->count, false);
  pending->count = 0;
  return fault;
}

/* SPEC 4.11: all of a receipt but its seal, at `at`. */
static void receipt_begin(const struct session *session, struct sealing *sealing, uint8_t *at, size_t room, const uint8_t *digest, int code,
                          struct changes *changes, uint64_t now_ms) {
  struct sealed_claims claims = claims_for(session, MESSAGE_RECEIPT, session->sequence, now_ms);
  for (size_t i = 0; i < changes->count; i++) changes->list[i].time_ms = (int64_t)now_ms;
  samples_date(session, changes);
  envelope_seal_begin(sealing, &session->config->sealer, &claims, at, room);
  cbor_put_map(&sealing->writer, 3);
  cbor_put_integer(&sealing->writer, SHALLOT_RECEIPT_COMMAND);
  cbor_put_bytes(&sealing->writer, digest, SHALLOT_DIGEST_BYTES);
  cbor_put_integer(&sealing->writer, SHALLOT_RECEIPT_CODE);
  cbor_put_integer(&sealing->writer, -code);
  cbor_put_integer(&sealing->writer, SHALLOT_RECEIPT_VALUES);
  samples_put(&sealing->writer, changes->list, changes->count);
}

static int receipt_seal(struct session *session, int code, struct changes *changes, uint64_t now_ms) {
  struct sealing sealing;
  size_t room = sealed_size_max(changes->count);
  uint8_t *at = outbox_reserve(&session->outbox, room);
  receipt_begin(session, &sealing, at, room, session->digest, code, changes, now_ms);
  return outbox_seal(session, &sealing, changes->count, true);
}

/* What somebody did, or was refused, who stood before the device or its door. */
struct act {
  unsigned source; /* SHALLOT_ACT_... */
  unsigned affordance;
  int code;
  const uint8_t *grant; /* NULL: by none */
  /* Of one that came by the door: whose command it was, and its digest. NULL: it came by no command. */
  const uint8_t *signer;
  const uint8_t *command;
};

/* SPEC 12.8 */
static int act_seal(struct session *session, const struct act *act, struct changes *changes, uint64_t now_ms) {
  struct sealing sealing;
  size_t room = sealed_size_max(changes->count) + ACT_BYTES_MORE;
  uint8_t *at = outbox_reserve(&session->outbox, room);
  struct sealed_claims claims = claims_for(session, MESSAGE_ACT, session->sequence, now_ms);
  for (size_t i = 0; i < changes->count; i++) changes->list[i].time_ms = (int64_t)now_ms;
  samples_date(session, changes);
  envelope_seal_begin(&sealing, &session->config->sealer, &claims, at, room);
  cbor_put_map(&sealing.writer, 5u + (act->grant != NULL) + (act->signer == NULL ? 0 : 2));
  cbor_put_integer(&sealing.writer, SHALLOT_ACT_SOURCE);
  cbor_put_integer(&sealing.writer, act->source);
  cbor_put_integer(&sealing.writer, SHALLOT_ACT_AFFORDANCE);
  cbor_put_integer(&sealing.writer, act->affordance);
  cbor_put_integer(&sealing.writer, SHALLOT_ACT_AT);
  cbor_put_integer(&sealing.writer, unix_ms_of(session, (int64_t)now_ms));
  cbor_put_integer(&sealing.writer, SHALLOT_ACT_CODE);
  cbor_put_integer(&sealing.writer, -act->code);
  cbor_put_integer(&sealing.writer, SHALLOT_ACT_VALUES);
  samples_put(&sealing.writer, changes->list, changes->count);
  if (act->grant != NULL) {
    cbor_put_integer(&sealing.writer, SHALLOT_ACT_GRANT);
    cbor_put_bytes(&sealing.writer, act->grant, SHALLOT_GRANT_ID_BYTES);
  }
  if (act->signer != NULL) {
    cbor_put_integer(&sealing.writer, SHALLOT_ACT_SIGNER);
    cbor_put_bytes(&sealing.writer, act->signer, SHALLOT_KEY_BYTES);
    cbor_put_integer(&sealing.writer, SHALLOT_ACT_COMMAND);
    cbor_put_bytes(&sealing.writer, act->command, SHALLOT_DIGEST_BYTES);
  }
  return outbox_seal(session, &sealing, changes->count, true);
}

/* SPEC 15.6 */
static void standing_put(struct cbor_writer *writer, struct update_standing image) {
  cbor_put_integer(writer, SHALLOT_HELLO_IMAGE);
  cbor_put_array(writer, 3);
  cbor_put_integer(writer, (int64_t)image.running);
  cbor_put_integer(writer, image.standing);
  cbor_put_integer(writer, (int64_t)image.tried);
}

/* SPEC 18.1 */
static void door_put(struct cbor_writer *writer, const struct session_config *config) {
  cbor_put_integer(writer, SHALLOT_HELLO_DIRECT);
  cbor_put_array(writer, 2);
  cbor_put_integer(writer, config->door_port);
  cbor_put_bytes(writer, config->door_point, SHALLOT_DIRECT_KEY_BYTES);
}

static void hello_body_put(const struct session *session, struct cbor_writer *writer) {
  const struct app *app = session->config->app;
  const struct update *update = session->config->update;
  char firmware[SHALLOT_LABEL_BYTES_MAX + 1];
  size_t firmware_size = image_firmware(firmware, app);
  cbor_put_map(writer, 4u + (update != NULL) + (session->config->door_port != 0));
  cbor_put_integer(writer, SHALLOT_HELLO_BOARD);
  cbor_put_text(writer, session->config->board, strlen(session->config->board));
  cbor_put_integer(writer, SHALLOT_HELLO_FIRMWARE);
  cbor_put_text(writer, firmware, firmware_size);
  cbor_put_integer(writer, SHALLOT_HELLO_AFFORDANCES);
  cbor_put_array(writer, app->affordances_count);
  for (size_t i = 0; i < app->affordances_count; i++) cbor_put_integer(writer, app->affordances[i]);
  cbor_put_integer(writer, SHALLOT_HELLO_LOST);
  cbor_put_integer(writer, session->outbox.lost);
  if (update != NULL) standing_put(writer, update_standing(update));
  if (session->config->door_port != 0) door_put(writer, session->config);
}

/* SPEC 4.7. The hello is number 0 of its epoch, also when it is said again after a reconnect. */
static int hello_seal(struct session *session, uint64_t now_ms) {
  struct sealing sealing;
  struct sealed_claims claims = claims_for(session, MESSAGE_HELLO, 0, now_ms);
  envelope_seal_begin(&sealing, &session->config->sealer, &claims, frame_of(session), SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  session->lost_told = session->outbox.lost;
  hello_body_put(session, &sealing.writer);
  int size = envelope_seal_end(&sealing, &session->config->sealer);
  if (size < 0) return size;
  session->out_size = (size_t)size;
  session->state = SESSION_WAITING;
  return 0;
}

/* SPEC 19.2 */
static int still_seal(struct session *session, struct stills *stills, uint64_t now_ms) {
  struct sealing sealing;
  struct sealed_claims claims = claims_for(session, MESSAGE_STILL, session->sequence++, now_ms);
  envelope_seal_begin(&sealing, &session->config->sealer, &claims, frame_of(session), SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  stills_body_put(stills, &sealing.writer, unix_ms_of(session, (int64_t)stills->taken_ms));
  return envelope_seal_end(&sealing, &session->config->sealer);
}

/* ---- life ---- */

static int epoch_draw(struct session *session) {
  uint8_t epoch[SHALLOT_EPOCH_BYTES];
  int fault = session->config->random(epoch, sizeof epoch);
  if (fault) return fault;
  gate_renew(&session->gate, epoch);
  session->sequence = 1;
  return 0;
}

int session_open(struct session *session, const struct session_config *config) {
  memset(session, 0, sizeof *session);
  session->config = config;
  memcpy(session->gate.root, config->root, SHALLOT_KEY_BYTES);
  base64url_write(session->gate.home, sizeof session->gate.home, config->root, SHALLOT_KEY_BYTES);
  base64url_write(session->gate.device, sizeof session->gate.device, config->sealer.public_key, SHALLOT_KEY_BYTES);
  session->gate.grants = &session->grants;
  grants_open(&session->grants, config->app, config->port, config->sealer.public_key);
  return epoch_draw(session);
}

/* SPEC 14.7: a record that names no hub is for any of the home. */
static bool is_hub_elsewhere(const struct session *session) {
  return session->has_charge && memcmp(session->charge, session->gate.hub, SHALLOT_KEY_BYTES) != 0;
}

int session_connect(struct session *session, const uint8_t hub[SHALLOT_KEY_BYTES], uint64_t now_ms) {
  memcpy(session->gate.hub, hub, SHALLOT_KEY_BYTES);
  int fault = revocations_check_key(&session->gate, session->config->port, hub);
  session->gate.is_hub_revoked = fault != 0;
  if (fault) return fault;
  frame_expect(&session->frame);
  outbox_rewind(&session->outbox);
  session->got_due = false;
  session->hello_due = false;
  session->is_newcomer = is_hub_elsewhere(session);
  session->heard_ms = now_ms;
  session->said_ms = now_ms;
  session->connected_ms = now_ms;
  return hello_seal(session, now_ms);
}

int session_greet(struct session *session, uint64_t now_ms) {
  int fault = hello_seal(session, now_ms);
  session->state = SESSION_OPEN;
  return fault;
}

void session_disconnect(struct session *session) {
  session->state = SESSION_CLOSED;
  session->out_size = 0;
  session->got_due = false;
}

int session_check(const struct session *session, uint64_t now_ms) {
  if (session->gate.is_hub_revoked) return SHALLOT_E_GRANT_REVOKED;
  bool has_shown_nothing = session->state == SESSION_OPEN || now_ms - session->connected_ms > SHALLOT_HELLO_MS_MAX;
  if (is_hub_elsewhere(session) && has_shown_nothing) return SHALLOT_E_HUB_ELSEWHERE;
  return now_ms - session->heard_ms > SHALLOT_SILENCE_S_MAX * 1000 ? SHALLOT_E_SILENT : 0;
}

/* ---- frames in ---- */

/* What is answered by a receipt (SPEC 4.11); MESSAGE_TYPES stands for what cannot be read. */
static bool is_answered(enum message_type type) {
  return type == MESSAGE_COMMAND || type == MESSAGE_GRANT || type == MESSAGE_REVOCATION || type == MESSAGE_MANIFEST || type == MESSAGE_PINS ||
         type == MESSAGE_TYPES;
}

/* An envelope is opened as soon as it is complete, to know whether it is answered. */
static void envelope_arrived(struct session *session) {
  uint8_t *frame = frame_of(session);
  struct envelope envelope;
  envelope_open(&envelope, frame, session->frame.size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  crypto_sha256(session->digest, frame, session->frame.size);
  session->got_due = session->state == SESSION_OPEN && is_answered(envelope.type);
}

int session_feed(struct session *session, const uint8_t *bytes, size_t size, uint64_t now_ms) {
  struct frame_reader *frame = &session->frame;
  if (frame->complete || session->out_size > 0 || size == 0) return 0;
  session->heard_ms = now_ms;
  int taken = frame_feed(frame, frame_of(session), bytes, size);
  if (taken < 0 || !frame->complete) return taken;
  if (frame->size == 0) frame_expect(frame);
  else if (frame_of(session)[0] == ENVELOPE_FIRST_BYTE) envelope_arrived(session);
  return taken;
}

/* ---- what frames mean ---- */

/* SPEC 15.4 */
static int chunk_step(struct session *session, const struct note *chunk) {
  struct update *update = session->config->update;
  if (update == NULL || session->state != SESSION_OPEN) return SHALLOT_E_BAD_NOTE;
  int code = update_chunk(update, chunk);
  return code > 0 ? SESSION_UPDATED : code;
}

/* SPEC 19.3 */
static int here_step(struct session *session, const struct note *here, uint64_t now_ms) {
  struct stills *stills = session->config->app->stills;
  if (stills == NULL) return SHALLOT_E_BAD_NOTE;
  int fault = stills_here(stills, here, now_ms);
  return fault ? fault : SESSION_NOTHING;
}

/* SPEC 6.3 */
static int note_step(struct session *session, size_t size, uint64_t now_ms) {
  struct note note;
  int fault = note_read(&note, frame_of(session), size);
  if (fault) return fault;
  if (note.kind == NOTE_REFUSAL) return note.code;
  if (note.kind == NOTE_GOT) return SHALLOT_E_BAD_NOTE;
  if (note.kind == NOTE_CHUNK) return chunk_step(session, &note);
  if (note.kind == NOTE_HERE) return here_step(session, &note, now_ms);
  outbox_stored(&session->outbox, note.epoch, note.sequence);
  memcpy(session->noted_epoch, note.epoch, sizeof session->noted_epoch);
  session->noted_sequence = note.sequence;
  return SESSION_STORED;
}

static int ignore(struct session *session, int code) {
  session->code = code;
  return SESSION_IGNORED;
}

static int admit(struct session *session, const struct envelope *envelope, uint64_t now_ms) {
  return gate_admit(&session->gate, envelope, session_time_s(session, now_ms));
}

/* SPEC 4.8: what the hello that this answers said to be lost has been told. */
static int welcome_step(struct session *session, const struct envelope *envelope, uint64_t now_ms) {
  struct changes standing = {.count = 0};
  int fault = admit(session, envelope, now_ms);
  if (fault) return fault;
  struct welcome_body welcome = claims_welcome(&envelope->claims);
  session_set_time(session, welcome.time_ms, now_ms);
  session->grants.zone = welcome.zone;
  session->places = welcome.places;
  session->outbox.lost -= session->lost_told;
  session->lost_told = 0;
  session->state = SESSION_OPEN;
  if (session->config->app->stills != NULL) stills_linked(session->config->app->stills);
  session->config->app->stand(&standing);
  session_report(session, &standing, now_ms);
  return welcome.wants_record ? SESSION_CONNECTED_WANTED : SESSION_CONNECTED;
}

/* SPEC 6.4: a welcome that is said again brings the time and the zone, and nothing else. */
static int time_step(struct session *session, const struct envelope *envelope, uint64_t now_ms) {
  int fault = admit(session, envelope, now_ms);
  if (fault) return ignore(session, fault);
  struct welcome_body welcome = claims_welcome(&envelope->claims);
  session_set_time(session, welcome.time_ms, now_ms);
  session->grants.zone = welcome.zone;
  session->outbox.lost -= session->lost_told;
  session->lost_told = 0;
  return SESSION_NOTHING;
}

/* SPEC 6.7: at any time, and in place of the welcome when the certificate of this connection has ended. */
static int papers_step(struct session *session, const struct envelope *envelope, uint64_t now_ms) {
  int fault = admit(session, envelope, now_ms);
  if (fault) return session->state == SESSION_OPEN ? ignore(session, fault) : fault;
  session->papers = claims_enrolled(&envelope->claims);
  return SESSION_PAPERS;
}

/* Somebody who has a window had to be forgotten: nothing of before is taken from here on. */
static int life_renew(struct session *session, uint64_t now_ms) {
  int fault = epoch_draw(session);
  return fault ? fault : hello_seal(session, now_ms);
}

/* SPEC 4.1, 3.2 */
static int owner_step(struct session *session, const struct envelope *envelope, uint64_t now_ms) {
  if (gate_knows_owner(&session->gate, session->digest)) return SESSION_NOTHING;
  int fault = admit(session, envelope, now_ms);
  if (fault == 0) fault = revocations_check_key(&session->gate, session->config->port, envelope->claims.key);
  if (fault) return ignore(session, fault);
  int forgotten = gate_add_owner(&session->gate, envelope, session->digest);
  if (forgotten < 0) return ignore(session, forgotten);
  return forgotten ? life_renew(session, now_ms) : SESSION_NOTHING;
}

/* SPEC 4.4, 12.3: an older enrolment would bring groups back. */
static int enrolment_step(struct session *session, const struct envelope *envelope, size_t size, uint64_t now_ms) {
  int fault = admit(session, envelope, now_ms);
  if (fault == 0 && envelope->claims.sequence < session->record_sequence) fault = SHALLOT_E_REPLAYED;
  if (fault) return ignore(session, fault);
  bool is_ours = memcmp(envelope->claims.key, session->config->sealer.public_key, SHALLOT_KEY_BYTES) == 0;
  session->record_size = size;
  return is_ours ? SESSION_RECORD : ignore(session, SHALLOT_E_WRONG_AUDIENCE);
}

/* SPEC 12.4 */
static int lease_step(struct session *session, const struct envelope *envelope, uint64_t now_ms) {
  int fault = admit(session, envelope, now_ms);
  if (fault) return ignore(session, fault);
  grants_lease(&session->grants, &envelope->claims);
  return SESSION_NOTHING;
}

/* SPEC 12.3: by which grant, when one is named; `place` stays GRANT_NONE for an owner's own command. */
static int grant_judge_command(struct session *session, const struct envelope *envelope, const struct command_body *order,
                               struct moment *moment, unsigned *place) {
  *place = order->grant == NULL ? GRANT_NONE : grants_find(&session->gate, order->grant, envelope->signer);
  moment->readable = app_properties(session->config->app);
  return order->grant == NULL ? 0 : grants_judge(&session->grants, *place, order, moment);
}

/* SPEC 4.14. What passes has its use counted, and may be acted on. */
static int order_judge(struct session *session, const struct envelope *envelope, struct command_body *order, struct moment *moment, uint64_t now_ms) {
  unsigned place;
  *order = claims_command(&envelope->claims);
  *moment = grants_moment(&session->grants, session_time_s(session, now_ms));
  int code = grant_judge_command(session, envelope, order, moment, &place);
  if (code == 0) code = app_judge(session->config->app, order);
  bool is_counted = place != GRANT_NONE && order->operation != SHALLOT_OPERATION_READ;
  return code == 0 && is_counted ? grants_spend(&session->grants, place, moment) : code;
}

/* SPEC 4.10, of a command that the gate admitted. `was_asked`: the app, to change something. */
static int order_step(struct session *session, const struct envelope *envelope, const uint8_t *digest, struct changes *changes, uint64_t now_ms,
                      bool *was_asked) {
  struct command_body order;
  struct moment moment;
  const struct app *app = session->config->app;
  int code = order_judge(session, envelope, &order, &moment, now_ms);
  *was_asked = code == 0 && order.operation != SHALLOT_OPERATION_READ;
  if (code == 0 && !*was_asked) app_read(app, order.affordance, moment.readable, changes);
  if (*was_asked) code = app->act(&order, changes);
  if (code || changes->still_size == 0) return code;
  return stills_take(app->stills, changes->still_size, digest, now_ms);
}

static int command_step(struct session *session, const struct envelope *envelope, struct changes *changes, uint64_t now_ms) {
  bool was_asked;
  int code = admit(session, envelope, now_ms);
  return code ? code : order_step(session, envelope, session->digest, changes, now_ms, &was_asked);
}

/* SPEC 12.2: one that was seen before costs no signature check. */
static int grant_step(struct session *session, const struct envelope *envelope, uint64_t now_ms, bool *forgotten) {
  bool is_known = grants_known(&session->grants, session->digest) != NULL || keycodes_known(&session->grants, session->digest);
  if (is_known) return gate_check_time(envelope, session_time_s(session, now_ms));
  int code = admit(session, envelope, now_ms);
  if (code == 0) code = grants_take(&session->gate, envelope, session->digest, forgotten);
  bool is_for_key = envelope->claims.key != NULL;
  while (code == SHALLOT_E_GRANTS_FULL && is_for_key && grants_evict(&session->gate, envelope))
    code = grants_take(&session->gate, envelope, session->digest, forgotten);
  return code;
}

/* SPEC 12.5: on flash first, so that nothing that is told to be taken back comes again. */
static int revocation_step(struct session *session, const struct envelope *envelope, size_t size, uint64_t now_ms) {
  int code = admit(session, envelope, now_ms);
  if (code == 0) code = revocations_take(&session->gate, session->config->port, envelope, size);
  if (code == 0) grants_sweep(&session->gate, envelope);
  return code;
}

/* SPEC 15.3: the release key is looked up each time, because an owner may have named another since. */
static int manifest_step(struct session *session, const struct envelope *envelope, uint64_t now_ms) {
  struct update *update = session->config->update;
  uint8_t release[SHALLOT_KEY_BYTES];
  if (update == NULL) return SHALLOT_E_NO_SLOT;
  int code = update_release_key(session->config->port, release);
  if (code && code != SHALLOT_E_NO_RELEASE_KEY) return code;
  session->gate.release = code ? NULL : release;
  if (!update_knows(update, session->digest)) code = admit(session, envelope, now_ms);
  else code = gate_check_release(&session->gate, envelope);
  session->gate.release = NULL;
  struct manifest_body manifest = claims_manifest(&envelope->claims);
  return code ? code : update_offer(update, &manifest, session->digest);
}

/* SPEC 16.2 */
static int pins_step(struct session *session, const struct envelope *envelope, uint64_t now_ms) {
  int code = admit(session, envelope, now_ms);
  if (code) return code;
  struct pins_body pins = claims_pins(&envelope->claims);
  return session->config->pins == NULL ? SHALLOT_E_CA_UNKNOWN : session->config->pins(&pins);
}

/* SPEC 18.2 */
static int direct_step(struct session *session, const struct envelope *envelope, uint64_t now_ms) {
  int fault = admit(session, envelope, now_ms);
  struct direct_body direct = claims_direct(&envelope->claims);
  if (fault == 0 && session->config->direct != NULL) fault = session->config->direct(&direct);
  return fault ? ignore(session, fault) : SESSION_NOTHING;
}

/* What the sender is told of our own troubles. */
static int answer_of(int code) {
  if (code == SHALLOT_E_TLS_OUT_OF_MEMORY) return SHALLOT_E_BUSY;
  return code == SHALLOT_E_PORT_STORAGE || code == SHALLOT_E_PORT_IO ? SHALLOT_E_DEVICE_FAULT : code;
}

/* SPEC 4.11. code: what opening it said. */
static int answered_step(struct session *session, const struct envelope *envelope, int code, size_t size, uint64_t now_ms) {
  struct changes changes = {.count = 0};
  bool forgotten = false;
  session->grants.uptime_s = (uint32_t)(now_ms / 1000);
  if (code == 0 && envelope->type == MESSAGE_COMMAND) code = command_step(session, envelope, &changes, now_ms);
  else if (code == 0 && envelope->type == MESSAGE_GRANT) code = grant_step(session, envelope, now_ms, &forgotten);
  else if (code == 0 && envelope->type == MESSAGE_MANIFEST) code = manifest_step(session, envelope, now_ms);
  else if (code == 0 && envelope->type == MESSAGE_PINS) code = pins_step(session, envelope, now_ms);
  else if (code == 0) code = revocation_step(session, envelope, size, now_ms);
  session->code = answer_of(code);
  int fault = receipt_seal(session, session->code, &changes, now_ms);
  if (fault == 0 && forgotten) fault = life_renew(session, now_ms);
  return fault ? fault : SESSION_COMMAND;
}

/*
 * SPEC 14.7: of a hub that had no charge of this device when it came only the owners' word is heard that it has. What else it sends
 * in the meantime it sends again after the welcome that counts; not even the time is taken before.
 */
static int newcomer_step(struct session *session, const struct envelope *envelope, size_t size, uint64_t now_ms) {
  if (envelope->type == MESSAGE_OWNER) return owner_step(session, envelope, now_ms);
  if (envelope->type == MESSAGE_ENROLMENT) return enrolment_step(session, envelope, size, now_ms);
  if (envelope->type != MESSAGE_WELCOME) return ignore(session, SHALLOT_E_HUB_ELSEWHERE);
  if (!is_hub_elsewhere(session)) return welcome_step(session, envelope, now_ms);
  int fault = admit(session, envelope, now_ms);
  if (fault) return fault;
  return claims_welcome(&envelope->claims).wants_record ? SESSION_WANTED : SESSION_NOTHING;
}

static int opened_step(struct session *session, const struct envelope *envelope, size_t size, uint64_t now_ms) {
  bool is_open = session->state == SESSION_OPEN;
  if (is_open && is_hub_elsewhere(session)) return SHALLOT_E_HUB_ELSEWHERE;
  if (!is_open && session->is_newcomer) return newcomer_step(session, envelope, size, now_ms);
  if (envelope->type == MESSAGE_ENROLLED) return papers_step(session, envelope, now_ms);
  if (envelope->type == MESSAGE_WELCOME) return is_open ? time_step(session, envelope, now_ms) : welcome_step(session, envelope, now_ms);
  if (envelope->type == MESSAGE_OWNER && is_open) return owner_step(session, envelope, now_ms);
  if (envelope->type == MESSAGE_ENROLMENT && is_open) return enrolment_step(session, envelope, size, now_ms);
  if (envelope->type == MESSAGE_LEASE && is_open) return lease_step(session, envelope, now_ms);
  if (envelope->type == MESSAGE_DIRECT && is_open) return direct_step(session, envelope, now_ms);
  return SHALLOT_E_UNEXPECTED_MESSAGE;
}

/* Before the welcome what cannot be read ends the connection; after it, it counts as a command and is answered. */
static int envelope_step(struct session *session, size_t size, uint64_t now_ms) {
  struct envelope envelope;
  int fault = envelope_open(&envelope, frame_of(session), size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  bool is_open = session->state == SESSION_OPEN;
  if (is_open && is_answered(envelope.type) && !is_hub_elsewhere(session)) return answered_step(session, &envelope, fault, size, now_ms);
  if (fault == 0) return opened_step(session, &envelope, size, now_ms);
  return is_open ? ignore(session, fault) : fault;
}

int session_step(struct session *session, uint64_t now_ms) {
  if (!session->frame.complete) return SESSION_NOTHING;
  size_t size = session->frame.size;
  frame_expect(&session->frame);
  return frame_of(session)[0] == ENVELOPE_FIRST_BYTE ? envelope_step(session, size, now_ms) : note_step(session, size, now_ms);
}

/* ---- what others keep and send ---- */

void session_seal_waiting(struct session *session, uint32_t older_than_ms, uint64_t now_ms) {
  const struct changes *pending = &session->pending;
  if (pending->count == 0 || !session->clock_known) return;
  if ((int64_t)now_ms - pending->list[0].time_ms >= (int64_t)older_than_ms) reading_seal(session, now_ms);
}

int session_renew_epoch(struct session *session) { return epoch_draw(session); }

bool session_has_room(const struct session *session) {
  const struct frame_reader *frame = &session->frame;
  return session->state == SESSION_OPEN && session->out_size == 0 && !session->got_due && frame->head_got == 0 && !frame->complete;
}

/* ---- the enrolment record ---- */

const uint8_t *session_record(const struct session *session, size_t *size) {
  *size = session->record_size;
  return session->buffer + SESSION_BEFORE_FRAME;
}

void session_hold_record(struct session *session, uint8_t *record, size_t size) {
  struct envelope envelope;
  if (envelope_open(&envelope, record, size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX) != 0 || envelope.type != MESSAGE_ENROLMENT) return;
  const uint8_t *hub = claims_hub(&envelope.claims);
  bool was_elsewhere = is_hub_elsewhere(session);
  session->record_sequence = envelope.claims.sequence;
  session->has_charge = hub != NULL;
  if (hub != NULL) memcpy(session->charge, hub, sizeof session->charge);
  session->hello_due = session->state == SESSION_WAITING && was_elsewhere && !is_hub_elsewhere(session);
  grants_regroup(&session->grants, &envelope.claims);
}

uint8_t *session_record_room(struct session *session, size_t *capacity) {
  *capacity = SHALLOT_DEVICE_ENVELOPE_BYTES_MAX;
  return frame_of(session);
}

void session_send_record(struct session *session, size_t size) { session->out_size = size; }

/* ---- by the door, SPEC 18 ---- */

/* What the hub is told of a command that it did not bring. The envelope is gone when the receipt is in its place, so this comes first. */
static void direct_tell(struct session *session, const struct envelope *envelope, const uint8_t *digest, int code, const struct changes *changes,
                        uint64_t now_ms) {
  struct command_body order = claims_command(&envelope->claims);
  struct changes told = *changes;
  struct act act = {SHALLOT_ACT_DIRECT, order.affordance, answer_of(code), order.grant, envelope->signer, digest};
  act_seal(session, &act, &told, now_ms);
}

/* Seals in place of the command, of which nothing is needed any more. */
static int direct_answer(struct session *session, uint8_t *bytes, const uint8_t *digest, int code, struct changes *changes, uint64_t now_ms) {
  struct sealing sealing;
  receipt_begin(session, &sealing, bytes, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX, digest, answer_of(code), changes, now_ms);
  session->sequence++;
  return envelope_seal_end(&sealing, &session->config->sealer);
}

int session_direct(struct session *session, uint8_t *bytes, size_t size, uint64_t now_ms) {
  struct envelope envelope;
  struct changes changes = {.count = 0};
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  bool was_asked = false;
  int code = envelope_open(&envelope, bytes, size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  if (code == 0 && envelope.type != MESSAGE_COMMAND) code = SHALLOT_E_BAD_REQUEST;
  if (code == 0) code = crypto_sha256(digest, bytes, size);
  if (code == 0) code = gate_prove(&session->gate, &envelope);
  if (code) return answer_of(code);
  session->grants.uptime_s = (uint32_t)(now_ms / 1000);
  code = gate_enter(&session->gate, &envelope, session_time_s(session, now_ms));
  if (code == 0) code = order_step(session, &envelope, digest, &changes, now_ms, &was_asked);
  if (was_asked) direct_tell(session, &envelope, digest, code, &changes, now_ms);
  return direct_answer(session, bytes, digest, code, &changes, now_ms);
}

/* ---- frames out ---- */

static size_t got_output(struct session *session, const uint8_t **bytes) {
  session->got_due = false;
  *bytes = session->note;
  return note_got_put(session->note, session->digest);
}

static size_t buffer_output(struct session *session, const uint8_t **bytes) {
  uint8_t *head = frame_of(session) - SHALLOT_FRAME_HEADER_BYTES;
  size_t size = session->out_size;
  frame_head_put(head, size);
  session->out_size = 0;
  *bytes = head;
  return SHALLOT_FRAME_HEADER_BYTES + size;
}

static size_t keepalive_output(struct session *session, uint64_t now_ms, const uint8_t **bytes) {
  if (now_ms - session->said_ms < SHALLOT_KEEPALIVE_S * 1000) return 0;
  frame_head_put(session->note, 0);
  *bytes = session->note;
  return SHALLOT_FRAME_HEADER_BYTES;
}

/* The picture that waits, when nothing else does: it shares the buffer. */
static size_t still_output(struct session *session, const uint8_t **bytes, uint64_t now_ms) {
  struct stills *stills = session->config->app->stills;
  if (stills == NULL || !session_has_room(session)) return 0;
  int size = stills_is_due(stills, now_ms) ? still_seal(session, stills, now_ms) : (int)stills_piece(stills, frame_of(session));
  if (size <= 0) return 0;
  session->out_size = (size_t)size;
  return buffer_output(session, bytes);
}

static size_t wanted_output(struct session *session, const uint8_t **bytes) {
  *bytes = session->note;
  return session->config->update == NULL ? 0 : update_wanted(session->config->update, session->note);
}

/* The hub has proved its charge: it is asked for a welcome that counts. The buffer is free, for the record in it is kept. */
static int hello_again(struct session *session, uint64_t now_ms) {
  session->hello_due = false;
  return hello_seal(session, now_ms);
}

static size_t output_pick(struct session *session, uint64_t now_ms, const uint8_t **bytes) {
  if (session->hello_due && !session->frame.complete && hello_again(session, now_ms) != 0) return 0;
  if (session->got_due) return got_output(session, bytes);
  if (session->out_size > 0) return buffer_output(session, bytes);
  if (session->state == SESSION_OPEN) {
    if (session->pending.count > 0 && !session->frame.complete) reading_seal(session, now_ms);
    size_t size = outbox_next(&session->outbox, bytes);
    if (size > 0) return size;
    size = wanted_output(session, bytes);
    if (size == 0) size = still_output(session, bytes, now_ms);
    if (size > 0) return size;
  }
  return keepalive_output(session, now_ms, bytes);
}

size_t session_output(struct session *session, uint64_t now_ms, const uint8_t **bytes) {
  if (session->state == SESSION_CLOSED) return 0;
  size_t size = output_pick(session, now_ms, bytes);
  if (size > 0) session->said_ms = now_ms;
  return size;
}

/* ---- what happens by itself, and what people do who stand before it ---- */

/* Whether the code opens or not, it is told: by the app's act, and in an act to the hub. */
static void outcome_act(struct session *session, const struct keycodes_outcome *outcome, uint64_t now_ms) {
  struct changes changes = {.count = 0};
  int code = outcome->code ? outcome->code : session->config->app->act(&outcome->order, &changes);
  struct act act = {SHALLOT_ACT_KEYPAD, outcome->order.affordance, answer_of(code), outcome->has_grant ? outcome->grant : NULL, NULL, NULL};
  act_seal(session, &act, &changes, now_ms);
}

bool session_tick(struct session *session, uint64_t now_ms) {
  struct keycodes_outcome outcome;
  enum keycodes_state state = keycodes_step(&session->gate, session_time_s(session, now_ms), now_ms, &outcome);
  if (state == KEYCODES_DONE) outcome_act(session, &outcome, now_ms);
  return state == KEYCODES_BUSY;
}

static void own_act(struct session *session, const struct changes *changes, uint64_t now_ms) {
  struct changes none = {.count = 0};
  struct act act = {changes->act_source, changes->act_affordance, 0, NULL, NULL, NULL};
  act_seal(session, &act, &none, now_ms);
}

void session_report(struct session *session, const struct changes *changes, uint64_t now_ms) {
  if (changes->act_source != 0) own_act(session, changes, now_ms);
  struct changes *pending = &session->pending;
  for (size_t i = 0; i < changes->count; i++) {
    if (pending->count == SHALLOT_VALUES_PER_READING_MAX) reading_seal(session, now_ms);
    struct sample *sample = &pending->list[pending->count++];
    *sample = changes->list[i];
    sample->time_ms = (int64_t)now_ms;
  }
}
