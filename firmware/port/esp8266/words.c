// SPDX-License-Identifier: GPL-3.0-or-later
#include "words.h"

enum { WORD = 4, STEP_BYTES = 64 };

int words_read(read_words *read, uint32_t at, void *out, size_t size) {
  uint32_t words[STEP_BYTES / WORD + 1];
  uint8_t *to = out;
  while (size > 0) {
    uint32_t skipped = at % WORD;
    uint32_t step = size < STEP_BYTES ? (uint32_t)size : STEP_BYTES;
    int fault = read(at - skipped, words, (skipped + step + WORD - 1) / WORD * WORD);
    if (fault != 0) return fault;
    const uint8_t *from = (const uint8_t *)words + skipped;
    for (uint32_t i = 0; i < step; i++) *to++ = *from++;
    at += step;
    size -= step;
  }
  return 0;
}
