// SPDX-License-Identifier: GPL-3.0-or-later
#include "renewal.h"

#include <string.h>

#include "crypto.h"

static const char PRESENT_BLOB[] = "identity";
static const char FORMER_BLOB[] = "former";

bool renewal_is_about(const struct enrolled_body *papers, const uint8_t key[SHALLOT_KEY_BYTES]) {
  for (size_t at = 0; at + SHALLOT_KEY_BYTES <= papers->certificate_size; at++) {
    if (memcmp(papers->certificate + at, key, SHALLOT_KEY_BYTES) == 0) return true;
  }
  return false;
}

static int present_write(const struct port *port, const struct identity *identity, const struct enrolled_body *papers, uint8_t *room) {
  int size = identity_write(identity, papers, room, IDENTITY_BYTES_MAX);
  if (size < 0) return size;
  int fault = port->blob_write(PRESENT_BLOB, room, (size_t)size);
  return fault ? fault : size;
}

int renewal_begin(const struct port *port, const struct identity *identity, const struct enrolled_body *papers, uint8_t *room) {
  int size = present_write(port, identity, papers, room);
  int fault = size < 0 ? size : port->blob_write(FORMER_BLOB, room, (size_t)size);
  crypto_wipe(room, IDENTITY_BYTES_MAX);
  return fault;
}

static int blob_load(const struct port *port, const char *name, struct identity *identity, struct enrolled_body *papers, uint8_t *room,
                     size_t capacity) {
  int size = port->blob_read(name, room, capacity);
  return size < 0 ? size : identity_read(identity, papers, room, (size_t)size);
}

int renewal_load(const struct port *port, struct identity *identity, struct enrolled_body *papers, uint8_t *room, size_t capacity) {
  int fault = blob_load(port, PRESENT_BLOB, identity, papers, room, capacity);
  if (fault == 0) return 0;
  return blob_load(port, FORMER_BLOB, identity, papers, room, capacity) == 0 ? 0 : fault;
}

/* The bytes of a stored identity that is one, in room of IDENTITY_BYTES_MAX: their size, or a code. */
static int whole_read(const struct port *port, const char *name, uint8_t *room) {
  struct identity identity;
  struct enrolled_body papers;
  int size = port->blob_read(name, room, IDENTITY_BYTES_MAX);
  int fault = size < 0 ? size : identity_read(&identity, &papers, room, (size_t)size);
  identity_wipe(&identity);
  return fault ? fault : size;
}

/* The room is on the stack: a session's own rooms hold the papers and readings, and the stack is far from its peak here. */
int renewal_keep(const struct port *port, const struct identity *identity, const struct enrolled_body *papers) {
  uint8_t room[IDENTITY_BYTES_MAX];
  if (!renewal_is_about(papers, identity->public_key)) return SHALLOT_E_CERTIFICATE_PROFILE;
  /* A damaged one is not the one before: then it is what lies beside it. */
  int size = whole_read(port, PRESENT_BLOB, room);
  int fault = size < 0 ? 0 : port->blob_write(FORMER_BLOB, room, (size_t)size);
  if (fault == 0) fault = present_write(port, identity, papers, room);
  crypto_wipe(room, sizeof room);
  return fault < 0 ? fault : 0;
}

int renewal_move(const struct port *port, const char *host, uint16_t tcp_port, uint8_t *room) {
  uint8_t fresh[IDENTITY_BYTES_MAX];
  struct identity identity;
  struct enrolled_body papers;
  int fault = renewal_load(port, &identity, &papers, room, IDENTITY_BYTES_MAX);
  if (fault == 0) {
    memcpy(identity.host, host, strlen(host) + 1);
    identity.tcp_port = tcp_port;
    int size = present_write(port, &identity, &papers, fresh);
    fault = size < 0 ? size : 0;
  }
  identity_wipe(&identity);
  crypto_wipe(fresh, sizeof fresh);
  crypto_wipe(room, IDENTITY_BYTES_MAX);
  return fault;
}

/* The present one first: the copy beside it may be older after a power cut in between, and is never newer. */
int renewal_repin(const struct port *port, const uint8_t *current, const uint8_t *next) {
  static const char *const names[] = {PRESENT_BLOB, FORMER_BLOB};
  uint8_t room[IDENTITY_BYTES_MAX];
  int outcome = SHALLOT_E_PORT_STORAGE;
  bool is_first = true;
  for (size_t i = 0; i < 2 && (is_first || outcome == 0); i++) {
    int size = port->blob_read(names[i], room, sizeof room);
    /* What is damaged or not there is what the other is there for. */
    if (size < 0 || identity_repin(room, (size_t)size, current, next) != 0) continue;
    int fault = port->blob_write(names[i], room, (size_t)size);
    if (is_first) outcome = fault;
    is_first = false;
  }
  crypto_wipe(room, sizeof room);
  return outcome;
}

static int digest_take(const struct port *port, const char *name, uint8_t *room, uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  int size = whole_read(port, name, room);
  int fault = size < 0 ? size : crypto_sha256(digest, room, (size_t)size);
  return fault ? fault : size;
}

/* Flash is not written again and again for two copies that are the same. */
int renewal_undo(const struct port *port) {
  uint8_t room[IDENTITY_BYTES_MAX];
  uint8_t present[SHALLOT_DIGEST_BYTES] = {0};
  uint8_t former[SHALLOT_DIGEST_BYTES];
  digest_take(port, PRESENT_BLOB, room, present);
  int size = digest_take(port, FORMER_BLOB, room, former);
  int fault = size < 0 ? size : memcmp(present, former, sizeof former) == 0 ? SHALLOT_E_MISSING : 0;
  if (fault == 0) fault = port->blob_write(PRESENT_BLOB, room, (size_t)size);
  crypto_wipe(room, sizeof room);
  return fault;
}
