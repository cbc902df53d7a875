// SPDX-License-Identifier: GPL-3.0-or-later
#include "door.h"

#ifdef SHALLOT_DIRECT

#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/internal.h>
#include <wolfssl/ssl.h>

#include "arena.h"
#include "crypto.h"
#include "tls.h"

enum { PIECE_BYTES = 256, STEP_MS_MAX = 1000, BUSY_MS = 20 };

enum state { FREE, SILENT, SHAKING, READING, ANSWERING, PARTING };

struct visitor {
  enum state state;
  int place; /* the port's */
  WOLFSSL *session;
  uint64_t since_ms; /* in this state; READING: the request under way, or the silence before it */
  uint64_t heard_ms;
  uint32_t handshake_bytes;
  uint16_t requests;
  bool is_last; /* nothing is read after the answer */
  uint16_t out_at;
  uint16_t out_end;
  struct http_request request;
  uint8_t room[DOOR_ROOM_BYTES];
};

static struct {
  const struct door_config *config;
  WOLFSSL_CTX *context;
  struct visitor visitors[DOOR_VISITORS_MAX];
  struct door_counts counts;
  uint64_t rest_until_ms;
  bool is_full;    /* who waits must wait */
  bool is_blocked; /* somebody was heard who must wait too */
} door;

static uint64_t now_ms(void) { return door.config->port->now_ms(); }
static const struct listener *port_listener(void) { return door.config->port->listener; }

/* ---- bytes in, bytes out ---- */

static int receive(WOLFSSL *session, char *out, int capacity, void *context) {
  struct visitor *visitor = context;
  (void)session;
  if (visitor->state == SHAKING && visitor->handshake_bytes > DOOR_HANDSHAKE_BYTES_MAX) return WOLFSSL_CBIO_ERR_GENERAL;
  int count = port_listener()->read(visitor->place, (uint8_t *)out, (size_t)capacity);
  if (count > 0) {
    visitor->heard_ms = now_ms();
    visitor->handshake_bytes += (uint32_t)count;
    return count;
  }
  if (count == SHALLOT_E_PORT_TIMEOUT) return WOLFSSL_CBIO_ERR_WANT_READ;
  return count == SHALLOT_E_LINK_CLOSED ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_GENERAL;
}

static int send_out(WOLFSSL *session, char *data, int size, void *context) {
  const struct visitor *visitor = context;
  (void)session;
  int count = port_listener()->write(visitor->place, (const uint8_t *)data, (size_t)size);
  if (count > 0) return count;
  if (count == SHALLOT_E_PORT_TIMEOUT) return WOLFSSL_CBIO_ERR_WANT_WRITE;
  return count == SHALLOT_E_LINK_CLOSED ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_GENERAL;
}

static bool must_wait(const struct visitor *visitor, int result) {
  int error = wolfSSL_get_error(visitor->session, result);
  return error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE;
}

/* ---- coming and going ---- */

static void state_begin(struct visitor *visitor, enum state state) {
  visitor->state = state;
  visitor->since_ms = now_ms();
}

static void session_drop(struct visitor *visitor, bool with_goodbye) {
  if (visitor->session == NULL) return;
  if (with_goodbye) wolfSSL_shutdown(visitor->session);
  wolfSSL_free(visitor->session);
  visitor->session = NULL;
}

static void visitor_end(struct visitor *visitor) {
  session_drop(visitor, false);
  port_listener()->close(visitor->place);
  door.counts.gone++;
  crypto_wipe(visitor, sizeof *visitor);
}

/* What was said last is on its way; the memory is free for others meanwhile. */
static void visitor_part(struct visitor *visitor) {
  session_drop(visitor, true);
  port_listener()->finish(visitor->place);
  state_begin(visitor, PARTING);
}

/* Whether somebody else may have this place. */
static bool makes_way(const struct visitor *visitor, uint64_t now) {
  uint64_t silent_ms = now - visitor->heard_ms;
  switch (visitor->state) {
    case SILENT: return silent_ms >= DOOR_SILENT_MS;
    case PARTING: return true;
    default: return silent_ms >= DOOR_STALLED_MS;
  }
}

static bool is_too_late(const struct visitor *visitor, uint64_t now) {
  uint64_t passed_ms = now - visitor->since_ms;
  switch (visitor->state) {
    case SILENT:
    case SHAKING: return passed_ms > DOOR_HANDSHAKE_MS_MAX;
    case READING: return passed_ms > (http_has_begun(&visitor->request) ? SHALLOT_DIRECT_REQUEST_MS_MAX : DOOR_IDLE_MS_MAX);
    case ANSWERING: return passed_ms > SHALLOT_DIRECT_REQUEST_MS_MAX;
    default: return passed_ms > DOOR_PARTING_MS;
  }
}

static struct visitor *place_find(uint64_t now) {
  struct visitor *found = NULL;
  for (size_t i = 0; i < DOOR_VISITORS_MAX; i++) {
    struct visitor *visitor = &door.visitors[i];
    if (visitor->state == FREE) return visitor;
    if (makes_way(visitor, now) && (found == NULL || visitor->heard_ms < found->heard_ms)) found = visitor;
  }
  return found;
}

static bool visitor_let_in(void) {
  const struct listener *listener = port_listener();
  if (!listener->waits()) return false;
  struct visitor *visitor = place_find(now_ms());
  door.is_full = visitor == NULL;
  if (visitor == NULL) return false;
  if (visitor->state != FREE) visitor_end(visitor);
  int place = listener->accept();
  if (place < 0) return false;
  door.counts.came++;
  visitor->place = place;
  visitor->heard_ms = now_ms();
  state_begin(visitor, SILENT);
  return true;
}

/* ---- the handshake ---- */

/* Whether somebody is in a handshake who is not to make way for another. */
static bool somebody_shakes(void) {
  for (size_t i = 0; i < DOOR_VISITORS_MAX; i++) {
    struct visitor *other = &door.visitors[i];
    if (other->state != SHAKING) continue;
    if (!makes_way(other, now_ms())) return true;
    visitor_end(other);
  }
  return false;
}

static bool session_make(struct visitor *visitor) {
  static char alpn[] = "http/1.1";
  WOLFSSL *session = wolfSSL_new(door.context);
  visitor->session = session;
  if (session == NULL) return false;
  wolfSSL_SetIOReadCtx(session, visitor);
  wolfSSL_SetIOWriteCtx(session, visitor);
  return wolfSSL_UseALPN(session, alpn, sizeof alpn - 1, WOLFSSL_ALPN_CONTINUE_ON_MISMATCH) == WOLFSSL_SUCCESS;
}

/* One handshake at a time: it is where memory is shortest. Nobody has a session before a first byte came. */
static bool silent_step(struct visitor *visitor) {
  if (!port_listener()->is_readable(visitor->place)) return false;
  door.is_blocked = somebody_shakes();
  if (door.is_blocked) return false;
  if (!session_make(visitor)) {
    visitor_end(visitor);
    return true;
  }
  state_begin(visitor, SHAKING);
  return true;
}

static void request_expect(struct visitor *visitor) {
  memset(&visitor->request, 0, sizeof visitor->request);
  state_begin(visitor, READING);
}

static bool shaking_step(struct visitor *visitor) {
  uint32_t before = visitor->handshake_bytes;
  int result = wolfSSL_accept(visitor->session);
  if (result == WOLFSSL_SUCCESS) {
    door.counts.handshakes++;
    if (wolfSSL_session_reused(visitor->session)) door.counts.resumed++;
    wolfSSL_FreeHandshakeResources(visitor->session);
    TLSX_FreeAll(visitor->session->extensions, visitor->session->heap);
    visitor->session->extensions = NULL;
    request_expect(visitor);
    return true;
  }
  if (must_wait(visitor, result)) return visitor->handshake_bytes != before;
  visitor_end(visitor);
  return true;
}

/* ---- requests ---- */

/* The head goes right in front of the body, or alone. */
static void answer_begin(struct visitor *visitor, struct http_answer *answer) {
  char head[HTTP_ANSWER_HEAD_BYTES_MAX];
  if (++visitor->requests >= DOOR_REQUESTS_MAX) answer->is_last = true;
  size_t size = http_answer_put(head, answer);
  visitor->out_at = (uint16_t)(DOOR_BEFORE_BODY - size);
  visitor->out_end = (uint16_t)(DOOR_BEFORE_BODY + answer->body_size);
  memcpy(visitor->room + visitor->out_at, head, size);
  visitor->is_last = answer->is_last;
  state_begin(visitor, ANSWERING);
}

/* Of what was read whole and understood another may follow: who comes anew costs more. */
static void request_refuse(struct visitor *visitor, int code) {
  const char *origin = visitor->request.origin;
  struct http_answer answer = {.code = code, .is_last = !visitor->request.is_whole || visitor->request.is_last};
  if (origin[0] != '\0' && door.config->is_origin(origin)) answer.origin = origin;
  door.counts.refused++;
  answer_begin(visitor, &answer);
}

/* SPEC 18.3, 18.4. The command is judged with the link's memory, of which none is held afterwards. */
static void request_answer(struct visitor *visitor) {
  struct http_request *request = &visitor->request;
  struct http_answer answer = {.is_last = request->is_last, .is_private_asked = request->is_private_asked};
  answer.is_preflight = request->method == HTTP_OPTIONS;
  if (request->origin[0] != '\0' && !door.config->is_origin(request->origin)) return request_refuse(visitor, SHALLOT_E_FORBIDDEN);
  answer.origin = request->origin;
  if (request->method == HTTP_POST) {
    enum arena_owner before = arena_use(ARENA_LINK);
    int size = door.config->answer(visitor->room + DOOR_BEFORE_BODY, request->body_size);
    arena_use(before);
    if (size < 0) return request_refuse(visitor, size);
    answer.body_size = (size_t)size;
    door.counts.receipts++;
  }
  answer_begin(visitor, &answer);
}

/* Somebody who does not wait for an answer may mean something else by where a request ends. */
static void surplus_refuse(struct visitor *visitor) {
  visitor->request.is_whole = false;
  request_refuse(visitor, SHALLOT_E_BAD_REQUEST);
}

static bool reading_step(struct visitor *visitor) {
  uint8_t bytes[PIECE_BYTES];
  struct http_request *request = &visitor->request;
  int count = wolfSSL_read(visitor->session, bytes, sizeof bytes);
  if (count <= 0 && must_wait(visitor, count)) return false;
  if (count <= 0) {
    visitor_end(visitor);
    return true;
  }
  if (!http_has_begun(request)) visitor->since_ms = now_ms();
  int taken = http_feed(request, visitor->room + DOOR_BEFORE_BODY, bytes, (size_t)count);
  if (taken < 0) request_refuse(visitor, taken);
  else if (taken < count) surplus_refuse(visitor);
  else if (request->is_whole) request_answer(visitor);
  crypto_wipe(bytes, sizeof bytes);
  return true;
}

static bool answering_step(struct visitor *visitor) {
  int size = visitor->out_end - visitor->out_at;
  int count = wolfSSL_write(visitor->session, visitor->room + visitor->out_at, size);
  if (count <= 0 && must_wait(visitor, count)) return false;
  if (count <= 0) {
    visitor_end(visitor);
    return true;
  }
  visitor->out_at = (uint16_t)(visitor->out_at + count);
  if (visitor->out_at < visitor->out_end) return true;
  if (visitor->is_last) visitor_part(visitor);
  else request_expect(visitor);
  return true;
}

static bool parting_step(struct visitor *visitor) {
  uint8_t away[PIECE_BYTES];
  int count = port_listener()->read(visitor->place, away, sizeof away);
  if (count == SHALLOT_E_PORT_TIMEOUT) return false;
  if (count < 0) visitor_end(visitor);
  return true;
}

/* Whether anything was done. */
static bool visitor_step(struct visitor *visitor) {
  if (visitor->state == FREE) return false;
  if (is_too_late(visitor, now_ms())) {
    visitor_end(visitor);
    return true;
  }
  switch (visitor->state) {
    case SILENT: return silent_step(visitor);
    case SHAKING: return shaking_step(visitor);
    case READING: return reading_step(visitor);
    case ANSWERING: return answering_step(visitor);
    default: return parting_step(visitor);
  }
}

/* ---- the door ---- */

/* ECPrivateKey (RFC 5915) of P-256, in front of and behind its number. */
static const uint8_t key_before[] = {0x30, 0x31, 2, 1, 1, 4, 0x20};
static const uint8_t key_after[] = {0xa0, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};

static bool key_load(WOLFSSL_CTX *context, const uint8_t key[DOOR_KEY_BYTES]) {
  uint8_t der[sizeof key_before + DOOR_KEY_BYTES + sizeof key_after];
  memcpy(der, key_before, sizeof key_before);
  memcpy(der + sizeof key_before, key, DOOR_KEY_BYTES);
  memcpy(der + sizeof key_before + DOOR_KEY_BYTES, key_after, sizeof key_after);
  int loaded = wolfSSL_CTX_use_PrivateKey_buffer(context, der, sizeof der, WOLFSSL_FILETYPE_ASN1);
  crypto_wipe(der, sizeof der);
  return loaded == WOLFSSL_SUCCESS;
}

static int context_open(void) {
  const struct door_config *config = door.config;
  WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_3_server_method());
  door.context = context;
  if (context == NULL) return SHALLOT_E_TLS_OUT_OF_MEMORY;
  wolfSSL_CTX_SetIORecv(context, receive);
  wolfSSL_CTX_SetIOSend(context, send_out);
  bool is_sound = wolfSSL_CTX_use_certificate_buffer(context, config->leaf, (long)config->leaf_size, WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS;
  return is_sound && key_load(context, config->key) ? 0 : SHALLOT_E_TLS_FAILED;
}

int door_open(const struct door_config *config) {
  door_close();
  door.config = config;
  tls_use(config->port);
  if (wolfSSL_Init() != WOLFSSL_SUCCESS) return SHALLOT_E_TLS_FAILED;
  enum arena_owner before = arena_use(ARENA_DOOR);
  int fault = context_open();
  arena_use(before);
  if (fault) door_close();
  return fault;
}

void door_close(void) {
  if (door.config == NULL) return;
  enum arena_owner before = arena_use(ARENA_DOOR);
  for (size_t i = 0; i < DOOR_VISITORS_MAX; i++) {
    if (door.visitors[i].state != FREE) visitor_end(&door.visitors[i]);
  }
  if (door.context != NULL) wolfSSL_CTX_free(door.context);
  wolfSSL_Cleanup();
  arena_use(before);
  door.context = NULL;
  door.config = NULL;
}

bool door_is_open(void) { return door.context != NULL; }

static uint32_t rest_ms(void) {
  uint64_t now = now_ms();
  return now < door.rest_until_ms ? (uint32_t)(door.rest_until_ms - now) : 0;
}

void door_wait(uint32_t ms) {
  const struct port *port = door.config->port;
  uint32_t resting_ms = rest_ms();
  if (resting_ms == 0 && door.is_blocked) resting_ms = BUSY_MS;
  if (resting_ms == 0) port->listener->wait(ms, !door.is_full);
  else port->sleep_ms(resting_ms < ms ? resting_ms : ms);
}

static bool everybody_step(void) {
  door.is_full = false;
  door.is_blocked = false;
  bool has_done = visitor_let_in();
  for (size_t i = 0; i < DOOR_VISITORS_MAX; i++) has_done |= visitor_step(&door.visitors[i]);
  return has_done;
}

static bool somebody_is_here(void) {
  for (size_t i = 0; i < DOOR_VISITORS_MAX; i++) {
    if (door.visitors[i].state != FREE) return true;
  }
  return false;
}

uint32_t door_step(void) {
  if (!door_is_open()) return STEP_MS_MAX;
  uint32_t resting_ms = rest_ms();
  if (resting_ms > 0) return resting_ms;
  uint64_t began_ms = now_ms();
  enum arena_owner before = arena_use(ARENA_DOOR);
  bool has_done = everybody_step();
  arena_use(before);
  uint64_t ended_ms = now_ms();
  door.rest_until_ms = ended_ms + (ended_ms - began_ms);
  if (has_done) return rest_ms();
  return somebody_is_here() ? BUSY_MS : STEP_MS_MAX;
}

void door_count(struct door_counts *counts) { *counts = door.counts; }

#endif
