// SPDX-License-Identifier: GPL-3.0-or-later
/* The two passes of the decoder: what the first accepts, the second walks to its end and no further. */
#include "place.h"

#include "../core/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *bytes = copy_of(data, size, 0);
  if (cbor_check(bytes, size) == 0) {
    struct cbor_reader reader = cbor_reader_over(bytes, size);
    size_t items = 0;
    while (cbor_next(&reader).kind != CBOR_NONE) items++;
    if (items == 0 || reader.at != size) abort();
    reader = cbor_reader_over(bytes, size);
    cbor_skip(&reader);
    if (reader.at != size) abort();
  }
  cbor_check_tagged(bytes, size, 18);
  free(bytes);
  return 0;
}
