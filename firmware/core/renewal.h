// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The device's papers over the years (SPEC 6.7): the hub's next certificate is kept beside the one before it, and when no hub takes the
 * new one, the old one is good again. In: papers that a session admitted; out: the stored identity, replaced as a whole.
 * What stays true: there is always one whole identity in storage, whatever is cut or flipped; only the certificate, the name, the hub's place and the pins change.
 */
#ifndef SHALLOT_RENEWAL_H
#define SHALLOT_RENEWAL_H

#include "../port/port.h"
#include "identity.h"

/* A certificate for another key would be kept for nothing: no hub could take it from this device. */
bool renewal_is_about(const struct enrolled_body *papers, const uint8_t key[SHALLOT_KEY_BYTES]);

/* Stores an identity with papers, twice, so that a damaged copy has another beside it. `room`: IDENTITY_BYTES_MAX, wiped. 0 or a code. */
int renewal_begin(const struct port *port, const struct identity *identity, const struct enrolled_body *papers, uint8_t *room);

/* The stored identity, or the one beside it when that is damaged; as identity_read. `room`: of `capacity` bytes, holds the papers. */
int renewal_load(const struct port *port, struct identity *identity, struct enrolled_body *papers, uint8_t *room, size_t capacity);

/* Keeps new papers, and the identity before them beside it. 0, SHALLOT_E_CERTIFICATE_PROFILE (not about this device) or _PORT_STORAGE. */
int renewal_keep(const struct port *port, const struct identity *identity, const struct enrolled_body *papers);

/* The hub was found at another address: the stored identity says so from now on. 0 or _PORT_STORAGE. `room`: of IDENTITY_BYTES_MAX, wiped. */
int renewal_move(const struct port *port, const char *host, uint16_t tcp_port, uint8_t *room);

/* The hub has shown the CA `current`: from now on it and `next` are believed, no older one (SPEC 16.2). 0 or _PORT_STORAGE. */
int renewal_repin(const struct port *port, const uint8_t *current, const uint8_t *next);

/* The hub does not take the certificate: the one before it becomes the present one. 0, or a code when there is none. */
int renewal_undo(const struct port *port);

#endif
