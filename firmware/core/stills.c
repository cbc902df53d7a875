// SPDX-License-Identifier: GPL-3.0-or-later
#include "stills.h"

#include <string.h>

#include "../../schemas/gen/c/shallot_codes.h"

enum { FIRST_OF_PIECE = 2 };

/* The hub has to hear of it from the beginning. */
static void begin_anew(struct stills *stills) {
  stills->is_said = false;
  stills->is_answered = false;
  stills->got = 0;
  stills->sent = 0;
  stills->due_ms = 0;
}

static void let_go(struct stills *stills) {
  stills->drop();
  stills->size = 0;
  begin_anew(stills);
}

/* The camera keeps one picture: the one before is gone already. */
int stills_take(struct stills *stills, uint32_t size, const uint8_t command[SHALLOT_DIGEST_BYTES], uint64_t now_ms) {
  begin_anew(stills);
  stills->size = size;
  stills->taken_ms = now_ms;
  memcpy(stills->command, command, sizeof stills->command);
  if (crypto_sha256_of(stills->digest, stills->read, NULL, size) == 0) return 0;
  let_go(stills);
  return SHALLOT_E_DEVICE_FAULT;
}

void stills_linked(struct stills *stills) { begin_anew(stills); }

bool stills_is_due(const struct stills *stills, uint64_t now_ms) {
  return stills->size > 0 && !stills->is_said && now_ms >= stills->due_ms;
}

void stills_body_put(struct stills *stills, struct cbor_writer *writer, int64_t at_ms) {
  cbor_put_map(writer, 5);
  cbor_put_integer(writer, SHALLOT_STILL_AFFORDANCE);
  cbor_put_integer(writer, stills->affordance);
  cbor_put_integer(writer, SHALLOT_STILL_COMMAND);
  cbor_put_bytes(writer, stills->command, sizeof stills->command);
  cbor_put_integer(writer, SHALLOT_STILL_DIGEST);
  cbor_put_bytes(writer, stills->digest, sizeof stills->digest);
  cbor_put_integer(writer, SHALLOT_STILL_SIZE);
  cbor_put_integer(writer, stills->size);
  cbor_put_integer(writer, SHALLOT_STILL_AT);
  cbor_put_integer(writer, at_ms);
  stills->is_said = true;
}

/* The first word of a session says from where on; each later one lies between the one before and what was sent. */
static bool is_possible(const struct stills *stills, uint32_t offset) {
  bool is_whole = offset % SHALLOT_PIECE_BYTES == 0 || offset == stills->size;
  if (!is_whole || offset > stills->size) return false;
  return !stills->is_answered || (offset >= stills->got && offset <= stills->sent);
}

int stills_here(struct stills *stills, const struct note *note, uint64_t now_ms) {
  bool is_it = stills->size > 0 && memcmp(stills->digest, note->digest, SHALLOT_GOT_DIGEST_BYTES) == 0;
  /* What it says of a picture that another has replaced, or of one that it heard of in an earlier session. */
  if (!is_it || !stills->is_said) return 0;
  if (note->code == 0 && !is_possible(stills, note->offset)) return SHALLOT_E_BAD_NOTE;
  if (note->code == SHALLOT_E_BUSY) {
    begin_anew(stills);
    stills->due_ms = now_ms + SHALLOT_STILL_PAUSE_MS;
  } else if (note->code != 0 || note->offset == stills->size) {
    let_go(stills);
  } else {
    if (!stills->is_answered) stills->sent = note->offset;
    stills->is_answered = true;
    stills->got = note->offset;
  }
  return 0;
}

size_t stills_piece(struct stills *stills, uint8_t out[NOTE_PIECE_BYTES_MAX]) {
  uint32_t left = stills->size - stills->sent;
  bool has_window = stills->sent - stills->got < SHALLOT_PIECES_AHEAD_MAX * SHALLOT_PIECE_BYTES;
  if (!stills->is_answered || left == 0 || !has_window) return 0;
  size_t size = left < SHALLOT_PIECE_BYTES ? left : SHALLOT_PIECE_BYTES;
  struct cbor_writer writer = cbor_writer_into(out, NOTE_PIECE_BYTES_MAX);
  cbor_put_array(&writer, 3);
  cbor_put_integer(&writer, FIRST_OF_PIECE);
  cbor_put_integer(&writer, stills->sent);
  cbor_put_bytes_head(&writer, size);
  /* The port has lost it: the hub waits in vain, and says so. */
  if (stills->read(NULL, stills->sent, out + writer.at, size) != 0) {
    let_go(stills);
    return 0;
  }
  stills->sent += (uint32_t)size;
  return writer.at + size;
}
