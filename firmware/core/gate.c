// SPDX-License-Identifier: GPL-3.0-or-later
#include "gate.h"

#include <string.h>

#include "base64url.h"
#include "crypto.h"
#include "grants.h"
#include "../../schemas/gen/c/shallot_codes.h"

struct gate_signer *gate_find(struct gate *gate, const uint8_t key[SHALLOT_KEY_BYTES]) {
  for (size_t i = 0; i < gate->signers_count; i++) {
    if (memcmp(gate->signers[i].key, key, SHALLOT_KEY_BYTES) == 0) return &gate->signers[i];
  }
  return NULL;
}

static bool is_owner(struct gate *gate, const uint8_t *key) {
  const struct gate_signer *signer = gate_find(gate, key);
  return signer != NULL && signer->is_owner;
}

static bool device_is_known(const struct gate *gate, const uint8_t *key) {
  for (size_t i = 0; i < gate->devices_count; i++) {
    if (memcmp(gate->devices[i], key, SHALLOT_KEY_BYTES) == 0) return true;
  }
  return false;
}

static bool is_root(const struct gate *gate, const uint8_t *key) { return memcmp(key, gate->root, SHALLOT_KEY_BYTES) == 0; }

/* SPEC 2.6, but for what hangs from grants. */
static bool signer_may_seal(struct gate *gate, const struct envelope *envelope) {
  switch (envelope->type) {
    case MESSAGE_OWNER:
    case MESSAGE_PINS: return is_root(gate, envelope->signer);
    case MESSAGE_REVOCATION: return is_root(gate, envelope->signer) || is_owner(gate, envelope->signer);
    case MESSAGE_ENROL:
    case MESSAGE_PAIR: return true;
    case MESSAGE_ENROLLED:
    case MESSAGE_BEACON:
    case MESSAGE_LEASE:
    case MESSAGE_DIRECT:
    case MESSAGE_WELCOME: return !gate->is_hub_revoked && memcmp(envelope->signer, gate->hub, SHALLOT_KEY_BYTES) == 0;
    case MESSAGE_HELLO:
    case MESSAGE_READING:
    case MESSAGE_ACT:
    case MESSAGE_STILL:
    case MESSAGE_RECEIPT: return device_is_known(gate, envelope->signer);
    default: return is_owner(gate, envelope->signer);
  }
}

/* SPEC 15.1 */
int gate_check_release(const struct gate *gate, const struct envelope *envelope) {
  if (gate->release == NULL) return SHALLOT_E_NO_RELEASE_KEY;
  return memcmp(gate->release, envelope->signer, SHALLOT_KEY_BYTES) == 0 ? 0 : SHALLOT_E_UNKNOWN_SIGNER;
}

/* SPEC 2.6, 12.2, 12.3 */
static int signer_check(struct gate *gate, const struct envelope *envelope) {
  if (gate->grants != NULL && envelope->type == MESSAGE_GRANT) {
    struct grant_body grant = claims_grant(&envelope->claims);
    if (grant.parent != NULL) return grants_check_parent(gate, envelope->signer, &grant);
  }
  if (gate->grants != NULL && envelope->type == MESSAGE_COMMAND) {
    struct command_body command = claims_command(&envelope->claims);
    if (command.grant != NULL) return grants_check_holder(gate, envelope->signer, command.grant);
  }
  if (envelope->type == MESSAGE_MANIFEST) return gate_check_release(gate, envelope);
  return signer_may_seal(gate, envelope) ? 0 : SHALLOT_E_UNKNOWN_SIGNER;
}

static bool is_for_device(enum message_type type) {
  return type == MESSAGE_ENROLLED || type == MESSAGE_WELCOME || type == MESSAGE_COMMAND || type == MESSAGE_LEASE ||
         type == MESSAGE_DIRECT;
}

static bool audience_fits(const struct gate *gate, const struct envelope *envelope) {
  if (envelope->type == MESSAGE_MANIFEST) {
    char release[SHALLOT_TEXT_ID_CHARS + 1];
    base64url_write(release, sizeof release, gate->release, SHALLOT_KEY_BYTES);
    return memcmp(envelope->claims.audience, release, SHALLOT_TEXT_ID_CHARS) == 0;
  }
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
    case MESSAGE_STILL:
    case MESSAGE_PAIR:
    case MESSAGE_PINS:
    case MESSAGE_DIRECT:
    case MESSAGE_RECEIPT: return false;
    default: return true;
  }
}

/* SPEC 3.4 */
int gate_check_time(const struct envelope *envelope, int64_t now_s) {
  const struct claims *claims = &envelope->claims;
  if (claims->has_deadline) {
    if (now_s == 0) return SHALLOT_E_NO_CLOCK;
    if (claims->expires_s <= now_s) return SHALLOT_E_EXPIRED;
  }
  if (now_s == 0 || !is_sealed_by_people(envelope->type)) return 0;
  return claims->issued_s > now_s + SHALLOT_CLOCK_SKEW_S_MAX ? SHALLOT_E_NOT_YET : 0;
}

static size_t sequence_least(const struct gate_signer *signer) {
  size_t least = 0;
  for (size_t i = 1; i < signer->sequences_count; i++) {
    if (signer->sequences[i] < signer->sequences[least]) least = i;
  }
  return least;
}

/* SPEC 3.3 */
static int window_enter(struct gate_signer *signer, uint64_t sequence) {
  for (size_t i = 0; i < signer->sequences_count; i++) {
    if (signer->sequences[i] == sequence) return SHALLOT_E_REPLAYED;
  }
  if (signer->sequences_count < SHALLOT_REPLAY_WINDOW) {
    signer->sequences[signer->sequences_count++] = sequence;
    return 0;
  }
  size_t least = sequence_least(signer);
  if (sequence < signer->sequences[least]) return SHALLOT_E_REPLAYED;
  signer->sequences[least] = sequence;
  return 0;
}

static int freshness_check(struct gate *gate, const struct envelope *envelope) {
  const uint8_t *nonce = envelope->claims.nonce;
  if (nonce != NULL && memcmp(nonce, gate->nonce, SHALLOT_EPOCH_BYTES) != 0) return SHALLOT_E_STALE_NONCE;
  if (envelope->type != MESSAGE_COMMAND && envelope->type != MESSAGE_REQUEST) return 0;
  return window_enter(gate_find(gate, envelope->signer), envelope->claims.sequence);
}

int gate_prove(struct gate *gate, const struct envelope *envelope) {
  int fault = signer_check(gate, envelope);
  if (fault) return fault;
  return audience_fits(gate, envelope) ? envelope_verify(envelope) : SHALLOT_E_WRONG_AUDIENCE;
}

int gate_enter(struct gate *gate, const struct envelope *envelope, int64_t now_s) {
  int fault = gate_check_time(envelope, now_s);
  return fault ? fault : freshness_check(gate, envelope);
}

int gate_admit(struct gate *gate, const struct envelope *envelope, int64_t now_s) {
  int fault = gate_prove(gate, envelope);
  return fault ? fault : gate_enter(gate, envelope, now_s);
}

bool gate_knows_owner(const struct gate *gate, const uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  for (size_t i = 0; i < gate->signers_count; i++) {
    const struct gate_signer *signer = &gate->signers[i];
    if (signer->is_owner && memcmp(signer->digest, digest, GATE_DIGEST_BYTES) == 0) return true;
  }
  return false;
}

static void windows_forget(struct gate *gate) {
  for (size_t i = 0; i < gate->signers_count; i++) gate->signers[i].sequences_count = 0;
}

/* Somebody nobody needs, best without a window. */
static struct gate_signer *place_spare(struct gate *gate) {
  struct gate_signer *spare = NULL;
  for (size_t i = 0; i < gate->signers_count; i++) {
    struct gate_signer *signer = &gate->signers[i];
    if (signer->is_owner || signer->grants > 0) continue;
    if (signer->sequences_count == 0) return signer;
    spare = signer;
  }
  return spare;
}

static void place_take(struct gate *gate, struct gate_signer *signer, const uint8_t *key, bool *forgotten) {
  if (signer->sequences_count > 0) {
    windows_forget(gate);
    *forgotten = true;
  }
  memset(signer, 0, sizeof *signer);
  memcpy(signer->key, key, SHALLOT_KEY_BYTES);
}

struct gate_signer *gate_seat(struct gate *gate, const uint8_t key[SHALLOT_KEY_BYTES], bool *forgotten) {
  struct gate_signer *signer = gate_find(gate, key);
  if (signer != NULL) return signer;
  if (gate->signers_count < GATE_SIGNERS_MAX) signer = &gate->signers[gate->signers_count++];
  else signer = place_spare(gate);
  if (signer != NULL) place_take(gate, signer, key, forgotten);
  return signer;
}

/* An owner who makes room for another when there are as many as may be: best without a window. NULL: there is room. */
static struct gate_signer *owner_spare(struct gate *gate) {
  struct gate_signer *spare = NULL;
  size_t owners = 0;
  for (size_t i = 0; i < gate->signers_count; i++) {
    struct gate_signer *signer = &gate->signers[i];
    if (!signer->is_owner) continue;
    owners++;
    if (spare == NULL || (spare->sequences_count > 0 && signer->sequences_count == 0)) spare = signer;
  }
  return owners < GATE_OWNERS_MAX ? NULL : spare;
}

int gate_add_owner(struct gate *gate, const struct envelope *envelope, const uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  bool forgotten = false;
  struct gate_signer *owner = gate_find(gate, envelope->claims.key);
  struct gate_signer *spare = owner != NULL && owner->is_owner ? NULL : owner_spare(gate);
  if (spare != NULL) {
    gate_remove_owner(spare);
    if (gate->grants != NULL) grants_forget_sealer(gate, spare);
    if (owner == NULL && spare->grants == 0) {
      owner = spare;
      place_take(gate, owner, envelope->claims.key, &forgotten);
    }
  }
  if (owner == NULL) owner = gate_seat(gate, envelope->claims.key, &forgotten);
  if (owner == NULL) return SHALLOT_E_GRANTS_FULL;
  owner->is_owner = true;
  memcpy(owner->digest, digest, GATE_DIGEST_BYTES);
  return forgotten;
}

void gate_remove_owner(struct gate_signer *signer) {
  signer->is_owner = false;
  memset(signer->digest, 0, sizeof signer->digest);
}

void gate_renew(struct gate *gate, const uint8_t nonce[SHALLOT_EPOCH_BYTES]) {
  memcpy(gate->nonce, nonce, SHALLOT_EPOCH_BYTES);
  windows_forget(gate);
}
