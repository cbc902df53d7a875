// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Enrolment as the device does it (SPEC 1.4, 7): a code as text, the message that asks, and the hub's answer.
 * In: what a person pasted and what the hub sent, both hostile; out: whom to ask, what to ask, and the papers that came back.
 * What stays true: papers come from an answer that passed every check, and from nothing else.
 */
#ifndef SHALLOT_ENROL_H
#define SHALLOT_ENROL_H

#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "envelope.h"
#include "gate.h"
#include "identity.h"
#include "../../schemas/gen/c/shallot_wire.h"

/* A PKCS #10 request with an Ed25519 key and a commonName of SHALLOT_TEXT_ID_CHARS has always this size. */
#define CSR_BYTES 184

struct enrol_code {
  uint8_t root[SHALLOT_KEY_BYTES];
  uint8_t pins[TLS_PINS_MAX][SHALLOT_KEY_BYTES];
  uint32_t pins_count;
  uint16_t tcp_port;
  char host[PORT_ADDRESS_CHARS_MAX + 1];
  uint8_t secret[SHALLOT_ENROL_SECRET_BYTES];
};

/*
 * Reads a code. `text` is scratch afterwards. 0, SHALLOT_E_CODE_DAMAGED, SHALLOT_E_CODE_VERSION, or SHALLOT_E_PORT_NETWORK: the code is
 * sound but its host is longer than any numeric address.
 */
int enrol_code_read(struct enrol_code *code, char *text, size_t size);

/* Begins with a code: whom to believe and where to go. The key stays. */
void enrol_prepare(struct identity *identity, const struct enrol_code *code);

/* Writes the request for the identity's key. CSR_BYTES, or a negative code. */
int enrol_csr(uint8_t out[CSR_BYTES], const struct identity *identity);

/*
 * Seals the enrol message at `bytes` (ENVELOPE_HEADROOM in front of it) and makes the gate expect its answer from `hub`.
 * Its size, SHALLOT_E_OUT_OF_SPACE, or what random and the arithmetic say.
 */
struct enrol_asking {
  const struct identity *identity;
  const uint8_t *secret; /* SHALLOT_ENROL_SECRET_BYTES */
  const struct app *app;
  const char *board;
  int (*random)(uint8_t *out, size_t size);
};
int enrol_ask(struct gate *gate, const struct enrol_asking *asking, const uint8_t hub[SHALLOT_KEY_BYTES], uint8_t *bytes, size_t capacity);

/*
 * Reads the hub's answer, ENVELOPE_HEADROOM in front of it. now_s: 0 when not known.
 * 0 and `papers` point into the frame; the code of a refusal; what envelope_open and gate_admit say; SHALLOT_E_UNEXPECTED_MESSAGE or
 * SHALLOT_E_BAD_NOTE.
 */
int enrol_answer(struct gate *gate, struct enrolled_body *papers, uint8_t *frame, size_t size, int64_t now_s);

#endif
