// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sealed readings and receipts in the order they were made, kept until the hub has them on disk (SPEC 6.4).
 * In: sealed envelopes, written in place; out: whole frames, and how many samples were lost for want of room.
 * What stays true: an entry is one run of bytes, its frame length included, so sending copies nothing; when room is short the oldest
 * reading goes first, a receipt only when no reading is left. Absent on purpose: flash (spool.h).
 */
#ifndef SHALLOT_OUTBOX_H
#define SHALLOT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../schemas/gen/c/shallot_wire.h"

#define OUTBOX_BYTES 1472

struct outbox {
  uint8_t bytes[OUTBOX_BYTES];
  size_t used;
  size_t sent_to; /* entries before this one went out on the present connection */
  uint32_t lost;  /* samples dropped since it was last set to 0 */
};

struct outbox_label {
  uint8_t epoch[SHALLOT_EPOCH_BYTES];
  uint32_t sequence;
  uint8_t samples;
  bool is_receipt;
};

/*
 * Room for one envelope of at most size bytes, ENVELOPE_HEADROOM before it included in the entry; drops older entries as needed.
 * Valid until the next call. NULL: larger than the whole outbox.
 */
uint8_t *outbox_reserve(struct outbox *outbox, size_t size);

/* Keeps what was written at the reserved place. */
void outbox_add(struct outbox *outbox, const struct outbox_label *label, size_t envelope_size);

/* The next frame that has not gone out on this connection, length included; its size or 0. Counts as gone out from here on. */
size_t outbox_next(struct outbox *outbox, const uint8_t **frame);

/* The oldest entry's envelope: its size, or 0 when there is none. Valid until the next call. */
size_t outbox_oldest(const struct outbox *outbox, struct outbox_label *label, const uint8_t **envelope);
void outbox_oldest_drop(struct outbox *outbox);

/* A new connection: everything is to be sent again. */
void outbox_rewind(struct outbox *outbox);

/* The hub has everything of this epoch up to and including sequence. */
void outbox_stored(struct outbox *outbox, const uint8_t epoch[SHALLOT_EPOCH_BYTES], uint64_t sequence);

#endif
