// SPDX-License-Identifier: GPL-3.0-or-later
#include "gate.h"

#include <string.h>

#include "crypto.h"
#include "../../schemas/gen/c/shallot_codes.h"

static struct gate_owner *owner_find(struct gate *gate, const uint8_t *key) {
  for (size_t i = 0; i < gate->owners_count; i++) {
    if (memcmp(gate->owners[i].key, key, SHALLOT_KEY_BYTES) == 0) return &gate->owners[i];
  }
  return NULL;
}

static bool device_is_known(const struct gate *gate, const uint8_t *key) {
  for (size_t i = 0; i < gate->devices_count; i++) {
    if (memcmp(gate->devices[i], key, SHALLOT_KEY_BYTES) == 0) return true;
  }
  return false;
}

/* SPEC 2.6 */
static bool signer_may_seal(struct gate *gate, const struct envelope *envelope) {
  switch (envelope->type) {
    case MESSAGE_OWNER: return memcmp(envelope->signer, gate->root, SHALLOT_KEY_BYTES) == 0;
    case MESSAGE_ENROL:
    case MESSAGE_PAIR: return true;
    case MESSAGE_ENROLLED:
    case MESSAGE_BEACON:
    case MESSAGE_LEASE:
    case MESSAGE_WELCOME: return memcmp(envelope->signer, gate->hub, SHALLOT_KEY_BYTES) == 0;
    case MESSAGE_HELLO:
    case MESSAGE_READING:
    case MESSAGE_ACT:
    case MESSAGE_RECEIPT: return device_is_known(gate, envelope->signer);
    default: return owner_find(gate, envelope->signer) != NULL;
  }
}

static bool is_for_device(enum message_type type) {
  return type == MESSAGE_ENROLLED || type == MESSAGE_WELCOME || type == MESSAGE_COMMAND || type == MESSAGE_LEASE;
}

static bool audience_fits(const struct gate *gate, const struct envelope *envelope) {
  const char *expected = is_for_device(envelope->type) ? gate->device : gate->home;
  return memcmp(envelope->claims.audience, expected, SHALLOT_TEXT_ID_CHARS) == 0;
}

static bool is_sealed_by_people(enum message_type type) {
  switch (type) {
    case MESSAGE_ENROL:
    case MESSAGE_ENROLLED:
    case MESSAGE_BEACON:
    case MESSAGE_HELLO:
    case MESSAGE_WELCOME:
    case MESSAGE_READING:
    case MESSAGE_ACT:
    case MESSAGE_LEASE:
    case MESSAGE_PAIR:
    case MESSAGE_RECEIPT: return false;
    default: return true;
  }
}

/* SPEC 3.4 */
static int time_check(const struct envelope *envelope, int64_t now_s) {
  const struct claims *claims = &envelope->claims;
  if (claims->has_deadline) {
    if (now_s == 0) return SHALLOT_E_NO_CLOCK;
    if (claims->expires_s <= now_s) return SHALLOT_E_EXPIRED;
  }
  if (now_s == 0 || !is_sealed_by_people(envelope->type)) return 0;
  return claims->issued_s > now_s + SHALLOT_CLOCK_SKEW_S_MAX ? SHALLOT_E_NOT_YET : 0;
}

static size_t sequence_least(const struct gate_owner *owner) {
  size_t least = 0;
  for (size_t i = 1; i < owner->sequences_count; i++) {
    if (owner->sequences[i] < owner->sequences[least]) least = i;
  }
  return least;
}

/* SPEC 3.3 */
static int window_enter(struct gate_owner *owner, uint64_t sequence) {
  for (size_t i = 0; i < owner->sequences_count; i++) {
    if (owner->sequences[i] == sequence) return SHALLOT_E_REPLAYED;
  }
  if (owner->sequences_count < SHALLOT_REPLAY_WINDOW) {
    owner->sequences[owner->sequences_count++] = sequence;
    return 0;
  }
  size_t least = sequence_least(owner);
  if (sequence < owner->sequences[least]) return SHALLOT_E_REPLAYED;
  owner->sequences[least] = sequence;
  return 0;
}

static int freshness_check(struct gate *gate, const struct envelope *envelope) {
  const uint8_t *nonce = envelope->claims.nonce;
  if (nonce != NULL && memcmp(nonce, gate->nonce, SHALLOT_EPOCH_BYTES) != 0) return SHALLOT_E_STALE_NONCE;
  if (envelope->type != MESSAGE_COMMAND && envelope->type != MESSAGE_REQUEST) return 0;
  return window_enter(owner_find(gate, envelope->signer), envelope->claims.sequence);
}

int gate_admit(struct gate *gate, const struct envelope *envelope, int64_t now_s) {
  if (!signer_may_seal(gate, envelope)) return SHALLOT_E_UNKNOWN_SIGNER;
  if (!audience_fits(gate, envelope)) return SHALLOT_E_WRONG_AUDIENCE;
  int fault = envelope_verify(envelope);
  if (fault) return fault;
  fault = time_check(envelope, now_s);
  if (fault) return fault;
  return freshness_check(gate, envelope);
}

bool gate_knows_owner(const struct gate *gate, const uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  for (size_t i = 0; i < gate->owners_count; i++) {
    if (memcmp(gate->owners[i].digest, digest, GATE_DIGEST_BYTES) == 0) return true;
  }
  return false;
}

static struct gate_owner *owner_without_window(struct gate *gate) {
  for (size_t i = 0; i < gate->owners_count; i++) {
    if (gate->owners[i].sequences_count == 0) return &gate->owners[i];
  }
  return NULL;
}

static void windows_forget(struct gate *gate) {
  for (size_t i = 0; i < gate->owners_count; i++) gate->owners[i].sequences_count = 0;
}

int gate_add_owner(struct gate *gate, const struct envelope *envelope, const uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  int forgotten = 0;
  struct gate_owner *owner = owner_find(gate, envelope->claims.key);
  if (owner == NULL) {
    if (gate->owners_count < GATE_OWNERS_MAX) {
      owner = &gate->owners[gate->owners_count++];
    } else if ((owner = owner_without_window(gate)) == NULL) {
      windows_forget(gate);
      owner = &gate->owners[0];
      forgotten = 1;
    }
    owner->sequences_count = 0;
  }
  memcpy(owner->key, envelope->claims.key, SHALLOT_KEY_BYTES);
  memcpy(owner->digest, digest, GATE_DIGEST_BYTES);
  return forgotten;
}

void gate_renew(struct gate *gate, const uint8_t nonce[SHALLOT_EPOCH_BYTES]) {
  memcpy(gate->nonce, nonce, SHALLOT_EPOCH_BYTES);
  windows_forget(gate);
}
