// SPDX-License-Identifier: GPL-3.0-or-later
#include "frame.h"

#include <string.h>

#include "cbor.h"
#include "../../schemas/gen/c/shallot_codes.h"

enum { CODE_MAX = 999, ARRAY_OF_ONE = 0x81, BYTES_OF_EIGHT = 0x48, FIRST_OF_CHUNK = 1 };

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static size_t head_take(struct frame_reader *reader, const uint8_t *bytes, size_t size) {
  size_t count = smaller(size, SHALLOT_FRAME_HEADER_BYTES - reader->head_got);
  memcpy(reader->head + reader->head_got, bytes, count);
  reader->head_got += count;
  reader->size = (size_t)(reader->head[0] << 8 | reader->head[1]);
  return count;
}

int frame_feed(struct frame_reader *reader, uint8_t *contents, const uint8_t *bytes, size_t size) {
  size_t taken = 0;
  if (reader->complete || size == 0) return 0;
  if (reader->head_got < SHALLOT_FRAME_HEADER_BYTES) {
    taken = head_take(reader, bytes, size);
    if (reader->head_got < SHALLOT_FRAME_HEADER_BYTES) return (int)taken;
  }
  /* Also for a caller that feeds on after it was told to close. */
  if (reader->size > SHALLOT_DEVICE_ENVELOPE_BYTES_MAX) return SHALLOT_E_FRAME_TOO_LARGE;
  size_t count = smaller(size - taken, reader->size - reader->got);
  memcpy(contents + reader->got, bytes + taken, count);
  reader->got += count;
  reader->complete = reader->got == reader->size;
  return (int)(taken + count);
}

void frame_expect(struct frame_reader *reader) { memset(reader, 0, sizeof *reader); }

void frame_head_put(uint8_t head[SHALLOT_FRAME_HEADER_BYTES], size_t size) {
  head[0] = (uint8_t)(size >> 8);
  head[1] = (uint8_t)size;
}

static int note_of_one(struct note *note, const struct cbor_item *digest) {
  note->kind = NOTE_GOT;
  note->digest = digest->bytes;
  return digest->kind == CBOR_BYTES && digest->size == SHALLOT_GOT_DIGEST_BYTES ? 0 : SHALLOT_E_BAD_NOTE;
}

static int note_of_two(struct note *note, const struct cbor_item *first, const struct cbor_item *second) {
  if (second->kind != CBOR_INTEGER || second->value < 0) return SHALLOT_E_BAD_NOTE;
  if (first->kind == CBOR_BYTES && first->size == SHALLOT_EPOCH_BYTES) {
    note->kind = NOTE_STORED;
    note->epoch = first->bytes;
    note->sequence = (uint64_t)second->value;
    return 0;
  }
  bool is_refusal = first->kind == CBOR_INTEGER && first->value == 0 && second->value > 0 && second->value <= CODE_MAX;
  note->kind = NOTE_REFUSAL;
  note->code = is_refusal ? -(int)second->value : 0;
  return is_refusal ? 0 : SHALLOT_E_BAD_NOTE;
}

/* SPEC 19.3 */
static int note_here(struct note *note, const struct cbor_item *digest, const struct cbor_item *offset, const struct cbor_item *code) {
  bool is_here = digest->size == SHALLOT_GOT_DIGEST_BYTES && offset->value >= 0 && offset->value <= SHALLOT_STILL_BYTES_MAX &&
                 code->kind == CBOR_INTEGER && code->value >= 0 && code->value <= CODE_MAX;
  if (!is_here) return SHALLOT_E_BAD_NOTE;
  note->kind = NOTE_HERE;
  note->digest = digest->bytes;
  note->offset = (uint32_t)offset->value;
  note->code = -(int)code->value;
  return 0;
}

static int note_of_three(struct note *note, const struct cbor_item *first, const struct cbor_item *offset, const struct cbor_item *bytes) {
  if (first->kind == CBOR_BYTES) return note_here(note, first, offset, bytes);
  bool is_chunk = first->kind == CBOR_INTEGER && first->value == FIRST_OF_CHUNK && offset->kind == CBOR_INTEGER && offset->value >= 0 &&
                  offset->value <= SHALLOT_IMAGE_BYTES_MAX && bytes->kind == CBOR_BYTES && bytes->size > 0 && bytes->size <= SHALLOT_CHUNK_BYTES;
  if (!is_chunk) return SHALLOT_E_BAD_NOTE;
  note->kind = NOTE_CHUNK;
  note->offset = (uint32_t)offset->value;
  note->bytes = bytes->bytes;
  note->bytes_size = bytes->size;
  return 0;
}

int note_read(struct note *note, const uint8_t *bytes, size_t size) {
  memset(note, 0, sizeof *note);
  if (cbor_check(bytes, size) != 0) return SHALLOT_E_BAD_NOTE;
  struct cbor_reader reader = cbor_reader_over(bytes, size);
  struct cbor_item array = cbor_next(&reader);
  if (array.kind != CBOR_ARRAY || array.count < 1 || array.count > 3) return SHALLOT_E_BAD_NOTE;
  struct cbor_item first = cbor_next(&reader);
  if (array.count == 1) return note_of_one(note, &first);
  /* What is inside an array or map here would be taken for the second member. */
  if (first.kind != CBOR_BYTES && first.kind != CBOR_INTEGER) return SHALLOT_E_BAD_NOTE;
  struct cbor_item second = cbor_next(&reader);
  if (array.count == 2) return note_of_two(note, &first, &second);
  if (second.kind != CBOR_INTEGER) return SHALLOT_E_BAD_NOTE;
  struct cbor_item third = cbor_next(&reader);
  return note_of_three(note, &first, &second, &third);
}

size_t note_got_put(uint8_t out[NOTE_GOT_FRAME_BYTES], const uint8_t digest[SHALLOT_DIGEST_BYTES]) {
  frame_head_put(out, NOTE_GOT_FRAME_BYTES - SHALLOT_FRAME_HEADER_BYTES);
  out[2] = ARRAY_OF_ONE;
  out[3] = BYTES_OF_EIGHT;
  memcpy(out + 4, digest, SHALLOT_GOT_DIGEST_BYTES);
  return NOTE_GOT_FRAME_BYTES;
}

size_t note_wanted_put(uint8_t out[NOTE_WANTED_FRAME_BYTES], const uint8_t digest[SHALLOT_GOT_DIGEST_BYTES], uint32_t offset, int code) {
  struct cbor_writer writer = cbor_writer_into(out + SHALLOT_FRAME_HEADER_BYTES, NOTE_WANTED_FRAME_BYTES - SHALLOT_FRAME_HEADER_BYTES);
  cbor_put_array(&writer, 3);
  cbor_put_bytes(&writer, digest, SHALLOT_GOT_DIGEST_BYTES);
  cbor_put_integer(&writer, offset);
  cbor_put_integer(&writer, -code);
  frame_head_put(out, writer.at);
  return SHALLOT_FRAME_HEADER_BYTES + writer.at;
}
