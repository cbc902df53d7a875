// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Stories of owners, grants, leases, lists, enrolments and commands, as a lock admits them. Each frame, behind its two bytes of length, is
 * sealed again here by one of eight keys, which its own bytes choose, and for this lock: so what is sound gets past the signature, and
 * chains grow. A length of 0 is a power cut, and a new life over what is on flash, where some bits may be others, under a sum that fits all
 * the same; then somebody types a code.
 * After every step the books must agree: who is seated counts the grants that name the seat, and every link hangs from one above it.
 */
#include "story.h"

#include "../core/base64url.h"
#include "../core/crypto.h"
#include "../core/grants.h"
#include "../core/keycodes.h"
#include "../core/revocations.h"

/* Who the vectors' keys become: their first byte modulo eight. */
enum { KEYS = 8, ROOT = 2, HUB = 5, DEVICE = 3, BEFORE = 16, NOW_S = 1795600000, HOUR_S = 3600 };

static uint8_t seeds[KEYS][SHALLOT_KEY_BYTES];
static uint8_t keys[KEYS][SHALLOT_KEY_BYTES];
static struct gate gate;
static struct grants grants;
static struct grant table[5];
static struct keycodes codes;
static int64_t now_s;

static const uint16_t affordances[] = {7, 8, 9, 10, 11};
static const struct app app = {
  .firmware = "fuzz", .affordances = affordances, .affordances_count = 5, .grants = table, .grants_max = 5, .codes = &codes};

static void keys_make(void) {
  for (uint8_t i = 0; i < KEYS && keys[KEYS - 1][0] == 0; i++) {
    seeds[i][0] = (uint8_t)(i + 1);
    crypto_public(keys[i], seeds[i]);
  }
}

static void life_begin(void) {
  memset(&gate, 0, sizeof gate);
  memcpy(gate.root, keys[ROOT], SHALLOT_KEY_BYTES);
  memcpy(gate.hub, keys[HUB], SHALLOT_KEY_BYTES);
  base64url_write(gate.home, sizeof gate.home, keys[ROOT], SHALLOT_KEY_BYTES);
  base64url_write(gate.device, sizeof gate.device, keys[DEVICE], SHALLOT_KEY_BYTES);
  gate.grants = &grants;
  grants_open(&grants, &app, &place, keys[DEVICE]);
}

/* Writes where a const pointer of the envelope points: the frame is ours. */
static void put(const uint8_t *at, const void *bytes, size_t size) {
  if (at != NULL) memcpy((uint8_t *)(uintptr_t)at, bytes, size);
}

static bool is_for_device(enum message_type type) { return type == MESSAGE_COMMAND || type == MESSAGE_LEASE; }

static void seal_again(struct envelope *envelope) {
  uint8_t sealer = envelope->signer[0] % KEYS;
  put(envelope->claims.audience, is_for_device(envelope->type) ? gate.device : gate.home, SHALLOT_TEXT_ID_CHARS);
  if (envelope->claims.key != NULL) put(envelope->claims.key, keys[envelope->claims.key[0] % KEYS], SHALLOT_KEY_BYTES);
  put(envelope->claims.nonce, gate.nonce, SHALLOT_EPOCH_BYTES);
  put(envelope->signer, keys[sealer], SHALLOT_KEY_BYTES);
  uint8_t *to_sign = envelope->bytes - ENVELOPE_HEADROOM;
  uint8_t kept[2] = {envelope->bytes[0], envelope->bytes[1]};
  uint8_t signature[SHALLOT_SIGNATURE_BYTES];
  memcpy(to_sign, "\x84\x6aSignature1", 12);
  envelope->bytes[envelope->unprotected_at] = 0x40;
  if (crypto_sign(signature, to_sign, envelope->signed_size + ENVELOPE_HEADROOM, seeds[sealer], keys[sealer]) != 0) abort();
  envelope->bytes[envelope->unprotected_at] = 0xa0;
  memcpy(envelope->bytes, kept, sizeof kept);
  put(envelope->signature, signature, sizeof signature);
}

static void command_take(const struct envelope *envelope) {
  struct command_body order = claims_command(&envelope->claims);
  struct moment moment = grants_moment(&grants, now_s);
  if (order.grant == NULL) return;
  unsigned place_of = grants_find(&gate, order.grant, envelope->signer);
  if (place_of == GRANT_NONE) abort();
  if (grants_judge(&grants, place_of, &order, &moment) == 0 && app_judge(&app, &order) == 0) grants_spend(&grants, place_of, &moment);
}

static void admitted_take(const struct envelope *envelope, size_t size) {
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  bool forgotten = false;
  crypto_sha256(digest, envelope->bytes, size);
  switch (envelope->type) {
    case MESSAGE_OWNER:
      if (revocations_check_key(&gate, &place, envelope->claims.key) == 0) gate_add_owner(&gate, envelope, digest);
      return;
    case MESSAGE_GRANT:
      if (grants_known(&grants, digest) == NULL && !keycodes_known(&grants, digest)) grants_take(&gate, envelope, digest, &forgotten);
      return;
    case MESSAGE_LEASE: grants_lease(&grants, &envelope->claims); return;
    case MESSAGE_ENROLMENT: grants_regroup(&grants, &envelope->claims); return;
    case MESSAGE_REVOCATION:
      if (revocations_take(&gate, &place, envelope, size) == 0) grants_sweep(&gate, envelope);
      return;
    case MESSAGE_COMMAND: command_take(envelope); return;
    default: return;
  }
}

static void books_agree(void) {
  unsigned named[GATE_SIGNERS_MAX] = {0};
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    const struct grant *grant = &table[i];
    if (grant->links == 0) continue;
    named[grant->holder]++;
    named[grant->sealer]++;
    bool is_first = grant->parent == GRANT_NONE;
    if (is_first != (grant->links == 1) || (!is_first && table[grant->parent].links + 1 != grant->links)) abort();
    if (is_first && !gate.signers[grant->sealer].is_owner) abort();
    if (!is_first && (grant->sealer != table[grant->parent].holder || grant->share >= table[grant->parent].share)) abort();
  }
  for (size_t i = 0; i < gate.signers_count; i++)
    if (named[i] != gate.signers[i].grants) abort();
}

static void frame_take(const uint8_t *data, size_t size) {
  uint8_t *room = copy_of(data, size, BEFORE);
  struct envelope envelope;
  if (envelope_open(&envelope, room + BEFORE, size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX) == 0) {
    seal_again(&envelope);
    if (gate_admit(&gate, &envelope, now_s) == 0) admitted_take(&envelope, size);
  }
  free(room);
  books_agree();
}

/* Some of what is kept twice, in the copy that is looked at first. */
static void flash_damage(struct story *story) {
  static const char *const names[] = {"pin-0", "pin-1", "pin-2", "pin-tries", "uses", "revoked-0", "revoked-1", "revoked-2"};
  unsigned what = story_byte(story);
  flash_change(story, names[what & 7], what & 8 ? SUM_LAST : SUM_NONE);
}

/* A code, as far as it is computed in a while. */
static void code_type(unsigned digit) {
  enum { STEPS = 48 }; /* of 64 rounds: the vectors' codes to their end */
  static const char *const digits[] = {"2468", "1357", "0000", "123456"};
  struct keycodes_outcome outcome;
  keycodes_type(&codes, (const uint8_t *)digits[digit & 3], strlen(digits[digit & 3]), affordances[digit >> 2 & 3], 1, HOUR_S * 1000);
  for (int i = 0; i < STEPS && keycodes_step(&gate, now_s, HOUR_S * 1000, &outcome) == KEYCODES_BUSY; i++)
    if (codes.work.rounds_left > SHALLOT_PIN_ROUNDS_MAX) abort();
}

static size_t life_go_on(const uint8_t *data, size_t size) {
  struct story story = {data, size};
  unsigned what = story_byte(&story);
  for (unsigned i = 0; i < (what & 3); i++) flash_damage(&story);
  life_begin();
  if (what & 4) code_type(what >> 3);
  return (size_t)(story.at - data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  keys_make();
  place_clear();
  now_s = NOW_S;
  life_begin();
  for (size_t at = 0; at + 2 <= size;) {
    size_t frame_size = (size_t)(data[at] << 8 | data[at + 1]);
    at += 2;
    if (frame_size > size - at) frame_size = size - at;
    now_s += HOUR_S / 60;
    if (frame_size == 0) at += life_go_on(data + at, size - at);
    else frame_take(data + at, frame_size);
    at += frame_size;
  }
  return 0;
}
