// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * base64url without padding (RFC 4648 §5), strict: one spelling for every string of bytes.
 * Time and memory access depend on the text; codes and identifiers are no secrets from the device that reads them.
 */
#ifndef SHALLOT_BASE64URL_H
#define SHALLOT_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

/* Writes ceil(size * 4 / 3) characters and a NUL. The count without the NUL, or SHALLOT_E_OUT_OF_SPACE. */
int base64url_write(char *out, size_t capacity, const uint8_t *bytes, size_t size);

/* Reads exactly size characters. Bytes written, SHALLOT_E_CODE_DAMAGED, or SHALLOT_E_OUT_OF_SPACE. `out` may be `text`. */
int base64url_read(uint8_t *out, size_t capacity, const char *text, size_t size);

#endif
