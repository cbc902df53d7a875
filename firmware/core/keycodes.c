// SPDX-License-Identifier: GPL-3.0-or-later
#include "keycodes.h"

#include <string.h>

#include "arena.h"
#include "kept.h"
#include "revocations.h"
#include "uses.h"
#include "../../schemas/gen/c/shallot_codes.h"

enum {
  ROUNDS_PER_STEP = 64,
  WAIT_MS_LEAST = 30000,
  WAIT_MS_MOST = 3600000,
  /* Of a record's layout: another firmware that lays it out differently counts on. */
  LAYOUT = 1
};

static const char PIN_BLOB[] = "pin-";
static const char TRIES_BLOB[] = "pin-tries";

struct code_link {
  struct grant grant;
  uint8_t holder[SHALLOT_KEY_BYTES]; /* zero for the code itself */
  uint8_t sealer[SHALLOT_KEY_BYTES];
};

/* One code as it lies on flash, with what it hangs from, the owner's link first. */
struct code_record {
  uint32_t layout;
  uint32_t links;
  struct code_link link[SHALLOT_GRANT_LINKS_MAX];
  uint32_t rounds;
  uint8_t salt[SHALLOT_PIN_SALT_BYTES];
  uint8_t key[SHALLOT_PIN_KEY_BYTES];
};

/* ---- records ---- */

static void record_name(char out[PORT_BLOB_NAME_CHARS_MAX + 1], unsigned place) { blob_name(out, PIN_BLOB, place); }

/* Other bytes than 0 and 1 are no bool to C. */
static bool is_bool(const bool *value) {
  uint8_t byte;
  memcpy(&byte, value, sizeof byte);
  return byte <= 1;
}

/*
 * Whether record_write may have made it: a right sum does not say so of another firmware's bytes. Rounds without end would keep everybody
 * out, and of a code without any no try would count as wrong.
 */
static bool is_record(const struct code_record *record) {
  bool is_sound = record->layout == LAYOUT && record->links >= 1 && record->links <= SHALLOT_GRANT_LINKS_MAX &&
                  record->rounds >= SHALLOT_PIN_ROUNDS_LEAST && record->rounds <= SHALLOT_PIN_ROUNDS_MAX;
  for (uint32_t i = 0; is_sound && i < record->links; i++) {
    const struct grant *grant = &record->link[i].grant;
    is_sound = is_bool(&grant->is_for_others) && is_bool(&grant->is_here);
  }
  return is_sound;
}

/* 0 and a record that must be given back; SHALLOT_E_MISSING also for one that is damaged or that another firmware wrote. */
static int record_borrow(struct borrowed *borrowed, struct code_record **record, const struct port *port, unsigned place) {
  char name[PORT_BLOB_NAME_CHARS_MAX + 1];
  record_name(name, place);
  int fault = kept_borrow(borrowed, port, name, sizeof **record);
  if (fault) return fault == SHALLOT_E_PORT_STORAGE ? SHALLOT_E_MISSING : fault;
  *record = (struct code_record *)(void *)borrowed->bytes;
  if (borrowed->size == sizeof **record && is_record(*record)) return 0;
  blob_give_back(borrowed);
  return SHALLOT_E_MISSING;
}

static void record_remove(const struct port *port, unsigned place) {
  char name[PORT_BLOB_NAME_CHARS_MAX + 1];
  record_name(name, place);
  kept_remove(port, name);
}

static const struct grant *leaf_of(const struct code_record *record) { return &record->link[record->links - 1].grant; }

static struct revocable revocable_of(const struct code_record *record, unsigned at) {
  const struct code_link *link = &record->link[at];
  bool is_leaf = at + 1 == record->links;
  return (struct revocable){link->grant.id, is_leaf ? NULL : link->holder, link->sealer, at > 0, link->grant.issued_s};
}

/* Whether a code has this digest or this id; the one that is not asked for is NULL. */
static bool record_exists(const struct grants *grants, const uint8_t *digest, const uint8_t *id) {
  bool exists = false;
  for (unsigned place = 0; grants->app->codes != NULL && place < KEYCODES_MAX && !exists; place++) {
    struct borrowed borrowed;
    struct code_record *record;
    if (record_borrow(&borrowed, &record, grants->port, place) != 0) continue;
    const struct grant *leaf = leaf_of(record);
    exists = digest != NULL ? memcmp(leaf->digest, digest, GATE_DIGEST_BYTES) == 0 : memcmp(leaf->id, id, sizeof leaf->id) == 0;
    blob_give_back(&borrowed);
  }
  return exists;
}

bool keycodes_known(const struct grants *grants, const uint8_t digest[SHALLOT_DIGEST_BYTES]) { return record_exists(grants, digest, NULL); }

bool keycodes_has(const struct grants *grants, const uint8_t id[SHALLOT_GRANT_ID_BYTES]) { return record_exists(grants, NULL, id); }

/* ---- a new one ---- */

/* A free place, or that of a code that has ended; SHALLOT_E_CONFLICT when another has this id, SHALLOT_E_GRANTS_FULL. */
static int place_find(const struct grants *grants, const uint8_t *id) {
  int free_place = SHALLOT_E_GRANTS_FULL;
  for (unsigned place = 0; place < KEYCODES_MAX; place++) {
    struct borrowed borrowed;
    struct code_record *record;
    int fault = record_borrow(&borrowed, &record, grants->port, place);
    if (fault && fault != SHALLOT_E_MISSING) return fault;
    bool is_free = fault == SHALLOT_E_MISSING;
    if (fault == 0) {
      const struct grant *leaf = leaf_of(record);
      bool is_other = memcmp(leaf->id, id, sizeof leaf->id) == 0;
      is_free = leaf->expires_s != 0 && leaf->expires_s <= grants->latest_s;
      blob_give_back(&borrowed);
      if (is_other) return SHALLOT_E_CONFLICT;
    }
    if (is_free && free_place < 0) free_place = (int)place;
  }
  return free_place;
}

static void link_write(struct code_link *link, const struct gate *gate, const struct grant *grant) {
  link->grant = *grant;
  memcpy(link->holder, gate->signers[grant->holder].key, SHALLOT_KEY_BYTES);
  memcpy(link->sealer, gate->signers[grant->sealer].key, SHALLOT_KEY_BYTES);
}

static void record_write(struct code_record *record, struct gate *gate, const struct envelope *envelope, const uint8_t *digest,
                         unsigned parent) {
  struct grant_body body = claims_grant(&envelope->claims);
  struct grant *links[SHALLOT_GRANT_LINKS_MAX];
  size_t above = parent == GRANT_NONE ? 0 : grants_links(gate->grants, parent, links);
  memset(record, 0, sizeof *record);
  record->layout = LAYOUT;
  record->links = (uint32_t)above + 1;
  for (size_t i = 0; i < above; i++) link_write(&record->link[i], gate, links[i]);
  grant_read(&record->link[above].grant, gate->grants, &envelope->claims, digest);
  memcpy(record->link[above].sealer, envelope->signer, SHALLOT_KEY_BYTES);
  record->rounds = body.pin_rounds;
  memcpy(record->salt, body.pin_salt, sizeof record->salt);
  memcpy(record->key, body.pin_key, sizeof record->key);
}

int keycodes_keep(struct gate *gate, const struct envelope *envelope, const uint8_t digest[SHALLOT_DIGEST_BYTES], unsigned parent) {
  char name[PORT_BLOB_NAME_CHARS_MAX + 1];
  const struct grants *grants = gate->grants;
  struct keycodes *codes = grants->app->codes;
  if (codes == NULL) return SHALLOT_E_GRANTS_FULL;
  int place = place_find(grants, claims_grant(&envelope->claims).id);
  if (place < 0) return place;
  struct code_record *record = arena_alloc(sizeof *record);
  if (record == NULL) return SHALLOT_E_TLS_OUT_OF_MEMORY;
  record_write(record, gate, envelope, digest, parent);
  for (size_t i = 0; i < SHALLOT_GRANT_LINKS_MAX; i++) codes->leased_until_s[place][i] = record->link[i].grant.leased_until_s;
  record_name(name, (unsigned)place);
  int fault = kept_write(grants->port, name, record, sizeof *record);
  arena_free(record);
  return fault;
}

/* ---- leases and lists ---- */

void keycodes_lease(struct grants *grants, const struct claims *lease) {
  struct keycodes *codes = grants->app->codes;
  for (unsigned place = 0; codes != NULL && place < KEYCODES_MAX; place++) {
    struct borrowed borrowed;
    struct code_record *record;
    if (record_borrow(&borrowed, &record, grants->port, place) != 0) continue;
    for (unsigned i = 0; i < record->links; i++) {
      uint32_t until_s = grant_leased_until(&record->link[i].grant, lease);
      if (until_s > codes->leased_until_s[place][i]) codes->leased_until_s[place][i] = until_s;
    }
    blob_give_back(&borrowed);
  }
}

static bool record_is_covered(const struct code_record *record, const struct envelope *list, bool is_roots) {
  for (unsigned i = 0; i < record->links; i++) {
    struct revocable what = revocable_of(record, i);
    if (revocation_covers(&list->claims, list->signer, is_roots, &what)) return true;
  }
  return false;
}

void keycodes_sweep(struct gate *gate, const struct envelope *list, bool is_roots) {
  const struct grants *grants = gate->grants;
  for (unsigned place = 0; grants->app->codes != NULL && place < KEYCODES_MAX; place++) {
    struct borrowed borrowed;
    struct code_record *record;
    if (record_borrow(&borrowed, &record, grants->port, place) != 0) continue;
    bool is_over = record_is_covered(record, list, is_roots);
    blob_give_back(&borrowed);
    if (is_over) record_remove(grants->port, place);
  }
}

void keycodes_forget(const struct port *port) {
  kept_remove(port, TRIES_BLOB);
  for (unsigned place = 0; place < KEYCODES_MAX; place++) record_remove(port, place);
}

/* ---- wrong tries ---- */

static uint32_t wait_after(uint32_t wrong) {
  uint32_t wait_ms = WAIT_MS_LEAST;
  if (wrong < SHALLOT_PIN_TRIES_FREE) return 0;
  for (uint32_t i = SHALLOT_PIN_TRIES_FREE; i < wrong && wait_ms < WAIT_MS_MOST; i++) wait_ms *= 2;
  return wait_ms < WAIT_MS_MOST ? wait_ms : WAIT_MS_MOST;
}

static void keypad_lock(struct keycodes *codes, uint64_t now_ms) {
  codes->locked_until_ms = now_ms + wait_after(codes->wrong);
  codes->is_refusal_told = false;
}

/* After a restart the last try counts as wrong, and the wait begins again: how much of it has passed nobody knows. */
void keycodes_open(struct keycodes *codes, const struct port *port) {
  uint32_t wrong = 0;
  if (codes == NULL) return;
  int size = kept_read(port, TRIES_BLOB, (uint8_t *)&wrong, sizeof wrong);
  if (size == SHALLOT_E_MISSING) wrong = 0;
  else if (size != sizeof wrong) wrong = SHALLOT_PIN_TRIES_FREE;
  crypto_wipe(codes, sizeof *codes);
  codes->wrong = codes->wrong_on_flash = wrong;
  keypad_lock(codes, port->now_ms());
}

static int tries_write(struct keycodes *codes, const struct port *port, uint32_t wrong) {
  if (codes->wrong_on_flash == wrong) return 0;
  int fault = kept_write(port, TRIES_BLOB, &wrong, sizeof wrong);
  if (fault == 0) codes->wrong_on_flash = wrong;
  return fault;
}

uint32_t keycodes_wait_ms(const struct keycodes *codes, uint64_t now_ms) {
  return now_ms < codes->locked_until_ms ? (uint32_t)(codes->locked_until_ms - now_ms) : 0;
}

/* ---- a try ---- */

bool keycodes_type(struct keycodes *codes, const uint8_t *digits, size_t size, unsigned affordance, int32_t number, uint64_t now_ms) {
  if (codes->digits_size > 0 || size == 0 || size > sizeof codes->digits) return false;
  if (keycodes_wait_ms(codes, now_ms) > 0 && codes->is_refusal_told) return false;
  memcpy(codes->digits, digits, size);
  codes->digits_size = (uint8_t)size;
  codes->affordance = (uint16_t)affordance;
  codes->number = number;
  return true;
}

static struct command_body order_of(const struct keycodes *codes) {
  struct command_body order = {.operation = SHALLOT_OPERATION_INVOKE, .affordance = codes->affordance};
  order.value = (struct value){codes->number, true, false};
  return order;
}

/* Begins with the code at this place or a later one; false when there is none. */
static bool place_begin(struct keycodes *codes, const struct port *port) {
  for (; codes->place < KEYCODES_MAX; codes->place++) {
    struct borrowed borrowed;
    struct code_record *record;
    if (record_borrow(&borrowed, &record, port, codes->place) != 0) continue;
    int fault = crypto_pbkdf2_begin(&codes->work, codes->digits, codes->digits_size, record->salt, sizeof record->salt, record->rounds);
    blob_give_back(&borrowed);
    if (fault == 0) return true;
    codes->code = fault;
  }
  return false;
}

/* SPEC 12.3 for a code that fits. */
static int record_judge(struct gate *gate, struct code_record *record, const struct moment *moment) {
  const struct grants *grants = gate->grants;
  const struct keycodes *codes = grants->app->codes;
  struct command_body order = order_of(codes);
  for (unsigned i = 0; i < record->links; i++) {
    struct grant *link = &record->link[i].grant;
    struct revocable what = revocable_of(record, i);
    link->leased_until_s = codes->leased_until_s[codes->place][i];
    int code = revocations_check(gate, grants->port, &what);
    if (code == 0) code = grant_judge(link, grants, &order, moment);
    if (code == 0 && link->uses != 0) code = uses_check(grants->port, link);
    if (code) return code;
  }
  return app_judge(grants->app, &order);
}

static void place_end(struct gate *gate, const struct moment *moment) {
  const struct grants *grants = gate->grants;
  struct keycodes *codes = grants->app->codes;
  struct borrowed borrowed;
  struct code_record *record;
  if (record_borrow(&borrowed, &record, grants->port, codes->place) == 0) {
    bool fits = crypto_equal(record->key, codes->work.sum, sizeof record->key) != 0;
    int code = fits && codes->chosen == KEYCODES_MAX ? record_judge(gate, record, moment) : SHALLOT_E_WRONG_PIN;
    if (code == 0) codes->chosen = codes->place;
    if (fits && codes->fitting == KEYCODES_MAX) {
      codes->fitting = codes->place;
      codes->code = code;
    }
    blob_give_back(&borrowed);
  }
  codes->place++;
}

/* Says which code it was, and counts the uses of one that opens. */
static int fitting_end(const struct grants *grants, const struct moment *moment, struct keycodes_outcome *outcome) {
  const struct keycodes *codes = grants->app->codes;
  struct borrowed borrowed;
  struct code_record *record;
  struct grant *links[SHALLOT_GRANT_LINKS_MAX];
  bool opens = codes->chosen < KEYCODES_MAX;
  int code = record_borrow(&borrowed, &record, grants->port, opens ? codes->chosen : codes->fitting);
  if (code) return code;
  for (unsigned i = 0; i < record->links; i++) links[i] = &record->link[i].grant;
  code = opens ? uses_count(grants->port, links, record->links, moment->latest_s) : codes->code;
  outcome->has_grant = true;
  memcpy(outcome->grant, leaf_of(record)->id, sizeof outcome->grant);
  blob_give_back(&borrowed);
  return code;
}

static enum keycodes_state try_end(struct keycodes *codes, struct keycodes_outcome *outcome, int code) {
  outcome->code = code;
  outcome->order = order_of(codes);
  crypto_wipe(codes->digits, sizeof codes->digits);
  crypto_wipe(&codes->work, sizeof codes->work);
  codes->digits_size = 0;
  codes->is_trying = false;
  return KEYCODES_DONE;
}

static enum keycodes_state try_begin(struct keycodes *codes, const struct port *port, uint64_t now_ms, struct keycodes_outcome *outcome) {
  if (keycodes_wait_ms(codes, now_ms) > 0) {
    codes->is_refusal_told = true;
    return try_end(codes, outcome, SHALLOT_E_KEYPAD_LOCKED);
  }
  if (tries_write(codes, port, codes->wrong + 1) != 0) return try_end(codes, outcome, SHALLOT_E_DEVICE_FAULT);
  codes->is_trying = true;
  codes->place = 0;
  codes->chosen = codes->fitting = KEYCODES_MAX;
  codes->code = SHALLOT_E_WRONG_PIN;
  codes->work.rounds_left = 0;
  place_begin(codes, port);
  return KEYCODES_BUSY;
}

/* All codes were tried. */
static enum keycodes_state try_conclude(struct gate *gate, const struct moment *moment, uint64_t now_ms, struct keycodes_outcome *outcome) {
  const struct grants *grants = gate->grants;
  struct keycodes *codes = grants->app->codes;
  int code = codes->code;
  if (codes->fitting < KEYCODES_MAX) code = fitting_end(grants, moment, outcome);
  if (code == 0) {
    codes->wrong = 0;
    /* What stands on flash is already what the next try would write. */
    if (codes->wrong_on_flash > 1 && tries_write(codes, grants->port, 1) != 0) code = SHALLOT_E_DEVICE_FAULT;
  }
  if (code == SHALLOT_E_WRONG_PIN) {
    codes->wrong++;
    keypad_lock(codes, now_ms);
  }
  return try_end(codes, outcome, code);
}

enum keycodes_state keycodes_step(struct gate *gate, int64_t now_s, uint64_t now_ms, struct keycodes_outcome *outcome) {
  struct grants *grants = gate->grants;
  struct keycodes *codes = grants->app->codes;
  memset(outcome, 0, sizeof *outcome);
  if (codes == NULL || codes->digits_size == 0) return KEYCODES_IDLE;
  if (!codes->is_trying) return try_begin(codes, grants->port, now_ms, outcome);
  struct moment moment = grants_moment(grants, now_s);
  if (codes->place == KEYCODES_MAX) return try_conclude(gate, &moment, now_ms, outcome);
  if (codes->work.rounds_left > 0) {
    int fault = crypto_pbkdf2_step(&codes->work, ROUNDS_PER_STEP);
    return fault ? try_end(codes, outcome, SHALLOT_E_DEVICE_FAULT) : KEYCODES_BUSY;
  }
  place_end(gate, &moment);
  place_begin(codes, grants->port);
  return KEYCODES_BUSY;
}
