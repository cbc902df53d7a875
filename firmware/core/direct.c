// SPDX-License-Identifier: GPL-3.0-or-later
#include "direct.h"

#ifdef SHALLOT_DIRECT

#include <string.h>

#include "arena.h"
#include "certificate.h"
#include "crypto.h"
#include "door.h"
#include "kept.h"
#include "line.h"
#include "nameplate.h"
#include "signer.h"
#include "tls.h"
#include "../../schemas/gen/c/shallot_wire.h"

static const char KEY_BLOB[] = "direct";

enum { TCP_PORT = 443, ANSWERS_AT_ONCE_MAX = 4, ANSWERS_PAUSE_MS = 200 };

/* As it is on flash. */
struct kept_key {
  uint8_t key[SIGNER_KEY_BYTES];
  uint8_t point[SIGNER_POINT_BYTES];
};

static struct {
  struct direct_config config; /* all NULL: there is no door */
  struct door_config door;
  struct kept_key key;
  uint8_t name[NAMEPLATE_NAME_BYTES];
  uint64_t silent_until_ms; /* after some answers, so that no flood of questions is one of answers */
  unsigned answers;
  uint8_t leaf[SHALLOT_CERTIFICATE_BYTES_MAX];
  char origins[SHALLOT_DIRECT_ORIGINS_MAX][SHALLOT_DIRECT_ORIGIN_BYTES_MAX + 1];
} direct;

typedef char leaf_fits_door[(int)SHALLOT_CERTIFICATE_BYTES_MAX <= (int)DOOR_LEAF_BYTES_MAX ? 1 : -1];
typedef char point_is_the_wires[(int)SIGNER_POINT_BYTES == (int)SHALLOT_DIRECT_KEY_BYTES ? 1 : -1];

static bool is_origin(const char *origin) {
  bool is_ours = false;
  for (size_t i = 0; i < SHALLOT_DIRECT_ORIGINS_MAX; i++) is_ours |= origin[0] != '\0' && strcmp(direct.origins[i], origin) == 0;
  return is_ours;
}

/* ---- the key ---- */

/* A key whose chip is not here, or that is here while the board has a chip, is another board's. */
static bool key_is_usable(const struct port *port) { return signer_is_reference(direct.key.key) == (port->point_signer != NULL); }

/* Where no copy is sound it is as where there is none: the hub makes a leaf for another (SPEC 18.1). */
static int key_ready(const struct port *port) {
  int size = kept_read(port, KEY_BLOB, (uint8_t *)&direct.key, sizeof direct.key);
  if (size == (int)sizeof direct.key && direct.key.point[0] == 4 && key_is_usable(port)) return 0;
  if (size == SHALLOT_E_TLS_OUT_OF_MEMORY) return size;
  if (size < 0) memset(&direct.key, 0, sizeof direct.key);
  /* A chip's new key takes the old one's place: no half of a write may make what was damaged the old reference again. */
  int fault = kept_remove(port, KEY_BLOB);
  if (fault == 0) fault = signer_make_point(port, direct.key.key, direct.key.point);
  return fault ? fault : kept_write(port, KEY_BLOB, &direct.key, sizeof direct.key);
}

int direct_begin(const struct direct_config *config, uint16_t *tcp_port, const uint8_t **point) {
  const struct port *port = config->port;
  if (port->listener == NULL) return SHALLOT_E_MISSING;
  tls_use(port);
  int listening = port->listener->listen(TCP_PORT);
  if (listening < 0) return listening;
  int fault = key_ready(port);
  if (fault) return fault;
  direct.config = *config;
  *tcp_port = (uint16_t)listening;
  *point = direct.key.point;
  return 0;
}

/* ---- the hub's word ---- */

static void origins_take(struct cbor_list origins) {
  memset(direct.origins, 0, sizeof direct.origins);
  for (size_t i = 0; i < origins.count; i++) {
    struct cbor_item origin = cbor_next(&origins.reader);
    memcpy(direct.origins[i], origin.bytes, origin.size);
  }
}

static uint32_t held_by(enum arena_owner owner) {
  struct arena_stats stats;
  enum arena_owner before = arena_use(owner);
  arena_stats(&stats);
  arena_use(before);
  return stats.live;
}

static void count_add(struct line *line, const char *what, uint32_t count) {
  line_add(line, what);
  line_add_number(line, count);
}

/* Who has come so far, and what memory is held. */
static void door_say(void) {
  struct line line = {.size = 0};
  struct door_counts counts;
  door_count(&counts);
  count_add(&line, "door came ", counts.came);
  count_add(&line, " shaken ", counts.handshakes);
  count_add(&line, " resumed ", counts.resumed);
  count_add(&line, " receipts ", counts.receipts);
  count_add(&line, " refused ", counts.refused);
  count_add(&line, " held ", held_by(ARENA_DOOR));
  count_add(&line, "+", held_by(ARENA_LINK));
  log_text(direct.config.port, line.text);
}

int direct_take(const struct direct_body *body) {
  int64_t not_after;
  if (direct.config.port == NULL) return 0;
  if (direct_is_open()) door_say();
  int fault = certificate_read_door(&not_after, body->certificate, body->certificate_size, direct.key.point);
  if (fault) return fault;
  if (not_after < direct.config.unix_time()) return SHALLOT_E_TLS_EXPIRED;
  origins_take(body->origins);
  bool is_same = direct_is_open() && direct.door.leaf_size == body->certificate_size &&
                 memcmp(direct.leaf, body->certificate, body->certificate_size) == 0;
  if (is_same) return 0;
  fault = nameplate_name(direct.name, direct.config.device);
  if (fault) return fault;
  door_close();
  memcpy(direct.leaf, body->certificate, body->certificate_size);
  direct.door = (struct door_config){
      .port = direct.config.port,
      .leaf = direct.leaf,
      .leaf_size = body->certificate_size,
      .key = direct.key.key,
      .answer = direct.config.answer,
      .is_origin = is_origin,
  };
  return door_open(&direct.door);
}

void direct_shut(void) { door_close(); }

/* ---- its name ---- */

static void question_answer(const uint8_t *question, size_t size, struct asker *asker) {
  uint8_t answer[NAMEPLATE_ANSWER_BYTES_MAX];
  const struct port *port = direct.config.port;
  int answered = nameplate_answer(answer, question, size, direct.name, asker);
  if (answered < 0 || port->now_ms() < direct.silent_until_ms) return;
  port->listener->say(answer, (size_t)answered, asker);
  if (++direct.answers % ANSWERS_AT_ONCE_MAX == 0) direct.silent_until_ms = port->now_ms() + ANSWERS_PAUSE_MS;
}

static void name_step(void) {
  uint8_t question[NAMEPLATE_QUESTION_BYTES_MAX];
  struct asker asker;
  int size = direct_is_open() ? direct.config.port->listener->hear(question, sizeof question, &asker) : 0;
  if (size > 0) question_answer(question, (size_t)size, &asker);
}

bool direct_is_open(void) { return door_is_open(); }
uint32_t direct_step(void) {
  name_step();
  return door_step();
}
void direct_wait(uint32_t ms) { door_wait(ms); }

#endif
