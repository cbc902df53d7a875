// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What time and want of room do to a session, with a clock that this program moves: half a minute of silence takes no time here.
 * Prints a line `ok CLAIM` or `FAILED CLAIM` for each; the status is the number that failed. Needs no link and no hub.
 */
#include <string.h>

#include "../core/base64url.h"
#include "../core/crypto.h"
#include "../core/line.h"
#include "../core/session.h"

enum { HEAD = SHALLOT_FRAME_HEADER_BYTES, SECOND = 1000 };

static const struct port *console;
static int failed;
static struct session session;
static uint8_t seed[SHALLOT_KEY_BYTES] = {1};
static uint8_t public_key[SHALLOT_KEY_BYTES];
static struct session_config config;
static uint8_t copy[SESSION_BUFFER_BYTES];

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

static void open_nothing(const struct port *port) { (void)port; }
static int act_nothing(const struct command_body *order, struct changes *changes) {
  (void)order;
  (void)changes;
  return 0;
}
static uint32_t tick_nothing(uint64_t now_ms, struct changes *changes) {
  (void)now_ms;
  (void)changes;
  return SECOND;
}
static void stand_nothing(struct changes *changes) { (void)changes; }

static const uint16_t affordances[] = {1, 3};
static const struct app app = {
  .firmware = "core-check",
  .affordances = affordances,
  .affordances_count = 2,
  .open = open_nothing,
  .act = act_nothing,
  .tick = tick_nothing,
  .stand = stand_nothing,
};

/* Drains what waits to be sent; how many frames, keep-alives not counted. */
static size_t frames_drain(uint64_t now_ms) {
  const uint8_t *bytes;
  size_t size, frames = 0;
  while ((size = session_output(&session, now_ms, &bytes)) > 0) {
    if (size == HEAD) break;
    memcpy(copy, bytes, size);
    frames++;
  }
  return frames;
}

/* A session as it is after the welcome. */
static void session_ready(void) {
  session_open(&session, &config);
  session_connect(&session, public_key, 0);
  frames_drain(0);
  session.state = SESSION_OPEN;
}

static void report(int32_t number, uint64_t now_ms) {
  struct changes changes = {.count = 0};
  changes_add(&changes, 3, number);
  session_report(&session, &changes, now_ms);
}

static void keepalive_claims(void) {
  const uint8_t *bytes;
  session_ready();
  claim(session_output(&session, 10 * SECOND - 1, &bytes) == 0, "nothing is said before ten seconds of own silence");
  size_t size = session_output(&session, 10 * SECOND, &bytes);
  claim(size == HEAD && bytes[0] == 0 && bytes[1] == 0, "a keep-alive is said after ten seconds");
  claim(session_output(&session, 10 * SECOND + 1, &bytes) == 0, "and only one");
  claim(session_check(&session, 25 * SECOND) == 0, "a hub may be silent for 25 seconds");
  claim(session_check(&session, 25 * SECOND + 1) == SHALLOT_E_SILENT, "and no longer");
  session_feed(&session, (const uint8_t[]){0, 0}, 2, 25 * SECOND);
  claim(session_check(&session, 50 * SECOND) == 0, "its keep-alive counts as a word");
}

static void framing_claims(void) {
  session_ready();
  claim(session_feed(&session, (const uint8_t[]){4, 1}, 2, 0) == SHALLOT_E_FRAME_TOO_LARGE, "1,025 bytes are refused by their length");
  claim(session_feed(&session, copy, sizeof copy, 0) == SHALLOT_E_FRAME_TOO_LARGE, "and stay refused, whoever feeds on");
  session_ready();
  claim(session_feed(&session, (const uint8_t[]){4, 0, 9}, 3, 0) == 3, "1,024 bytes are awaited");
  claim(session_step(&session, 0) == SESSION_NOTHING, "nothing is done with a frame that is not complete");
  session_ready();
  claim(session_feed(&session, (const uint8_t[]){0, 1, 0x80, 0, 0}, 5, 0) == 3, "a feed ends with its frame");
  claim(session_feed(&session, (const uint8_t[]){0, 0}, 2, 0) == 0, "the next waits until that one is dealt with");
  claim(session_step(&session, 0) == SHALLOT_E_BAD_NOTE, "an empty array is no note");
}

static void answer_claims(void) {
  static const uint8_t damaged[] = {0, 3, 0xd2, 0x84, 0x00};
  session_ready();
  session_feed(&session, damaged, sizeof damaged, 0);
  claim(frames_drain(0) == 1 && copy[HEAD] == 0x81, "arrival is said before a command is looked at");
  claim(session_step(&session, 0) == SESSION_COMMAND && session.code == SHALLOT_E_CBOR_TRUNCATED, "what cannot be read is refused as a command");
  claim(frames_drain(0) == 1 && copy[HEAD] == ENVELOPE_FIRST_BYTE, "and answered once");
  session_ready();
  session.state = SESSION_WAITING;
  session_feed(&session, damaged, sizeof damaged, 0);
  claim(frames_drain(0) == 0, "before the welcome nothing is said to have arrived");
  claim(session_step(&session, 0) == SHALLOT_E_CBOR_TRUNCATED, "and the link ends");
}

static void outbox_claims(void) {
  session_ready();
  session_disconnect(&session);
  for (int32_t i = 0; i < 16; i++) report(i, (uint64_t)i);
  claim(session.outbox.used == 0, "sixteen values wait unsealed while the link is down");
  for (int32_t i = 16; i < 400; i++) report(i, (uint64_t)i);
  claim(session.outbox.lost > 0 && session.outbox.lost % 16 == 0, "when room is short whole readings are lost, and counted");
  session_connect(&session, public_key, 400);
  claim(frames_drain(400) == 1, "before the welcome only the hello goes out");
  session.state = SESSION_OPEN;
  size_t frames = frames_drain(400);
  claim(frames * 16 + session.outbox.lost == 400, "what is not lost goes out");
  claim(frames_drain(400) == 0, "once");
  session_disconnect(&session);
  session_connect(&session, public_key, 500);
  frames_drain(500);
  session.state = SESSION_OPEN;
  claim(frames_drain(500) == frames, "and again on the next link, while the hub has not stored it");
  outbox_stored(&session.outbox, session.gate.nonce, session.sequence - 2);
  session_disconnect(&session);
  session_connect(&session, public_key, 600);
  frames_drain(600);
  session.state = SESSION_OPEN;
  claim(frames_drain(600) == 1, "what was stored is gone, what was not stays");
  outbox_stored(&session.outbox, (const uint8_t[SHALLOT_EPOCH_BYTES]){0}, UINT64_MAX);
  claim(session.outbox.used > 0, "a note about another epoch removes nothing");
}

/* A hub whose clock begins in 1970 is younger than what waits for it: that has no time, as what was measured before any hub said. */
static void time_claims(void) {
  struct envelope envelope;
  session_ready();
  report(1, 1 * SECOND);
  session_set_time(&session, 5 * SECOND, 60 * SECOND);
  bool is_sent = frames_drain(60 * SECOND) == 1;
  size_t size = (size_t)(copy[0] << 8 | copy[1]);
  claim(is_sent && envelope_open(&envelope, copy + HEAD, size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX) == 0,
        "what was measured before the hub's 1970 is told as what any hub can read");
}

static void base64url_claims(void) {
  uint8_t out[8];
  claim(base64url_read(out, sizeof out, "AQ", 2) == 1 && out[0] == 1, "base64url is read");
  claim(base64url_read(out, sizeof out, "AR", 2) == SHALLOT_E_CODE_DAMAGED, "a second spelling of the same bytes is damage");
  claim(base64url_read(out, sizeof out, "AQ==", 4) == SHALLOT_E_CODE_DAMAGED, "so is padding");
  claim(base64url_read(out, 2, "AAAA", 4) == SHALLOT_E_OUT_OF_SPACE, "nothing is written beyond the room there is");
}

int app_main(const struct port *port) {
  console = port;
  if (crypto_public(public_key, seed) != 0) return 1;
  config = (struct session_config){
    .sealer = {seed, public_key}, .root = public_key, .app = &app, .board = "check", .random = port->random, .port = port};
  keepalive_claims();
  framing_claims();
  answer_claims();
  outbox_claims();
  time_claims();
  base64url_claims();
  log_text(port, "end");
  return failed;
}
