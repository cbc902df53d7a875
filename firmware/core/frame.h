// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Frames and notes of the device link (SPEC 6.3). In: bytes in any pieces; out: one whole frame at a time, in the caller's buffer.
 * What stays true: a frame that says it is too long is refused before any of it is kept.
 */
#ifndef SHALLOT_FRAME_H
#define SHALLOT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../schemas/gen/c/shallot_wire.h"

/* All zero: expects a frame. */
struct frame_reader {
  uint8_t head[SHALLOT_FRAME_HEADER_BYTES];
  size_t head_got;
  size_t size; /* what the head says; 0: a keep-alive */
  size_t got;
  bool complete;
};

enum note_kind { NOTE_STORED, NOTE_GOT, NOTE_REFUSAL, NOTE_CHUNK, NOTE_HERE };

struct note {
  enum note_kind kind;
  const uint8_t *epoch; /* stored: SHALLOT_EPOCH_BYTES */
  uint64_t sequence;
  const uint8_t *digest; /* got, here: SHALLOT_GOT_DIGEST_BYTES */
  int code;              /* refusal, here: negative, or 0 in the latter */
  uint32_t offset;       /* chunk, here */
  const uint8_t *bytes;
  size_t bytes_size;     /* 1 to SHALLOT_CHUNK_BYTES */
};

/*
 * Takes bytes up to the end of one frame into `contents`, which holds SHALLOT_DEVICE_ENVELOPE_BYTES_MAX. The frame is there when
 * reader->complete; then frame_expect begins the next. How many bytes were taken, or SHALLOT_E_FRAME_TOO_LARGE.
 */
int frame_feed(struct frame_reader *reader, uint8_t *contents, const uint8_t *bytes, size_t size);
void frame_expect(struct frame_reader *reader);

/* Writes a frame's length in front of its contents. */
void frame_head_put(uint8_t head[SHALLOT_FRAME_HEADER_BYTES], size_t size);

/* 0 or SHALLOT_E_BAD_NOTE. */
int note_read(struct note *note, const uint8_t *bytes, size_t size);

/* Writes a whole frame that says an envelope with this digest has arrived; returns its size. */
#define NOTE_GOT_FRAME_BYTES (SHALLOT_FRAME_HEADER_BYTES + 2 + SHALLOT_GOT_DIGEST_BYTES)
size_t note_got_put(uint8_t out[NOTE_GOT_FRAME_BYTES], const uint8_t digest[SHALLOT_DIGEST_BYTES]);

/* The same, saying that the image of the manifest with this digest is here up to `offset`; code: 0, or negative: why it is over. */
#define NOTE_WANTED_FRAME_BYTES (SHALLOT_FRAME_HEADER_BYTES + 2 + SHALLOT_GOT_DIGEST_BYTES + 5 + 3)
size_t note_wanted_put(uint8_t out[NOTE_WANTED_FRAME_BYTES], const uint8_t digest[SHALLOT_GOT_DIGEST_BYTES], uint32_t offset, int code);

#endif
