// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The device's end of the link: a TLS 1.3 client over the port's one TCP connection. Bytes in, bytes out.
 *
 * What stays true: X25519, Ed25519, ChaCha20-Poly1305 and records of at most 1024 bytes, nothing else is offered;
 * the daemon's leaf must be signed by one of the pinned hub CA keys, be CA:FALSE and be for serverAuth; whatever is
 * wrong ends with a code of its own; running out of memory is never reported as a bad signature.
 * Absent on purpose: host names (the CA is the home's own), CA certificates on the wire, early data, renegotiation.
 *
 * A successful handshake does not mean that the daemon accepted the device's certificate: TLS 1.3 tells the client
 * only at its first read. The device is connected when the daemon's sealed hello has arrived.
 */
#ifndef SHALLOT_TLS_H
#define SHALLOT_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"

#define TLS_PINS_MAX 2
/* Bytes of application data that travel in one record at most; longer writes become several records. */
#define TLS_RECORD_BYTES_MAX 1024
/*
 * What resumption needs, as bytes to be stored: a ticket of the daemon's of at most 768 bytes, its secret, the key that the daemon
 * proved, and a sum of it all. A larger one is not kept, and the next connection is a full handshake. Secret: wipe it.
 */
#define TLS_TICKET_BYTES_MAX 856

/* Everything pointed to must stay until tls_close(). */
struct tls_config {
  const struct port *port;
  /* The hub CA's raw Ed25519 public keys, current and next. */
  const uint8_t (*pins)[32];
  size_t pins_count; /* 1 to TLS_PINS_MAX */
  /* The one protocol that is offered and must be chosen: SHALLOT_ALPN_LINK or SHALLOT_ALPN_ENROL. */
  const char *alpn;
  /* The device's own certificate (DER) and key; certificate NULL while it has none (enrolment). */
  const uint8_t *certificate;
  size_t certificate_size;
  const uint8_t *seed;       /* 32 bytes */
  const uint8_t *public_key; /* 32 bytes, the seed's own: trusted as stored, not computed again */
  /* Unix time in seconds, 0 while the device has none: then dates are not judged. May be NULL: never has time. */
  int64_t (*unix_time)(void);
  /* Called now and then while the network is waited for. NULL: nothing else is to do. */
  void (*idle)(void);
  /* The same in the handshake alone, between its steps; what it takes of the arena it gives back. NULL as above. */
  void (*turn)(void);
  /* How long the whole handshake may take, in milliseconds. */
  uint32_t handshake_ms_max;
};

/* One connection; there is one at a time. Its fields are tls.c's own. */
struct tls {
  const struct tls_config *config;
  const uint8_t *offered; /* a stored ticket */
  void *context;
  void *session;
  uint32_t arena_failures; /* the counter at the start */
  uint64_t deadline_ms;    /* of the call that is under way */
  int io_error;            /* what the port said last */
  int verify_error;        /* what our own checks of the leaf said */
  uint8_t peer_key[32];
  uint8_t has_peer_key; /* the leaf passed every check; its proof comes after */
  uint8_t peer_pins;    /* which pins it was issued under: bit i for pins[i]; none after a resumption */
  uint8_t resumed;
  uint8_t is_shaking;
};

/* Whose chance and time the library uses until another is named, or a connection prepared. */
void tls_use(const struct port *port);

/*
 * Prepares a connection; port->net_open() has been called already. The certificate and the seed are copied.
 * 0, SHALLOT_E_TLS_OUT_OF_MEMORY, SHALLOT_E_BAD_KEY (a pin is no key) or SHALLOT_E_TLS_FAILED (bad certificate or key).
 */
int tls_open(struct tls *tls, const struct tls_config *config);

/*
 * Offers a stored ticket; the bytes must stay as they are until tls_handshake() has returned. Nothing happens when they are none, or not
 * what was stored.
 * Offer none when the pins or the certificate have changed. Storage gives no age, and needs to give none: without early data a
 * server looks at its own clock alone (RFC 8446 §8.3).
 */
void tls_offer(struct tls *tls, const uint8_t *ticket, size_t size);

/*
 * 0, or: SHALLOT_E_TLS_BAD_CHAIN (not signed by a pinned CA), _TLS_SELF_SIGNED, _TLS_BAD_PROOF (CertificateVerify),
 * _TLS_PROFILE (not a server leaf), _TLS_EXPIRED (needs time), _TLS_ALPN, _TLS_OUT_OF_MEMORY, _HANDSHAKE_TIMEOUT,
 * _LINK_CLOSED, _TLS_FAILED (anything else). After an error only tls_close() may follow.
 */
int tls_handshake(struct tls *tls);

/*
 * Reads 1 to capacity bytes, waiting at most timeout_ms. A count, SHALLOT_E_PORT_TIMEOUT (call again),
 * SHALLOT_E_LINK_CLOSED, SHALLOT_E_TLS_OUT_OF_MEMORY or SHALLOT_E_TLS_FAILED (also: the daemon refused us).
 */
int tls_read(struct tls *tls, uint8_t *out, size_t capacity, uint32_t timeout_ms);

/* Writes all of data or fails: size, SHALLOT_E_TOO_SLOW (timeout_ms passed; then close), or as tls_read. */
int tls_write(struct tls *tls, const uint8_t *data, size_t size, uint32_t timeout_ms);

/* Says goodbye if that needs no waiting, frees everything, closes the connection. Also after a failed tls_open(); nothing when it was closed. */
void tls_close(struct tls *tls);

/* The raw Ed25519 public key of the leaf that the daemon proved to hold; also after resumption. 0 or _TLS_FAILED. */
int tls_peer_key(const struct tls *tls, uint8_t key[32]);

/* True when the leaf that this handshake showed was issued under the pin of this number; a resumed one shows none. */
int tls_shown_under(const struct tls *tls, size_t pin);

/* True when the handshake resumed an older session. */
int tls_resumed(const struct tls *tls);

/*
 * Writes the newest ticket, usually after the first read (tickets follow the handshake).
 * Its size, 0 when none came or it is too large, or SHALLOT_E_OUT_OF_SPACE. After a resumption there may be a newer one.
 */
int tls_ticket(const struct tls *tls, uint8_t *out, size_t capacity);
/* Gives back the memory that the ticket takes: only a later connection has a use for it. */
void tls_ticket_drop(struct tls *tls);

#endif
