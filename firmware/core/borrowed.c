// SPDX-License-Identifier: GPL-3.0-or-later
#include "borrowed.h"

#include <string.h>

#include "arena.h"

int blob_borrow(struct borrowed *borrowed, const struct port *port, const char *name, size_t capacity) {
  borrowed->size = 0;
  borrowed->bytes = arena_alloc(capacity);
  if (borrowed->bytes == NULL) return SHALLOT_E_TLS_OUT_OF_MEMORY;
  int size = port->blob_read(name, borrowed->bytes, capacity);
  if (size < 0) blob_give_back(borrowed);
  else borrowed->size = (size_t)size;
  return size < 0 ? size : 0;
}

void blob_give_back(struct borrowed *borrowed) {
  arena_free(borrowed->bytes);
  borrowed->bytes = NULL;
}

void blob_name(char out[PORT_BLOB_NAME_CHARS_MAX + 1], const char *text, unsigned digit) {
  size_t size = strlen(text);
  memcpy(out, text, size);
  out[size] = (char)('0' + digit);
  out[size + 1] = '\0';
}
