// SPDX-License-Identifier: GPL-3.0-or-later
#include "revocations.h"

#include <string.h>

#include "kept.h"

/* The root's list, and one more than there can be owners: a list of somebody who is none makes room. */
enum { ROOT_PLACE = 0, PLACES = 2 + GATE_OWNERS_MAX };

static const char LIST_BLOB[] = "revoked-";

/* ---- one list ---- */

static bool is_root(const struct gate *gate, const uint8_t *key) { return memcmp(gate->root, key, SHALLOT_KEY_BYTES) == 0; }

static bool is_entry(const struct cbor_item *entry, const uint8_t *wanted, size_t size) {
  return wanted != NULL && entry->size == size && memcmp(entry->bytes, wanted, size) == 0;
}

static bool entry_covers(const struct cbor_item *entry, bool is_roots, const struct revocable *what) {
  if (is_entry(entry, what->id, SHALLOT_GRANT_ID_BYTES)) return true;
  if (is_entry(entry, what->holder, SHALLOT_KEY_BYTES)) return true;
  return (is_roots || what->is_passed_on) && is_entry(entry, what->sealer, SHALLOT_KEY_BYTES);
}

bool revocation_covers(const struct claims *list, const uint8_t signer[SHALLOT_KEY_BYTES], bool is_roots, const struct revocable *what) {
  struct revocation_body body = claims_revocation(list);
  bool is_sealers = what->sealer != NULL && memcmp(signer, what->sealer, SHALLOT_KEY_BYTES) == 0;
  if (is_sealers && (int64_t)what->issued_s < body.floor_s) return true;
  for (size_t i = 0; i < body.entries.count; i++) {
    struct cbor_item entry = cbor_next(&body.entries.reader);
    if (entry_covers(&entry, is_roots, what)) return true;
  }
  return false;
}

/* ---- lists on flash ---- */

/* 0 and a list that must be given back; SHALLOT_E_MISSING also for bytes that are none. */
static int list_borrow(struct borrowed *borrowed, struct envelope *list, const struct port *port, unsigned place) {
  char name[PORT_BLOB_NAME_CHARS_MAX + 1];
  blob_name(name, LIST_BLOB, place);
  int fault = kept_borrow(borrowed, port, name, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  if (fault) return fault == SHALLOT_E_PORT_STORAGE ? SHALLOT_E_MISSING : fault;
  fault = envelope_open(list, borrowed->bytes, borrowed->size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  if (fault == 0 && list->type == MESSAGE_REVOCATION) return 0;
  blob_give_back(borrowed);
  return SHALLOT_E_MISSING;
}

static void list_remove(const struct port *port, unsigned place) {
  char name[PORT_BLOB_NAME_CHARS_MAX + 1];
  blob_name(name, LIST_BLOB, place);
  kept_remove(port, name);
}

int revocations_check(const struct gate *gate, const struct port *port, const struct revocable *what) {
  for (unsigned place = ROOT_PLACE; place < PLACES; place++) {
    struct borrowed borrowed;
    struct envelope list;
    int fault = list_borrow(&borrowed, &list, port, place);
    if (fault == SHALLOT_E_MISSING) continue;
    if (fault) return fault;
    bool covers = revocation_covers(&list.claims, list.signer, is_root(gate, list.signer), what);
    blob_give_back(&borrowed);
    if (covers) return SHALLOT_E_GRANT_REVOKED;
  }
  return 0;
}

int revocations_check_key(const struct gate *gate, const struct port *port, const uint8_t key[SHALLOT_KEY_BYTES]) {
  struct borrowed borrowed;
  struct envelope list;
  struct revocable what = {.holder = key};
  int fault = list_borrow(&borrowed, &list, port, ROOT_PLACE);
  if (fault) return fault == SHALLOT_E_MISSING ? 0 : fault;
  bool covers = is_root(gate, list.signer) && revocation_covers(&list.claims, list.signer, true, &what);
  blob_give_back(&borrowed);
  return covers ? SHALLOT_E_GRANT_REVOKED : 0;
}

uint32_t revocations_latest_s(const struct port *port) {
  int64_t latest_s = 0;
  for (unsigned place = ROOT_PLACE; place < PLACES; place++) {
    struct borrowed borrowed;
    struct envelope list;
    if (list_borrow(&borrowed, &list, port, place) != 0) continue;
    if (list.claims.issued_s > latest_s) latest_s = list.claims.issued_s;
    blob_give_back(&borrowed);
  }
  return latest_s > UINT32_MAX ? UINT32_MAX : (uint32_t)latest_s;
}

void revocations_forget(const struct port *port) {
  for (unsigned place = ROOT_PLACE; place < PLACES; place++) list_remove(port, place);
}

/* ---- a new one ---- */

static bool is_owner(struct gate *gate, const uint8_t *key) {
  const struct gate_signer *signer = gate_find(gate, key);
  return signer != NULL && signer->is_owner;
}

/* What the list at a place means for the one that came. */
enum standing { STANDS_APART, IS_SPARE, IS_OLDER, IS_THE_SAME, IS_NEWER };

static enum standing standing_of(struct gate *gate, const struct envelope *held, size_t held_size, const struct envelope *list, size_t size) {
  if (memcmp(held->signer, list->signer, SHALLOT_KEY_BYTES) == 0) {
    if (held_size == size && memcmp(held->bytes, list->bytes, size) == 0) return IS_THE_SAME;
    return held->claims.sequence < list->claims.sequence ? IS_OLDER : IS_NEWER;
  }
  return is_root(gate, held->signer) || is_owner(gate, held->signer) ? STANDS_APART : IS_SPARE;
}

/* Where to put a list: a place, or SHALLOT_E_REPLAYED, or a code of storage's; PLACES: it is there already. */
static int place_find(struct gate *gate, const struct port *port, const struct envelope *list, size_t size) {
  bool is_roots = is_root(gate, list->signer);
  int place = is_roots ? ROOT_PLACE : -1;
  for (unsigned at = is_roots ? ROOT_PLACE : ROOT_PLACE + 1; at < (is_roots ? 1u : (unsigned)PLACES); at++) {
    struct borrowed borrowed;
    struct envelope held;
    int fault = list_borrow(&borrowed, &held, port, at);
    if (fault && fault != SHALLOT_E_MISSING) return fault;
    enum standing standing = fault ? IS_SPARE : standing_of(gate, &held, borrowed.size, list, size);
    if (fault == 0) blob_give_back(&borrowed);
    if (standing == IS_THE_SAME) return PLACES;
    if (standing == IS_NEWER) return SHALLOT_E_REPLAYED;
    if (standing == IS_OLDER) return (int)at;
    if (standing == IS_SPARE && (place < 0 || fault)) place = (int)at;
  }
  return place < 0 ? SHALLOT_E_GRANTS_FULL : place;
}

/* Lists of those whom the root's list takes back. */
static void lists_drop(const struct port *port, const struct envelope *roots) {
  for (unsigned place = ROOT_PLACE + 1; place < PLACES; place++) {
    struct borrowed borrowed;
    struct envelope list;
    if (list_borrow(&borrowed, &list, port, place) != 0) continue;
    struct revocable what = {.holder = list.signer};
    bool is_over = revocation_covers(&roots->claims, roots->signer, true, &what);
    blob_give_back(&borrowed);
    if (is_over) list_remove(port, place);
  }
}

int revocations_take(struct gate *gate, const struct port *port, const struct envelope *list, size_t size) {
  char name[PORT_BLOB_NAME_CHARS_MAX + 1];
  int place = place_find(gate, port, list, size);
  if (place < 0) return place;
  if (place < PLACES) {
    blob_name(name, LIST_BLOB, (unsigned)place);
    int fault = kept_write(port, name, list->bytes, size);
    if (fault) return fault;
  }
  if (is_root(gate, list->signer)) lists_drop(port, list);
  return 0;
}
