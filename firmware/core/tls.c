// SPDX-License-Identifier: GPL-3.0-or-later
#include "tls.h"

#include <stdbool.h>
#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/internal.h>
#include <wolfssl/ssl.h>

#include "arena.h"
#include "certificate.h"
#include "crypto.h"

/* PrivateKeyInfo of an Ed25519 seed (RFC 8410 §7), without the seed. */
static const uint8_t key_prefix[16] = {0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20};

enum { IDLE_MS = 20 };

/* The library asks for chance and time without saying for whom; there is one port, so the last opened is the one. */
static const struct port *port;

void tls_use(const struct port *from) { port = from; }

int tls_random(unsigned char *out, unsigned int size) { return port->random(out, size); }

/* What wolfSSL wants from its surroundings; only differences count, and 0 would mean "no clock". */
word32 LowResTimer(void);
word32 LowResTimer(void) { return (word32)(port->now_ms() / 1000); }
sword64 TimeNowInMilliseconds(void) { return (sword64)port->now_ms() + 1; }

static uint32_t arena_failures(void) {
  struct arena_stats stats;
  arena_stats(&stats);
  return stats.failures;
}

/* ---- bytes in, bytes out ---- */

static uint32_t time_left_ms(const struct tls *tls) {
  uint64_t now = tls->config->port->now_ms();
  return now < tls->deadline_ms ? (uint32_t)(tls->deadline_ms - now) : 0;
}

static void give_time(struct tls *tls, uint32_t timeout_ms) {
  tls->deadline_ms = tls->config->port->now_ms() + timeout_ms;
}

/* Whoever else has something to do while the network is waited for. */
static bool others_are_there(const struct tls *tls) { return tls->config->idle != NULL || (tls->is_shaking && tls->config->turn != NULL); }

/*
 * Nothing is on the stack here that is TLS's, and no memory is being asked for: others may have some of the arena, and what they could not have
 * is no failure of ours.
 */
static void others_turn(struct tls *tls) {
  if (tls->config->idle != NULL) tls->config->idle();
  if (tls->is_shaking && tls->config->turn != NULL) tls->config->turn();
  tls->arena_failures = arena_failures();
}

/* Waits for a slice, where somebody else has a turn. */
static int read_slice(const struct tls *tls, uint8_t *out, size_t capacity) {
  uint32_t left_ms = time_left_ms(tls);
  return tls->config->port->net_read(out, capacity, others_are_there(tls) && left_ms > IDLE_MS ? IDLE_MS : left_ms);
}

static void forget_offer(struct tls *tls) {
  if (tls->offered == NULL) return;
  WOLFSSL_SESSION *past = ((WOLFSSL *)tls->session)->session;
  if (past->ticketLenAlloc == 0) {
    past->ticket = past->staticTicket;
    past->ticketLen = 0;
  }
  tls->offered = NULL;
}

/* A ticket that the daemon did not take is dead weight for the rest of the handshake, which is where memory is shortest. */
static void refused_offer_drop(struct tls *tls, WOLFSSL *session) {
  if (tls->offered == NULL || session->options.serverState < SERVER_HELLO_COMPLETE || session->options.resuming) return;
  TLSX_Remove(&session->extensions, TLSX_PRE_SHARED_KEY, session->heap);
  forget_offer(tls);
}

static int receive(WOLFSSL *session, char *out, int capacity, void *context) {
  struct tls *tls = context;
  refused_offer_drop(tls, session);
  int count = read_slice(tls, (uint8_t *)out, (size_t)capacity);
  if (count > 0) return count;
  tls->io_error = count;
  if (count == SHALLOT_E_PORT_TIMEOUT) return WOLFSSL_CBIO_ERR_WANT_READ;
  return count == SHALLOT_E_LINK_CLOSED ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_GENERAL;
}

static int send_out(WOLFSSL *session, char *data, int size, void *context) {
  struct tls *tls = context;
  (void)session;
  int count = tls->config->port->net_write((const uint8_t *)data, (size_t)size, time_left_ms(tls));
  if (count > 0) return count;
  tls->io_error = count;
  if (count == SHALLOT_E_PORT_TIMEOUT) return WOLFSSL_CBIO_ERR_WANT_WRITE;
  return count == SHALLOT_E_LINK_CLOSED ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_GENERAL;
}

/* ---- the daemon's certificate ---- */

/*
 * The time is the hub's own, and a hub whose battery is empty begins in 1970: a leaf from the future says that this side's time is wrong,
 * and is no reason to stay away until a restart.
 */
static int judge_dates(const struct tls *tls, const struct certificate_leaf *leaf) {
  int64_t now = tls->config->unix_time == NULL ? 0 : tls->config->unix_time();
  if (now == 0) return 0;
  return now > leaf->not_after ? SHALLOT_E_TLS_EXPIRED : 0;
}

static int judge_leaf(struct tls *tls, const uint8_t *der, size_t size) {
  struct certificate_leaf leaf;
  int result = certificate_read_leaf(&leaf, der, size);
  if (result == 0) result = judge_dates(tls, &leaf);
  if (result != 0) return result;
  memcpy(tls->peer_key, leaf.public_key, sizeof tls->peer_key);
  tls->has_peer_key = 1;
  /* The library found the anchor by its name, and verified the leaf with that anchor's key. */
  for (size_t i = 0; i < tls->config->pins_count; i++) {
    if (certificate_is_issued_by(der, size, tls->config->pins[i]) == 1) tls->peer_pins |= (uint8_t)(1u << i);
  }
  return 0;
}

/* What the library found wrong with the chain, in our words. */
static int chain_error(int error, const uint8_t *der, size_t size) {
  if (certificate_is_self_issued(der, size) == 1) return SHALLOT_E_TLS_SELF_SIGNED;
  if (error == ASN_SIG_CONFIRM_E || error == ASN_NO_SIGNER_E) return SHALLOT_E_TLS_BAD_CHAIN;
  return SHALLOT_E_TLS_PROFILE;
}

/* Called for the leaf, whatever the library thinks of it; nothing that it refused is accepted here. */
static int verify(int accepted, WOLFSSL_X509_STORE_CTX *store) {
  struct tls *tls = store->userCtx;
  if (store->error_depth != 0 || store->totalCerts < 1) {
    if (tls->verify_error == 0) tls->verify_error = SHALLOT_E_TLS_BAD_CHAIN;
    return 0;
  }
  const WOLFSSL_BUFFER_INFO *der = &store->certs[0];
  if (arena_failures() != tls->arena_failures)
    tls->verify_error = SHALLOT_E_TLS_OUT_OF_MEMORY;
  else if (!accepted || store->error != 0)
    tls->verify_error = chain_error(store->error, der->buffer, der->length);
  else
    tls->verify_error = judge_leaf(tls, der->buffer, der->length);
  return tls->verify_error == 0;
}

/* ---- opening ---- */

static int load_pin(WOLFSSL_CTX *context, const uint8_t pin[32]) {
  if (crypto_check_public(pin) != 0) return SHALLOT_E_BAD_KEY;
  uint8_t *der = arena_alloc(CERTIFICATE_ANCHOR_BYTES);
  if (der == NULL) return SHALLOT_E_TLS_OUT_OF_MEMORY;
  int size = certificate_anchor(der, CERTIFICATE_ANCHOR_BYTES, pin);
  int loaded = wolfSSL_CTX_load_verify_buffer(context, der, size, WOLFSSL_FILETYPE_ASN1);
  arena_free(der);
  return loaded == WOLFSSL_SUCCESS ? 0 : SHALLOT_E_TLS_FAILED;
}

static int open_context(struct tls *tls) {
  WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
  tls->context = context;
  if (context == NULL) return SHALLOT_E_TLS_FAILED;
  wolfSSL_CTX_SetIORecv(context, receive);
  wolfSSL_CTX_SetIOSend(context, send_out);
  wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, verify);
  if (wolfSSL_CTX_UseMaxFragment(context, WOLFSSL_MFL_2_10) != WOLFSSL_SUCCESS) return SHALLOT_E_TLS_FAILED;
  for (size_t i = 0; i < tls->config->pins_count; i++) {
    int result = load_pin(context, tls->config->pins[i]);
    if (result != 0) return result;
  }
  return 0;
}

static int load_identity(struct tls *tls) {
  const struct tls_config *config = tls->config;
  if (config->certificate == NULL) return 0;
  uint8_t key[sizeof key_prefix + 32];
  memcpy(key, key_prefix, sizeof key_prefix);
  memcpy(key + sizeof key_prefix, config->seed, 32);
  int loaded = wolfSSL_use_certificate_buffer(tls->session, config->certificate, (long)config->certificate_size,
                                              WOLFSSL_FILETYPE_ASN1);
  if (loaded == WOLFSSL_SUCCESS)
    loaded = wolfSSL_use_PrivateKey_buffer(tls->session, key, sizeof key, WOLFSSL_FILETYPE_ASN1);
  crypto_wipe(key, sizeof key);
  return loaded == WOLFSSL_SUCCESS ? 0 : SHALLOT_E_TLS_FAILED;
}

/*
 * A stored ticket: this, little-endian as every port of ours is, then the daemon's bytes. The sum is of all that follows it: with another bit
 * in the daemon's key a connection would be resumed again and again with somebody who is not believed.
 */
struct ticket_head {
  uint8_t sum[CRYPTO_SUM_BYTES];
  uint16_t size; /* of the daemon's bytes */
  uint8_t version;
  uint8_t nonce_size;
  uint32_t lifetime_s;
  uint32_t age_add;
  uint8_t nonce[8];
  uint8_t secret[32];
  uint8_t peer_key[32]; /* of the daemon that gave it */
};

enum { TICKET_VERSION = 2 };

/* Puts the ticket where the library looks for it. The bytes stay ours: forget_offer() takes them away again. */
static void offer_ticket(WOLFSSL *session, const struct ticket_head *head, const uint8_t *bytes) {
  WOLFSSL_SESSION *past = session->session;
  past->ticket = (byte *)(uintptr_t)bytes;
  past->ticketLen = head->size;
  past->ticketAdd = head->age_add;
  past->ticketSeen = TimeNowInMilliseconds();
  past->ticketNonce.len = head->nonce_size;
  memcpy(past->ticketNonce.data, head->nonce, head->nonce_size);
  memcpy(past->masterSecret, head->secret, sizeof head->secret);
  past->timeout = head->lifetime_s;
  past->namedGroup = WOLFSSL_ECC_X25519;
  past->cipherSuite0 = TLS13_BYTE;
  past->cipherSuite = TLS_CHACHA20_POLY1305_SHA256;
  past->version = session->version;
  past->side = WOLFSSL_CLIENT_END;
  session->options.resuming = 1;
  session->options.cipherSuite0 = past->cipherSuite0;
  session->options.cipherSuite = past->cipherSuite;
}

void tls_offer(struct tls *tls, const uint8_t *ticket, size_t size) {
  struct ticket_head head;
  if (size < sizeof head || size > TLS_TICKET_BYTES_MAX) return;
  memcpy(&head, ticket, sizeof head);
  bool is_sound = crypto_sum_fits(head.sum, ticket + CRYPTO_SUM_BYTES, size - CRYPTO_SUM_BYTES) && head.version == TICKET_VERSION &&
                  head.size > 0 && head.size == size - sizeof head && head.nonce_size <= sizeof head.nonce;
  if (is_sound) offer_ticket(tls->session, &head, ticket + sizeof head);
  if (is_sound) tls->offered = ticket;
  crypto_wipe(&head, sizeof head);
}

static const uint8_t *offered_peer_key(const struct tls *tls) { return tls->offered + offsetof(struct ticket_head, peer_key); }

static int open_session(struct tls *tls) {
  WOLFSSL *session = wolfSSL_new(tls->context);
  tls->session = session;
  if (session == NULL) return SHALLOT_E_TLS_FAILED;
  wolfSSL_SetIOReadCtx(session, tls);
  wolfSSL_SetIOWriteCtx(session, tls);
  wolfSSL_SetCertCbCtx(session, tls);
  char alpn[WOLFSSL_MAX_ALPN_PROTO_NAME_LEN + 1];
  size_t alpn_size = strlen(tls->config->alpn);
  if (alpn_size >= sizeof alpn) return SHALLOT_E_TLS_FAILED;
  memcpy(alpn, tls->config->alpn, alpn_size + 1);
  if (wolfSSL_UseALPN(session, alpn, (unsigned)alpn_size, WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS ||
      wolfSSL_UseSessionTicket(session) != WOLFSSL_SUCCESS ||
      wolfSSL_UseKeyShare(session, WOLFSSL_ECC_X25519) != WOLFSSL_SUCCESS)
    return SHALLOT_E_TLS_FAILED;
  return load_identity(tls);
}

int tls_open(struct tls *tls, const struct tls_config *config) {
  memset(tls, 0, sizeof *tls);
  tls->config = config;
  port = config->port;
  tls->arena_failures = arena_failures();
  if (config->pins_count < 1 || config->pins_count > TLS_PINS_MAX) return SHALLOT_E_BAD_KEY;
  if (wolfSSL_Init() != WOLFSSL_SUCCESS) return SHALLOT_E_TLS_FAILED;
  int result = open_context(tls);
  if (result == 0) result = open_session(tls);
  if (result != 0 && arena_failures() != tls->arena_failures) return SHALLOT_E_TLS_OUT_OF_MEMORY;
  return result;
}

/* ---- what went wrong ---- */

/* The alert that the daemon sent, or -1. */
static int alert_received(WOLFSSL *session) {
  WOLFSSL_ALERT_HISTORY history;
  if (wolfSSL_get_alert_history(session, &history) != WOLFSSL_SUCCESS) return -1;
  return history.last_rx.level == alert_fatal ? history.last_rx.code : -1;
}

/* Certificate accepted, CertificateVerify not: also a malformed signature is no proof. */
static int is_bad_proof(const struct tls *tls, const WOLFSSL *session, int error) {
  if (!tls->has_peer_key) return 0;
  if (error == VERIFY_SIGN_ERROR || error == SIG_VERIFY_E) return 1;
  return error == BAD_FUNC_ARG && !session->options.peerAuthGood;
}

static int failure(const struct tls *tls, int result) {
  WOLFSSL *session = tls->session;
  int error = wolfSSL_get_error(session, result);
  if (arena_failures() != tls->arena_failures) return SHALLOT_E_TLS_OUT_OF_MEMORY;
  if (tls->verify_error != 0) return tls->verify_error;
  if (is_bad_proof(tls, session, error)) return SHALLOT_E_TLS_BAD_PROOF;
  if (error == UNKNOWN_ALPN_PROTOCOL_NAME_E) return SHALLOT_E_TLS_ALPN;
  int alert = alert_received(session);
  if (alert == no_application_protocol) return SHALLOT_E_TLS_ALPN;
  if (alert >= 0) return SHALLOT_E_TLS_FAILED;
  if (error == WOLFSSL_ERROR_ZERO_RETURN || tls->io_error == SHALLOT_E_LINK_CLOSED) return SHALLOT_E_LINK_CLOSED;
  return SHALLOT_E_TLS_FAILED;
}

static int must_wait(const struct tls *tls, int result) {
  int error = wolfSSL_get_error(tls->session, result);
  return error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE;
}

/* ---- the handshake ---- */

static int alpn_is_ours(const struct tls *tls) {
  char *chosen = NULL;
  word16 size = 0;
  if (wolfSSL_ALPN_GetProtocol(tls->session, &chosen, &size) != WOLFSSL_SUCCESS) return 0;
  return size == strlen(tls->config->alpn) && memcmp(chosen, tls->config->alpn, size) == 0;
}

/* After the handshake nobody needs the anchors, the device's certificate or its key, or what was said in extensions. */
static void drop_what_is_done(struct tls *tls) {
  WOLFSSL *session = tls->session;
  forget_offer(tls);
  wolfSSL_FreeHandshakeResources(session);
  TLSX_FreeAll(session->extensions, session->heap);
  session->extensions = NULL;
  wolfSSL_UnloadCertsKeys(tls->session);
  wolfSSL_CTX_UnloadCAs(tls->context);
}

/* Step by step, as far as what has come allows. */
static int shake(struct tls *tls) {
  for (;;) {
    int result = wolfSSL_connect(tls->session);
    if (result == WOLFSSL_SUCCESS) return 0;
    if (!must_wait(tls, result)) return failure(tls, result);
    if (time_left_ms(tls) == 0) return SHALLOT_E_HANDSHAKE_TIMEOUT;
    others_turn(tls);
  }
}

int tls_handshake(struct tls *tls) {
  give_time(tls, tls->config->handshake_ms_max);
  tls->is_shaking = 1;
  int fault = shake(tls);
  tls->is_shaking = 0;
  if (fault) return fault;
  if (!alpn_is_ours(tls)) return SHALLOT_E_TLS_ALPN;
  tls->resumed = tls->offered != NULL && wolfSSL_session_reused(tls->session);
  if (tls->resumed) memcpy(tls->peer_key, offered_peer_key(tls), sizeof tls->peer_key);
  if (!tls->resumed && !tls->has_peer_key) return SHALLOT_E_TLS_FAILED;
  tls->has_peer_key = 1;
  drop_what_is_done(tls);
  return 0;
}

/* ---- after it ---- */

int tls_read(struct tls *tls, uint8_t *out, size_t capacity, uint32_t timeout_ms) {
  give_time(tls, timeout_ms);
  for (;;) {
    int count = wolfSSL_read(tls->session, out, (int)capacity);
    if (count > 0) return count;
    if (!must_wait(tls, count)) return failure(tls, count);
    if (time_left_ms(tls) == 0) return SHALLOT_E_PORT_TIMEOUT;
    others_turn(tls);
  }
}

int tls_write(struct tls *tls, const uint8_t *data, size_t size, uint32_t timeout_ms) {
  give_time(tls, timeout_ms);
  size_t done = 0;
  while (done < size) {
    size_t piece = size - done < TLS_RECORD_BYTES_MAX ? size - done : TLS_RECORD_BYTES_MAX;
    int count = wolfSSL_write(tls->session, data + done, (int)piece);
    if (count > 0) {
      done += (size_t)count;
      continue;
    }
    if (!must_wait(tls, count)) return failure(tls, count);
    if (time_left_ms(tls) == 0) return SHALLOT_E_TOO_SLOW;
  }
  return (int)size;
}

void tls_close(struct tls *tls) {
  if (tls->config == NULL) return;
  if (tls->session != NULL) {
    tls->deadline_ms = 0;
    if (tls->io_error != SHALLOT_E_LINK_CLOSED) wolfSSL_shutdown(tls->session);
    forget_offer(tls);
    wolfSSL_free(tls->session);
  }
  if (tls->context != NULL) wolfSSL_CTX_free(tls->context);
  wolfSSL_Cleanup();
  tls->config->port->net_close();
  crypto_wipe(tls, sizeof *tls);
}

int tls_peer_key(const struct tls *tls, uint8_t key[32]) {
  if (!tls->has_peer_key) return SHALLOT_E_TLS_FAILED;
  memcpy(key, tls->peer_key, sizeof tls->peer_key);
  return 0;
}

int tls_shown_under(const struct tls *tls, size_t pin) { return tls->peer_pins >> pin & 1; }

int tls_resumed(const struct tls *tls) { return tls->resumed; }

int tls_ticket(const struct tls *tls, uint8_t *out, size_t capacity) {
  const WOLFSSL_SESSION *now = ((const WOLFSSL *)tls->session)->session;
  struct ticket_head head = {.size = now->ticketLen, .version = TICKET_VERSION, .nonce_size = now->ticketNonce.len};
  if (head.size == 0 || sizeof head + head.size > TLS_TICKET_BYTES_MAX || head.nonce_size > sizeof head.nonce) return 0;
  if (sizeof head + head.size > capacity) return SHALLOT_E_OUT_OF_SPACE;
  head.lifetime_s = now->timeout;
  head.age_add = now->ticketAdd;
  memcpy(head.nonce, now->ticketNonce.data, head.nonce_size);
  memcpy(head.secret, now->masterSecret, sizeof head.secret);
  memcpy(head.peer_key, tls->peer_key, sizeof head.peer_key);
  memcpy(out, &head, sizeof head);
  memcpy(out + sizeof head, now->ticket, now->ticketLen);
  crypto_wipe(&head, sizeof head);
  size_t size = sizeof head + now->ticketLen;
  int fault = crypto_sum(out, out + CRYPTO_SUM_BYTES, size - CRYPTO_SUM_BYTES);
  return fault ? fault : (int)size;
}

void tls_ticket_drop(struct tls *tls) {
  WOLFSSL_SESSION *now = ((WOLFSSL *)tls->session)->session;
  if (now->ticketLenAlloc > 0) XFREE(now->ticket, NULL, DYNAMIC_TYPE_SESSION_TICK);
  now->ticket = now->staticTicket;
  now->ticketLenAlloc = 0;
  now->ticketLen = 0;
}
