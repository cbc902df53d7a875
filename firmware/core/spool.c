// SPDX-License-Identifier: GPL-3.0-or-later
#include "spool.h"

#include <string.h>

#include "crypto.h"

enum { DECIMAL = 10 };

/* In front of the envelope. The sum is of all that follows it. */
struct spool_head {
  uint8_t sum[CRYPTO_SUM_BYTES];
  uint32_t serial;
  struct outbox_label label;
};

enum { HEAD_BYTES = sizeof(struct spool_head), ENVELOPE_BYTES_MAX = SPOOL_ROOM_BYTES - HEAD_BYTES };

static const char *slot_name(char name[9], uint32_t serial) {
  uint32_t slot = serial % SPOOL_SLOTS;
  memcpy(name, "spool-00", 9);
  name[6] = (char)('0' + slot / DECIMAL);
  name[7] = (char)('0' + slot % DECIMAL);
  return name;
}

/* What lies in another's slot was not put there, nor has anybody counted to the end. */
static bool is_own_slot(uint32_t serial, uint32_t found) { return found % SPOOL_SLOTS == serial % SPOOL_SLOTS && found != UINT32_MAX; }

/* The envelope's size, or SHALLOT_E_MISSING, or SHALLOT_E_PORT_STORAGE for one that is damaged. */
static int slot_read(const struct spool *spool, uint32_t serial, struct spool_head *head, uint8_t *room) {
  char name[9];
  int size = spool->port->blob_read(slot_name(name, serial), room, SPOOL_ROOM_BYTES);
  if (size == SHALLOT_E_MISSING) return size;
  if (size <= HEAD_BYTES || !crypto_sum_fits(room, room + CRYPTO_SUM_BYTES, (size_t)size - CRYPTO_SUM_BYTES)) return SHALLOT_E_PORT_STORAGE;
  memcpy(head, room, sizeof *head);
  return is_own_slot(serial, head->serial) ? size - HEAD_BYTES : SHALLOT_E_PORT_STORAGE;
}

static void slot_drop(const struct spool *spool, uint32_t serial) {
  char name[9];
  spool->port->blob_remove(slot_name(name, serial));
}

static void slot_lose(struct spool *spool, uint32_t slot, uint32_t samples) {
  slot_drop(spool, slot);
  spool->lost += samples;
}

/* Counts on from what is there. */
static void slots_find(struct spool *spool, uint8_t *room) {
  struct spool_head head;
  bool is_any = false;
  for (uint32_t slot = 0; slot < SPOOL_SLOTS; slot++) {
    int size = slot_read(spool, slot, &head, room);
    if (size == SHALLOT_E_PORT_STORAGE) slot_lose(spool, slot, 1);
    if (size < 0) continue;
    if (!is_any || head.serial < spool->first) spool->first = head.serial;
    if (!is_any || head.serial >= spool->next) spool->next = head.serial + 1;
    is_any = true;
  }
}

/* Of serials that no ring can hold together those before the newest go: between them there would be nothing for ever. */
static void slots_sort_out(struct spool *spool, uint8_t *room) {
  struct spool_head head;
  for (uint32_t slot = 0; slot < SPOOL_SLOTS; slot++) {
    int size = slot_read(spool, slot, &head, room);
    if (size > 0 && spool->next - head.serial > SPOOL_SLOTS) slot_lose(spool, slot, head.label.samples);
  }
  spool->first = spool->next - SPOOL_SLOTS;
}

void spool_open(struct spool *spool, const struct port *port, uint8_t *room) {
  *spool = (struct spool){.port = port};
  slots_find(spool, room);
  if (spool->next - spool->first > SPOOL_SLOTS) slots_sort_out(spool, room);
}

bool spool_is_empty(const struct spool *spool) { return spool->first == spool->next; }

static void first_drop(struct spool *spool) {
  slot_drop(spool, spool->first);
  spool->first++;
  spool->tries = 0;
  spool->in_flight = false;
}

/* One that is not readable any more counts as one sample: nobody knows how many it had. */
static void first_lose(struct spool *spool, uint8_t *room) {
  struct spool_head head;
  int size = slot_read(spool, spool->first, &head, room);
  if (size != SHALLOT_E_MISSING) spool->lost += size < 0 ? 1u : head.label.samples;
  first_drop(spool);
}

int spool_put(struct spool *spool, struct outbox *outbox, uint8_t *room) {
  struct spool_head head = {.serial = spool->next};
  char name[9];
  const uint8_t *envelope;
  size_t size = outbox_oldest(outbox, &head.label, &envelope);
  if (size == 0) return SHALLOT_E_MISSING;
  if (spool->next - spool->first == SPOOL_SLOTS) first_lose(spool, room);
  if (size > ENVELOPE_BYTES_MAX) return SHALLOT_E_PORT_STORAGE;
  memcpy(room + HEAD_BYTES, envelope, size);
  memcpy(room, &head, HEAD_BYTES);
  int fault = crypto_sum(room, room + CRYPTO_SUM_BYTES, HEAD_BYTES - CRYPTO_SUM_BYTES + size);
  if (fault == 0) fault = spool->port->blob_write(slot_name(name, spool->next), room, HEAD_BYTES + size);
  if (fault) return SHALLOT_E_PORT_STORAGE;
  spool->next++;
  outbox_oldest_drop(outbox);
  return 0;
}

size_t spool_take(struct spool *spool, uint8_t *room) {
  struct spool_head head;
  while (!spool_is_empty(spool) && !spool->in_flight) {
    int size = slot_read(spool, spool->first, &head, room);
    if (size > 0 && head.serial == spool->first) {
      memmove(room, room + HEAD_BYTES, (size_t)size);
      memcpy(spool->epoch, head.label.epoch, sizeof spool->epoch);
      spool->sequence = head.label.sequence;
      spool->in_flight = true;
      return (size_t)size;
    }
    if (size == SHALLOT_E_PORT_STORAGE) spool->lost++;
    first_drop(spool);
  }
  return 0;
}

void spool_stored(struct spool *spool, const uint8_t epoch[SHALLOT_EPOCH_BYTES], uint64_t sequence) {
  bool is_it = spool->in_flight && spool->sequence <= sequence && memcmp(spool->epoch, epoch, SHALLOT_EPOCH_BYTES) == 0;
  if (is_it) first_drop(spool);
}

void spool_rewind(struct spool *spool, bool is_refused, uint8_t *room) {
  if (spool->in_flight && is_refused && ++spool->tries == SPOOL_TRIES_MAX) first_lose(spool, room);
  spool->in_flight = false;
}

void spool_clear(struct spool *spool) {
  for (uint32_t slot = 0; slot < SPOOL_SLOTS; slot++) slot_drop(spool, slot);
  *spool = (struct spool){.port = spool->port};
}
