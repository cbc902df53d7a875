// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What every fuzz target has: libFuzzer's entry, and the one thing that the parsers of core/ ask of a port. Bytes come in; nothing goes
 * out but a crash. A target is one file; scripts/firmware.ts fuzz builds it with clang's sanitizers and seeds it from schemas/vectors.
 */
#ifndef SHALLOT_FUZZ_PLACE_H
#define SHALLOT_FUZZ_PLACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../port/port.h"
#include "../../schemas/gen/c/shallot_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void flash_copy(void *to, const void *from, size_t size) { memcpy(to, from, size); }

/* ---- storage that forgets nothing but what it is told to, in memory ---- */

enum { PLACE_BLOBS = 96 };

static struct {
  char name[PORT_BLOB_NAME_CHARS_MAX + 1];
  uint8_t bytes[PORT_BLOB_BYTES_MAX];
  size_t size;
} place_blobs[PLACE_BLOBS];
static int place_used; /* beyond these there are none */

/* By hand: libFuzzer looks at each strcmp, and here are many. */
static inline bool place_is(int at, const char *name) {
  const char *own = place_blobs[at].name;
  while (*own != '\0' && *own == *name) own++, name++;
  return *own == *name;
}

static inline int place_find(const char *name) {
  for (int i = 0; i < place_used; i++)
    if (place_is(i, name)) return i;
  return -1;
}

static inline int place_blob_read(const char *name, uint8_t *out, size_t capacity) {
  int at = place_find(name);
  if (at < 0) return SHALLOT_E_MISSING;
  if (place_blobs[at].size > capacity) return SHALLOT_E_OUT_OF_SPACE;
  memcpy(out, place_blobs[at].bytes, place_blobs[at].size);
  return (int)place_blobs[at].size;
}

static inline int place_blob_write(const char *name, const uint8_t *data, size_t size) {
  int at = place_find(name);
  if (at < 0) at = place_find("");
  if (at < 0 && place_used < PLACE_BLOBS) at = place_used++;
  if (at < 0 || size > PORT_BLOB_BYTES_MAX || strlen(name) > PORT_BLOB_NAME_CHARS_MAX) return SHALLOT_E_PORT_STORAGE;
  strcpy(place_blobs[at].name, name);
  memcpy(place_blobs[at].bytes, data, size);
  place_blobs[at].size = size;
  return 0;
}

static inline int place_blob_remove(const char *name) {
  int at = place_find(name);
  if (at >= 0) place_blobs[at].name[0] = '\0';
  return 0;
}

static inline uint64_t place_now_ms(void) { return 0; }

static inline void place_clear(void) { place_used = 0; }

__attribute__((unused)) static const struct port place = {
  .board = "fuzz",
  .now_ms = place_now_ms,
  .blob_read = place_blob_read,
  .blob_write = place_blob_write,
  .blob_remove = place_blob_remove,
};

/* A writable copy with `before` bytes in front and nothing behind, so that the sanitizer sees a read beyond the end; free the result. */
static inline uint8_t *copy_of(const uint8_t *data, size_t size, size_t before) {
  uint8_t *room = calloc(1, before + size + (before + size == 0));
  if (room == NULL) abort();
  memcpy(room + before, data, size);
  return room;
}

#endif
