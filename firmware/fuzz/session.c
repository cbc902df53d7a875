// SPDX-License-Identifier: GPL-3.0-or-later
/* A hub that says anything, in pieces, before and after a welcome. The first byte says which, and how large the pieces are. */
#include "place.h"

#include "../core/crypto.h"
#include "../core/session.h"
#include "../core/stills.h"

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
static int no_chance(uint8_t *out, size_t size) {
  memset(out, 7, size);
  return 0;
}

/* A picture waits, so that the hub's words on it mean something. */
static int picture_read(const void *from, uint32_t at, uint8_t *out, size_t size) {
  (void)from;
  (void)at;
  memset(out, 5, size);
  return 0;
}
static void picture_drop(void) {}
static struct stills stills;

static struct grant grants[4];
static const uint16_t affordances[] = {1};
static const struct app app = {
  .firmware = "fuzz",
  .affordances = affordances,
  .affordances_count = 1,
  .open = nothing_open,
  .act = nothing_act,
  .tick = nothing_tick,
  .stand = nothing_stand,
  .grants = grants,
  .grants_max = sizeof grants / sizeof grants[0],
  .stills = &stills,
};
static const uint8_t seed[SHALLOT_KEY_BYTES] = {4};
static uint8_t public_key[SHALLOT_KEY_BYTES];
static struct session session;

static void session_begin(bool is_open) {
  static struct session_config config = {{seed, public_key}, public_key, &app, "fuzz", no_chance, &place, NULL, NULL, 0, NULL, NULL};
  const uint8_t *out;
  if (public_key[0] == 0) crypto_public(public_key, seed);
  session_open(&session, &config);
  stills = (struct stills){.read = picture_read, .drop = picture_drop};
  stills_take(&stills, 2 * SHALLOT_PIECE_BYTES + 1, public_key, 0);
  session_connect(&session, public_key, 0);
  session_output(&session, 0, &out);
  if (is_open) session.state = SESSION_OPEN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *out;
  if (size == 0) return 0;
  session_begin(data[0] & 1);
  size_t piece = data[0] / 2u + 1;
  for (size_t at = 1; at < size;) {
    size_t count = size - at < piece ? size - at : piece;
    int taken = session_feed(&session, data + at, count, at);
    if (taken < 0 || session_step(&session, at) < 0) break;
    if ((size_t)taken > count) abort();
    size_t sent = 0;
    while (session_output(&session, at, &out) > 0) sent++;
    if (taken == 0 && sent == 0) break;
    at += (size_t)taken;
  }
  return 0;
}
