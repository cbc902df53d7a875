// SPDX-License-Identifier: GPL-3.0-or-later
#include "kept.h"

#include <stdbool.h>
#include <string.h>

#include "arena.h"
#include "crypto.h"

enum { COPIES = 2 };

static void copy_name(char out[PORT_BLOB_NAME_CHARS_MAX + 1], const char *name, int copy) {
  size_t size = strlen(name);
  memcpy(out, name, size);
  if (copy > 0) out[size++] = 'b';
  out[size] = '\0';
}

static bool is_sound(const struct borrowed *copy) {
  if (copy->size < CRYPTO_SUM_BYTES) return false;
  size_t size = copy->size - CRYPTO_SUM_BYTES;
  return crypto_sum_fits(copy->bytes + size, copy->bytes, size);
}

int kept_borrow(struct borrowed *borrowed, const struct port *port, const char *name, size_t capacity) {
  char own[PORT_BLOB_NAME_CHARS_MAX + 1];
  int outcome = SHALLOT_E_MISSING;
  for (int copy = 0; copy < COPIES; copy++) {
    copy_name(own, name, copy);
    int fault = blob_borrow(borrowed, port, own, capacity + CRYPTO_SUM_BYTES);
    if (fault == 0 && is_sound(borrowed)) {
      borrowed->size -= CRYPTO_SUM_BYTES;
      return 0;
    }
    if (fault == 0) blob_give_back(borrowed);
    if (fault != SHALLOT_E_MISSING) outcome = fault == SHALLOT_E_TLS_OUT_OF_MEMORY ? fault : SHALLOT_E_PORT_STORAGE;
  }
  return outcome;
}

int kept_read(const struct port *port, const char *name, uint8_t *out, size_t capacity) {
  struct borrowed borrowed;
  int fault = kept_borrow(&borrowed, port, name, capacity);
  if (fault) return fault;
  memcpy(out, borrowed.bytes, borrowed.size);
  blob_give_back(&borrowed);
  return (int)borrowed.size;
}

int kept_write(const struct port *port, const char *name, const void *data, size_t size) {
  char own[PORT_BLOB_NAME_CHARS_MAX + 1];
  uint8_t *room = arena_alloc(size + CRYPTO_SUM_BYTES);
  if (room == NULL) return SHALLOT_E_TLS_OUT_OF_MEMORY;
  memcpy(room, data, size);
  int fault = crypto_sum(room + size, room, size);
  for (int copy = 0; copy < COPIES && fault == 0; copy++) {
    copy_name(own, name, copy);
    fault = port->blob_write(own, room, size + CRYPTO_SUM_BYTES);
  }
  arena_free(room);
  return fault;
}

/* The second first: alone it would be what was removed. */
int kept_remove(const struct port *port, const char *name) {
  char own[PORT_BLOB_NAME_CHARS_MAX + 1];
  int fault = 0;
  for (int copy = COPIES - 1; copy >= 0 && fault == 0; copy--) {
    copy_name(own, name, copy);
    fault = port->blob_remove(own);
  }
  return fault;
}
