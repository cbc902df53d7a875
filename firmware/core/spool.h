// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sealed readings and receipts that wait in flash for a hub: a ring of blobs, one envelope each, oldest first.
 * In: entries of an outbox, while there is no link; out: the same envelopes, one at a time, until the hub has noted each as stored.
 * What stays true: after a power cut at any moment every entry that was put is there once, or was already stored; what is damaged is
 * passed over and counted; when the ring is full the oldest goes, and is counted. Absent on purpose: another copy in memory.
 */
#ifndef SHALLOT_SPOOL_H
#define SHALLOT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "outbox.h"

/* A reading of 16 values every few minutes: hours of them, 256 KiB of a flash file system at worst. */
#define SPOOL_SLOTS 64
/* What a room must hold: the largest envelope that is spooled, and its head. */
#define SPOOL_ROOM_BYTES 1024
#define SPOOL_TRIES_MAX 3

struct spool {
  const struct port *port;
  uint32_t first; /* serial of the oldest; serials rise for ever */
  uint32_t next;  /* of the one to be put next */
  uint32_t lost;  /* samples that were dropped or damaged, since somebody took the number */
  uint8_t tries;  /* of the oldest that a hub refused */
  bool in_flight; /* the oldest was sent and is not noted yet */
  uint32_t sequence;
  uint8_t epoch[SHALLOT_EPOCH_BYTES];
};

/* Finds what is there. `room`: SPOOL_ROOM_BYTES, as in every call. */
void spool_open(struct spool *spool, const struct port *port, uint8_t *room);

bool spool_is_empty(const struct spool *spool);

/* Moves the oldest entry of an outbox to flash. 0, SHALLOT_E_MISSING (it has none), or SHALLOT_E_PORT_STORAGE: then it stays there. */
int spool_put(struct spool *spool, struct outbox *outbox, uint8_t *room);

/* The next envelope, at the beginning of `room`: its size, or 0 when there is none or one is in flight. Now it is in flight. */
size_t spool_take(struct spool *spool, uint8_t *room);

/* The hub has everything of this epoch up to and including sequence: what was in flight may go. */
void spool_stored(struct spool *spool, const uint8_t epoch[SHALLOT_EPOCH_BYTES], uint64_t sequence);

/*
 * The link is gone: what was in flight is sent again, unless the hub said no to it SPOOL_TRIES_MAX times; then it is lost, because
 * nothing behind it would ever arrive. is_refused: the hub ended the link by a word of its own.
 */
void spool_rewind(struct spool *spool, bool is_refused, uint8_t *room);

/* Forgets everything: it was sealed for another home. */
void spool_clear(struct spool *spool);

#endif
