// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Deterministic CBOR (SPEC 1.1). In: untrusted bytes; out: the first fault by its code, or items that point into those bytes.
 * Read in two passes: cbor_check walks a whole item and finds every fault; cbor_next then walks items that are known to be sound,
 * so the code that looks for meaning has no encoding errors to handle.
 * The writer is canonical as long as its caller writes map keys in order; it never writes beyond its capacity and remembers that
 * it would have, so that only the end result needs a check.
 * Absent on purpose: floats, null, undefined, indefinite lengths, tags other than the caller's own outermost one.
 */
#ifndef SHALLOT_CBOR_H
#define SHALLOT_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cbor_kind { CBOR_INTEGER, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_BOOL, CBOR_NONE };

struct cbor_reader {
  const uint8_t *bytes;
  size_t size;
  size_t at;
};

/* One item. `value`: an integer, or 0 and 1 for false and true. `bytes`, `size`: a string's contents. `count`: items of an array, pairs of a map. */
struct cbor_item {
  enum cbor_kind kind;
  int64_t value;
  const uint8_t *bytes;
  size_t size;
  size_t count;
};

struct cbor_writer {
  uint8_t *bytes;
  size_t capacity;
  size_t at; /* may pass capacity: nothing was written there */
};

/* `bytes` must be one item and nothing more. Returns 0 or SHALLOT_E_CBOR_... */
int cbor_check(const uint8_t *bytes, size_t size);

/* As cbor_check, for one item under one tag; SHALLOT_E_WRONG_TAG when the head is sound and is not that tag's. */
int cbor_check_tagged(const uint8_t *bytes, size_t size, uint32_t tag);

/* A reader over bytes that passed cbor_check. */
struct cbor_reader cbor_reader_over(const uint8_t *bytes, size_t size);

/* The next item; the items inside an array or map follow it. CBOR_NONE at the end, and where no sound item begins. */
struct cbor_item cbor_next(struct cbor_reader *reader);

/* Passes over the next item and everything inside it. */
void cbor_skip(struct cbor_reader *reader);

struct cbor_writer cbor_writer_into(uint8_t *bytes, size_t capacity);
void cbor_put_integer(struct cbor_writer *writer, int64_t value);
void cbor_put_bool(struct cbor_writer *writer, bool value);
void cbor_put_bytes(struct cbor_writer *writer, const uint8_t *bytes, size_t size);
void cbor_put_text(struct cbor_writer *writer, const char *text, size_t size);
void cbor_put_array(struct cbor_writer *writer, size_t count);
void cbor_put_map(struct cbor_writer *writer, size_t pairs);
void cbor_put_tag(struct cbor_writer *writer, uint32_t tag);
/* The head of a byte string whose contents the caller writes next. */
void cbor_put_bytes_head(struct cbor_writer *writer, size_t size);
/* Bytes as they are. */
void cbor_put_raw(struct cbor_writer *writer, const uint8_t *bytes, size_t size);

/* Bytes written, or SHALLOT_E_OUT_OF_SPACE. */
int cbor_written(const struct cbor_writer *writer);

#endif
