// SPDX-License-Identifier: GPL-3.0-or-later
#include "outbox.h"

#include <string.h>

#include "envelope.h"

/* An entry: this, the frame's two bytes of length, the envelope, and bytes that bring the next entry to a multiple of four. */
struct entry {
  struct outbox_label label;
  uint16_t envelope_size;
};

enum { BEFORE_ENVELOPE = sizeof(struct entry) + SHALLOT_FRAME_HEADER_BYTES };

/* Sealing writes in front of the envelope; there it may only meet what outbox_add writes afterwards. */
typedef char entry_gives_headroom[BEFORE_ENVELOPE >= ENVELOPE_HEADROOM ? 1 : -1];

static struct entry entry_at(const struct outbox *outbox, size_t at) {
  struct entry entry;
  memcpy(&entry, outbox->bytes + at, sizeof entry);
  return entry;
}

static size_t entry_size(size_t envelope_size) { return (BEFORE_ENVELOPE + envelope_size + 3) & ~(size_t)3; }

static void entry_remove(struct outbox *outbox, size_t at) {
  size_t size = entry_size(entry_at(outbox, at).envelope_size);
  memmove(outbox->bytes + at, outbox->bytes + at + size, outbox->used - at - size);
  outbox->used -= size;
  if (outbox->sent_to > at) outbox->sent_to -= size;
}

static size_t reading_oldest(const struct outbox *outbox) {
  size_t at = 0;
  while (at < outbox->used) {
    struct entry entry = entry_at(outbox, at);
    if (!entry.label.is_receipt) return at;
    at += entry_size(entry.envelope_size);
  }
  return 0;
}

uint8_t *outbox_reserve(struct outbox *outbox, size_t size) {
  size_t needed = entry_size(size);
  if (needed > OUTBOX_BYTES) return NULL;
  while (OUTBOX_BYTES - outbox->used < needed) {
    size_t at = reading_oldest(outbox);
    outbox->lost += entry_at(outbox, at).label.samples;
    entry_remove(outbox, at);
  }
  return outbox->bytes + outbox->used + BEFORE_ENVELOPE;
}

void outbox_add(struct outbox *outbox, const struct outbox_label *label, size_t envelope_size) {
  uint8_t *at = outbox->bytes + outbox->used;
  struct entry entry;
  memset(&entry, 0, sizeof entry);
  entry.label = *label;
  entry.envelope_size = (uint16_t)envelope_size;
  memcpy(at, &entry, sizeof entry);
  at[sizeof entry] = (uint8_t)(envelope_size >> 8);
  at[sizeof entry + 1] = (uint8_t)envelope_size;
  outbox->used += entry_size(envelope_size);
}

size_t outbox_next(struct outbox *outbox, const uint8_t **frame) {
  if (outbox->sent_to >= outbox->used) return 0;
  struct entry entry = entry_at(outbox, outbox->sent_to);
  *frame = outbox->bytes + outbox->sent_to + sizeof entry;
  outbox->sent_to += entry_size(entry.envelope_size);
  return SHALLOT_FRAME_HEADER_BYTES + (size_t)entry.envelope_size;
}

size_t outbox_oldest(const struct outbox *outbox, struct outbox_label *label, const uint8_t **envelope) {
  if (outbox->used == 0) return 0;
  struct entry entry = entry_at(outbox, 0);
  *label = entry.label;
  *envelope = outbox->bytes + BEFORE_ENVELOPE;
  return entry.envelope_size;
}

void outbox_oldest_drop(struct outbox *outbox) { entry_remove(outbox, 0); }

void outbox_rewind(struct outbox *outbox) { outbox->sent_to = 0; }

void outbox_stored(struct outbox *outbox, const uint8_t epoch[SHALLOT_EPOCH_BYTES], uint64_t sequence) {
  size_t at = 0;
  while (at < outbox->used) {
    struct entry entry = entry_at(outbox, at);
    bool same_epoch = memcmp(entry.label.epoch, epoch, SHALLOT_EPOCH_BYTES) == 0;
    if (same_epoch && entry.label.sequence <= sequence) entry_remove(outbox, at);
    else at += entry_size(entry.envelope_size);
  }
}
