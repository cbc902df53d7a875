// SPDX-License-Identifier: GPL-3.0-or-later
/* Frames out of pieces of any size, and the notes among them. The first byte is the size of a piece. */
#include "place.h"

#include "../core/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct frame_reader reader = {.size = 0};
  uint8_t *contents = calloc(1, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  if (contents == NULL) abort();
  size_t piece = size > 0 ? data[0] % 64u + 1 : 1;
  for (size_t at = 1; at < size;) {
    size_t count = size - at < piece ? size - at : piece;
    int taken = frame_feed(&reader, contents, data + at, count);
    if (taken < 0) break;
    if ((size_t)taken > count || (taken == 0 && !reader.complete)) abort();
    at += (size_t)taken;
    if (!reader.complete) continue;
    struct note note;
    uint8_t *whole = copy_of(contents, reader.size, 0);
    note_read(&note, whole, reader.size);
    free(whole);
    frame_expect(&reader);
  }
  free(contents);
  return 0;
}
