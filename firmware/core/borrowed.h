// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Stored blobs that are looked at for a moment. Their room is borrowed from the arena, which has more than enough of it whenever no
 * handshake is under way, so nothing is set aside for them.
 * What stays true: who borrows gives back before TLS is called again.
 */
#ifndef SHALLOT_BORROWED_H
#define SHALLOT_BORROWED_H

#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"

struct borrowed {
  uint8_t *bytes; /* NULL: there is nothing to give back */
  size_t size;
};

/* Reads a blob of at most `capacity` bytes. 0, SHALLOT_E_MISSING, _OUT_OF_SPACE, _PORT_STORAGE or _TLS_OUT_OF_MEMORY: nothing is borrowed then. */
int blob_borrow(struct borrowed *borrowed, const struct port *port, const char *name, size_t capacity);

void blob_give_back(struct borrowed *borrowed);

/* A name of a numbered blob: `text` and one digit, at most PORT_BLOB_NAME_CHARS_MAX characters. */
void blob_name(char out[PORT_BLOB_NAME_CHARS_MAX + 1], const char *text, unsigned digit);

#endif
