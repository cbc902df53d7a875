// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads of flash at any address, by calls that know whole words alone: the ROM's and the SDK's. */
#ifndef SHALLOT_ESP8266_WORDS_H
#define SHALLOT_ESP8266_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* All three are multiples of 4. 0, or another number. */
typedef int read_words(uint32_t at, void *out, uint32_t size);

/* `size` bytes from `at` to anywhere. 0, or what `read` said. */
int words_read(read_words *read, uint32_t at, void *out, size_t size);

#endif
