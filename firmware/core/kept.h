// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Blobs that must outlive a flipped bit: each is written twice, one copy after the other, with a sum behind it (core/crypto.h).
 * In and out: as port.h's blobs, whose place these take. Room for both is borrowed from the arena, as borrowed.h says.
 * What stays true: bytes that are not what was written are never handed out; a flipped bit or a torn write in one copy leaves the other;
 * after a power cut both are old, or the first is new; what was removed does not come back.
 * Absent on purpose: repair before the next write; what heals by itself, as a ticket or a place does, is not kept so.
 */
#ifndef SHALLOT_KEPT_H
#define SHALLOT_KEPT_H

#include "borrowed.h"

/* A name of these is shorter than a blob's by the letter that its second copy has. */
#define KEPT_NAME_CHARS_MAX (PORT_BLOB_NAME_CHARS_MAX - 1)

/* As blob_borrow. SHALLOT_E_PORT_STORAGE also when there are copies and none of them is sound. */
int kept_borrow(struct borrowed *borrowed, const struct port *port, const char *name, size_t capacity);

/* The same into room of one's own: a size, or a negative code. */
int kept_read(const struct port *port, const char *name, uint8_t *out, size_t capacity);

/* At most PORT_BLOB_BYTES_MAX - CRYPTO_SUM_BYTES bytes. 0 once both copies are safe, _PORT_STORAGE or _TLS_OUT_OF_MEMORY. */
int kept_write(const struct port *port, const char *name, const void *data, size_t size);

/* 0 also when there was none, or SHALLOT_E_PORT_STORAGE. */
int kept_remove(const struct port *port, const char *name);

#endif
