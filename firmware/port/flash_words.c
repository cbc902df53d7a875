// SPDX-License-Identifier: GPL-3.0-or-later
/* Out of a flash that is read in aligned words alone, as the ESP8266's is. */
#include "port.h"

void flash_copy(void *to, const void *from, size_t size) {
  const uint32_t *words = from;
  uint8_t *out = to;
  for (; size >= 4; size -= 4, out += 4) {
    uint32_t word = *words++;
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(word >> 8 * i);
  }
  uint32_t last = size > 0 ? *words : 0;
  for (size_t i = 0; i < size; i++) out[i] = (uint8_t)(last >> 8 * i);
}
