// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The spool against power cuts at every write: a flash in memory, which stops working at a chosen operation, before it, after it or in
 * the middle; then everything begins again from what is in it. Prints `ok CLAIM` or `FAILED CLAIM`; the status is the number that failed.
 */
#include <string.h>

#include "../core/crypto.h"
#include "../core/line.h"
#include "../core/spool.h"

enum { BLOBS = SPOOL_SLOTS, BLOB_BYTES = 56, ENVELOPE_BYTES = 20, NO_CUT = 0x7fffffff };
enum cut { CUT_BEFORE, CUT_AFTER, CUT_TORN };

static const struct port *console;
static int failed;
static struct {
  uint8_t bytes[BLOBS][BLOB_BYTES];
  uint8_t size[BLOBS]; /* 0: there is none */
} flash;
static int operations_left;
static int reads_left; /* beyond these it looks for ever */
static enum cut cut;
static size_t torn_at; /* bytes of a torn write that came to be */
static uint8_t room[SPOOL_ROOM_BYTES];
static struct outbox outbox;
static struct spool spool;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

/* ---- a flash with an end ---- */

static int slot_of(const char *name) { return (name[6] - '0') * 10 + name[7] - '0'; }

/* 1: as it should be; 0: not at all; -1: half of it, where that means something. */
static int power(void) {
  if (operations_left < 0) return 0;
  if (operations_left-- > 0) return 1;
  return cut == CUT_AFTER ? 1 : cut == CUT_TORN ? -1 : 0;
}

static int blob_read(const char *name, uint8_t *out, size_t capacity) {
  if (reads_left-- <= 0) return SHALLOT_E_PORT_STORAGE;
  size_t size = flash.size[slot_of(name)];
  if (size == 0) return SHALLOT_E_MISSING;
  if (size > capacity) return SHALLOT_E_OUT_OF_SPACE;
  memcpy(out, flash.bytes[slot_of(name)], size);
  return (int)size;
}

static int blob_write(const char *name, const uint8_t *data, size_t size) {
  int slot = slot_of(name);
  int done = power();
  if (size > BLOB_BYTES || done == 0) return SHALLOT_E_PORT_STORAGE;
  if (done < 0 && torn_at < size) size = torn_at;
  memcpy(flash.bytes[slot], data, size);
  flash.size[slot] = (uint8_t)size;
  return operations_left < 0 ? SHALLOT_E_PORT_STORAGE : 0;
}

static int blob_remove(const char *name) {
  if (power() == 0) return SHALLOT_E_PORT_STORAGE;
  flash.size[slot_of(name)] = 0;
  return operations_left < 0 ? SHALLOT_E_PORT_STORAGE : 0;
}

static struct port port;

static void power_on(void) {
  operations_left = reads_left = NO_CUT;
  memset(&outbox, 0, sizeof outbox);
  spool_open(&spool, &port, room);
}

static void all_new(void) {
  memset(&flash, 0, sizeof flash);
  power_on();
}

/* ---- entries that are only a number ---- */

static const uint8_t epoch[SHALLOT_EPOCH_BYTES] = {7};

static int put(uint32_t number) {
  struct outbox_label label = {.sequence = number, .samples = 3};
  uint8_t *at = outbox_reserve(&outbox, ENVELOPE_BYTES);
  memcpy(label.epoch, epoch, sizeof label.epoch);
  memset(at, 0, ENVELOPE_BYTES);
  memcpy(at, &number, sizeof number);
  outbox_add(&outbox, &label, ENVELOPE_BYTES);
  return spool_put(&spool, &outbox, room);
}

/* The next number that would be sent, or 0. */
static uint32_t take(void) {
  uint32_t number = 0;
  if (spool_take(&spool, room) == ENVELOPE_BYTES) memcpy(&number, room, sizeof number);
  return number;
}

static void deliver(uint32_t number) { spool_stored(&spool, epoch, number); }

static void order_claims(void) {
  all_new();
  claim(take() == 0, "an empty spool gives nothing");
  for (uint32_t i = 1; i <= 5; i++) put(i);
  claim(outbox.used == 0, "what is spooled leaves the outbox");
  claim(take() == 1 && take() == 0, "one is in flight at a time");
  deliver(0);
  claim(take() == 0, "a note about less than it changes nothing");
  spool_stored(&spool, (const uint8_t[SHALLOT_EPOCH_BYTES]){8}, 100);
  claim(take() == 0, "nor one about another epoch");
  deliver(1);
  claim(take() == 2, "the next follows when it was stored");
  spool_rewind(&spool, false, room);
  claim(take() == 2, "what was in flight when the link was cut comes again");
  power_on();
  claim(take() == 2, "and after a restart too");
  for (int i = 0; i < SPOOL_TRIES_MAX; i++) {
    take();
    spool_rewind(&spool, true, room);
  }
  claim(take() == 3 && spool.lost == 3, "what the hub refuses three times is lost, and counted, and does not stop the rest");
  spool_clear(&spool);
  power_on();
  claim(spool_is_empty(&spool), "cleared, it is empty for good");
}

static void full_claims(void) {
  all_new();
  for (uint32_t i = 1; i <= SPOOL_SLOTS + 6; i++) put(i);
  claim(spool.lost == 6 * 3, "when the ring is full the oldest go, and their samples are counted");
  power_on();
  uint32_t expected = 7;
  for (uint32_t number; (number = take()) != 0; expected++) {
    if (number != expected) break;
    deliver(number);
  }
  claim(expected == SPOOL_SLOTS + 7, "the others come in order, across the seam of the ring");
}

static void damage_claims(void) {
  bool all = true;
  for (int at = 0; at < 40; at++) {
    all_new();
    for (uint32_t i = 1; i <= 3; i++) put(i);
    flash.bytes[1][at] ^= (uint8_t)(1 << at % 8);
    power_on();
    all = all && take() == 1;
    deliver(1);
    all = all && take() == 3 && spool.lost == 1;
  }
  claim(all, "one with any bit flipped is passed over and counted");
}

/* Another serial under a right sum. */
static void serial_forge(int slot, uint32_t serial) {
  memcpy(flash.bytes[slot] + CRYPTO_SUM_BYTES, &serial, sizeof serial);
  crypto_sum(flash.bytes[slot], flash.bytes[slot] + CRYPTO_SUM_BYTES, flash.size[slot] - CRYPTO_SUM_BYTES);
}

/* Whether all is over after a few looks, and `number` is the last that came. */
static bool comes_to_an_end(uint32_t number) {
  uint32_t came = 0;
  power_on();
  reads_left = 4 * SPOOL_SLOTS;
  for (uint32_t next; (next = take()) != 0; came = next) deliver(next);
  return came == number && spool_is_empty(&spool) && reads_left > 0 && spool.next <= 5 + SPOOL_SLOTS;
}

static void forged_claims(void) {
  all_new();
  for (uint32_t i = 1; i <= 3; i++) put(i);
  serial_forge(1, 5);
  claim(comes_to_an_end(3) && spool.lost == 1, "one that is not in its own slot is passed over and counted");
  all_new();
  for (uint32_t i = 1; i <= 3; i++) put(i);
  serial_forge(2, 2 + SPOOL_SLOTS);
  claim(comes_to_an_end(3) && spool.lost == 2 * 3, "of serials that no ring holds together the newest stay, and the others are counted");
  all_new();
  for (uint32_t i = 1; i <= SPOOL_SLOTS; i++) put(i);
  serial_forge(SPOOL_SLOTS - 1, UINT32_MAX);
  claim(comes_to_an_end(SPOOL_SLOTS - 1) && spool.lost == 1, "nobody has counted to the end");
}

/*
 * A life that is cut at its n-th write: puts 1 to 12, delivers 1 to 4 on the way. What must be there afterwards: all that were put
 * before the cut and not delivered before it, in order. What may be there: the one that was being put or removed in that moment.
 */
static bool life_is_survived(int cut_at) {
  uint32_t put_to = 0, delivered_to = 0;
  all_new();
  operations_left = cut_at;
  for (uint32_t i = 1; i <= 12; i++) {
    if (put(i) != 0) break;
    put_to = i;
    if (i % 3 != 0 || operations_left < 0) continue;
    deliver(take());
    if (operations_left < 0) break;
    delivered_to++;
  }
  power_on();
  uint32_t number = take(), expected = delivered_to + 1;
  if (number == delivered_to + 2) expected++; /* its removal was the last that happened */
  for (; number != 0; number = take()) {
    if (number != expected++) return false;
    deliver(number);
  }
  uint32_t came_to = expected - 1;
  return came_to == put_to || came_to == put_to + 1;
}

static void cut_claim(const char *how) {
  bool all = true;
  size_t last = cut == CUT_TORN ? BLOB_BYTES : 0;
  for (torn_at = 0; torn_at <= last && all; torn_at++) {
    for (int at = 0; at < 20 && all; at++) all = life_is_survived(at);
  }
  struct line line = {.size = 0};
  line_add(&line, "a power cut ");
  line_add(&line, how);
  line_add(&line, " any write loses nothing that was kept, and breaks no order");
  claim(all, line.text);
}

static void cut_claims(void) {
  static const char *const how[] = {"before", "after", "at each byte of"};
  for (cut = CUT_BEFORE; cut <= CUT_TORN; cut++) cut_claim(how[cut]);
}

int app_main(const struct port *from) {
  console = from;
  port = (struct port){.blob_read = blob_read, .blob_write = blob_write, .blob_remove = blob_remove};
  order_claims();
  full_claims();
  damage_claims();
  forged_claims();
  cut_claims();
  log_text(from, "end");
  return failed;
}
