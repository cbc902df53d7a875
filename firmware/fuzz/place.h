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

/* A writable copy with `before` bytes in front and nothing behind, so that the sanitizer sees a read beyond the end; free the result. */
static inline uint8_t *copy_of(const uint8_t *data, size_t size, size_t before) {
  uint8_t *room = calloc(1, before + size + (before + size == 0));
  if (room == NULL) abort();
  memcpy(room + before, data, size);
  return room;
}

#endif
