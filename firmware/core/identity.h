// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an enrolled device is and whom it believes: one blob, replaced as a whole, so that a power cut leaves the old identity or the new.
 * In and out: struct identity and the bytes of its blob.
 * The certificate stays in the blob: memory is short, and it is needed only to connect. Absent on purpose: encryption. An ESP8266's flash protects nothing (DESIGN §11).
 */
#ifndef SHALLOT_IDENTITY_H
#define SHALLOT_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "claims.h"
#include "../../schemas/gen/c/shallot_wire.h"
#include "tls.h"

/* The largest encoded identity, bytes. */
#define IDENTITY_BYTES_MAX 900
/* The owner's enrolment of this device, as it was sealed; it was verified before it was put there. */
#define IDENTITY_RECORD_BLOB "record"

struct identity {
  uint8_t seed[SHALLOT_KEY_BYTES]; /* or the reference of a key in a chip (core/signer.h) */
  uint8_t public_key[SHALLOT_KEY_BYTES];
  uint8_t root[SHALLOT_KEY_BYTES];
  uint8_t pins[TLS_PINS_MAX][SHALLOT_KEY_BYTES];
  uint32_t pins_count;
  uint16_t tcp_port;
  char host[PORT_ADDRESS_CHARS_MAX + 1];
  bool is_enrolled;
};

/* Writes an identity and the papers that the hub gave it; without papers it is not enrolled. The blob's size, or SHALLOT_E_OUT_OF_SPACE. */
int identity_write(const struct identity *identity, const struct enrolled_body *papers, uint8_t *out, size_t capacity);

/* `papers` point into `bytes`. 0, or SHALLOT_E_PORT_STORAGE when the bytes are no identity; then `identity` is wiped. */
int identity_read(struct identity *identity, struct enrolled_body *papers, const uint8_t *bytes, size_t size);

/* Puts other pins, both of them, into a stored identity. 0, or SHALLOT_E_PORT_STORAGE when the bytes are no identity with two. */
int identity_repin(uint8_t *bytes, size_t size, const uint8_t *current, const uint8_t *next);

/* A new key, in software or in the board's chip, and nothing else. 0, or what core/signer.h says; then there is none. */
int identity_make_key(struct identity *identity, const struct port *port);

void identity_wipe(struct identity *identity);

#endif
