// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One picture on its way to the hub (SPEC 19). In: that one was taken, and how much of it the hub has; out: what a still says, and the
 * picture's pieces.
 * What stays true: there is one picture at most, and it goes when the hub has it on disk, will not have it, or when another takes its
 * place; what is sent is what the digest was made of, or the hub refuses it; at most SHALLOT_PIECES_AHEAD_MAX pieces are on their way; a
 * picture outlives its link, not a restart.
 * Absent on purpose: memory for the picture (it lies where the port keeps it), and sealing (core/session.h).
 */
#ifndef SHALLOT_STILLS_H
#define SHALLOT_STILLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cbor.h"
#include "crypto.h"
#include "frame.h"
#include "../../schemas/gen/c/shallot_wire.h"

/* An app with a camera fills in the first three; all else is zero at first. */
struct stills {
  crypto_source read; /* of the picture that is kept; called with NULL as where from */
  void (*drop)(void); /* it is not needed any more */
  uint16_t affordance; /* the property `still` */
  bool is_said;        /* in this session */
  bool is_answered;    /* the same: the hub said from where on */
  uint32_t size;       /* of the picture; 0: none waits */
  uint32_t got;        /* bytes that the hub has, as it said */
  uint32_t sent;       /* in this session */
  uint64_t taken_ms;   /* the port's milliseconds */
  uint64_t due_ms;     /* the hub had no room: not before this */
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  uint8_t command[SHALLOT_DIGEST_BYTES];
};

/* A picture of `size` bytes was taken for this command; one that still waited is gone. 0, or SHALLOT_E_DEVICE_FAULT: it cannot be read. */
int stills_take(struct stills *stills, uint32_t size, const uint8_t command[SHALLOT_DIGEST_BYTES], uint64_t now_ms);

/* A hub's welcome came: it does not know of the picture. */
void stills_linked(struct stills *stills);

/* True when the hub is to hear of the picture now; then stills_body_put, and it counts as said. */
bool stills_is_due(const struct stills *stills, uint64_t now_ms);
/* at_ms: when it was taken, since 1970. */
void stills_body_put(struct stills *stills, struct cbor_writer *writer, int64_t at_ms);

/* The hub says what it has. 0, or SHALLOT_E_BAD_NOTE: that cannot be. */
int stills_here(struct stills *stills, const struct note *note, uint64_t now_ms);

/* The next piece, as a note without its length; 0 when none may go now. */
#define NOTE_PIECE_BYTES_MAX (1 + 1 + 5 + 3 + SHALLOT_PIECE_BYTES)
size_t stills_piece(struct stills *stills, uint8_t out[NOTE_PIECE_BYTES_MAX]);

#endif
