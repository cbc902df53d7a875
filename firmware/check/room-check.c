// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What happens when room runs out: in the arena, among the signers that a gate remembers, among the uses that are counted on flash, which
 * here is memory of this program's own. Prints a line `ok CLAIM` or `FAILED CLAIM` for each; the status is the number that failed.
 */
#include <string.h>

#include "../core/arena.h"
#include "../core/gate.h"
#include "../core/grants.h"
#include "../core/kept.h"
#include "../core/line.h"
#include "../core/uses.h"

static const struct port *console;
static int failed;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

/* ---- the arena ---- */

static struct arena_stats stats_now(void) {
  struct arena_stats stats;
  arena_stats(&stats);
  return stats;
}

static void arena_claims(void) {
  uint8_t *first = arena_alloc(100);
  memset(first, 7, 100);
  uint8_t *second = arena_alloc(50);
  claim(arena_resize(first, 60) == first, "a block that shrinks stays");
  uint8_t *moved = arena_resize(first, 400);
  claim(moved != NULL && moved != first && moved[0] == 7 && moved[99] == 7, "one that grows takes its bytes along");
  claim(first[8] == 0 && first[90] == 0, "and leaves none behind");
  uint32_t failures = stats_now().failures;
  claim(arena_resize(moved, stats_now().size) == NULL && moved[99] == 7, "one that cannot grow is as it was");
  claim(stats_now().failures == failures + 1 && stats_now().largest_refused == stats_now().size, "and the refusal is counted");
  arena_free(moved);
  arena_peak_reset();
  claim(stats_now().peak == stats_now().live && stats_now().extent < stats_now().size, "the peak begins again at what is live");
  arena_free(second);
  arena_peak_reset();
  claim(stats_now().live == 0 && stats_now().extent == 0, "which may be nothing");
  claim(arena_resize(NULL, 10) != NULL, "nothing, resized, is a block");
}

/* ---- signers ---- */

static struct gate gate;

static struct gate_signer *seat(uint8_t name, bool *forgotten) {
  uint8_t key[SHALLOT_KEY_BYTES] = {name};
  return gate_seat(&gate, key, forgotten);
}

static void signers_claims(void) {
  bool forgotten = false;
  for (uint8_t name = 1; name <= GATE_SIGNERS_MAX; name++) {
    struct gate_signer *signer = seat(name, &forgotten);
    signer->grants = name == 3 || name == 5 ? 0 : 1;
    signer->sequences_count = name == 3;
  }
  claim(!forgotten && gate.signers_count == GATE_SIGNERS_MAX, "there is a seat for as many as there are seats");
  claim(seat(4, &forgotten) == &gate.signers[3] && !forgotten, "who has one keeps it");
  claim(seat(20, &forgotten) == &gate.signers[4] && !forgotten, "another takes that of one nobody needs and who has sealed nothing");
  gate.signers[4].grants = 1;
  claim(seat(21, &forgotten) == &gate.signers[2] && forgotten, "else of one nobody needs, and what was heard is forgotten");
  gate.signers[2].grants = 1;
  claim(seat(22, &forgotten) == NULL, "and of nobody who holds a grant");
  gate.signers[0].grants = 0;
  gate.signers[0].is_owner = true;
  claim(seat(22, &forgotten) == NULL, "or is an owner");
}

/* ---- uses ---- */

static uint8_t flash[PORT_BLOB_BYTES_MAX];
static int flash_size = SHALLOT_E_MISSING;

static int blob_read(const char *name, uint8_t *out, size_t capacity) {
  (void)name;
  if (flash_size > (int)capacity) return SHALLOT_E_OUT_OF_SPACE;
  if (flash_size > 0) memcpy(out, flash, (size_t)flash_size);
  return flash_size;
}

static int blob_write(const char *name, const uint8_t *data, size_t size) {
  (void)name;
  memcpy(flash, data, size);
  flash_size = (int)size;
  return 0;
}

static const struct port memory = {.blob_read = blob_read, .blob_write = blob_write};

static int use(uint8_t name, uint32_t expires_s, uint32_t now_s) {
  struct grant grant = {.uses = 2, .expires_s = expires_s};
  struct grant *links[] = {&grant};
  grant.id[0] = name;
  return uses_count(&memory, links, 1, now_s);
}

static void uses_claims(void) {
  uint8_t counted = 0;
  while (use((uint8_t)(counted + 1), 1000u + counted, 10) == 0) counted++;
  claim(counted >= 16, "the uses of many grants are counted");
  claim(use((uint8_t)(counted + 1), 5000, 10) == SHALLOT_E_GRANTS_FULL, "and of no more than there is room for");
  claim(use(1, 1000, 10) == 0 && use(1, 1000, 10) == SHALLOT_E_USES_SPENT, "those that are counted go on");
  claim(use((uint8_t)(counted + 1), 5000, 1001) == 0, "what has ended makes room");
  claim(use(1, 1000, 10) == SHALLOT_E_GRANT_EXPIRED, "and stays spent when the clock is set back");
  claim(use(3, 1002, 10) == 0 && use(3, 1002, 10) == SHALLOT_E_USES_SPENT, "what has not ended is still counted");
  flash[5] ^= 1; /* both copies: this flash has one place for both */
  claim(use(9, 5000, 10) == SHALLOT_E_PORT_STORAGE, "a count that is not what was written is no permission");
  flash_size = 1;
  claim(use(9, 5000, 10) == SHALLOT_E_PORT_STORAGE, "nor is one that cannot be read");
}

/* ---- what is kept twice ---- */

enum { COPIES = 2, COPY_BYTES = 16, OPERATIONS_MAX = 5 };

static struct {
  uint8_t bytes[COPIES][COPY_BYTES];
  int sizes[COPIES]; /* negative: there is none */
} copies;
static int operations_left; /* that the power still lasts for; of the last, half a write comes to be */

static int copy_of(const char *name) { return name[strlen(name) - 1] == 'b'; }

static int copy_read(const char *name, uint8_t *out, size_t capacity) {
  int size = copies.sizes[copy_of(name)];
  if (size > (int)capacity) return SHALLOT_E_OUT_OF_SPACE;
  if (size > 0) memcpy(out, copies.bytes[copy_of(name)], (size_t)size);
  return size;
}

/* Worse than the port's promise: a torn blob is half the new and half the old. */
static int copy_write(const char *name, const uint8_t *data, size_t size) {
  int copy = copy_of(name);
  if (size > COPY_BYTES || operations_left < 0) return SHALLOT_E_PORT_STORAGE;
  bool lasts = operations_left-- > 0;
  memcpy(copies.bytes[copy], data, lasts ? size : size / 2);
  if (lasts || copies.sizes[copy] < 0) copies.sizes[copy] = (int)(lasts ? size : size / 2);
  return lasts ? 0 : SHALLOT_E_PORT_STORAGE;
}

static int copy_remove(const char *name) {
  if (operations_left-- <= 0) return SHALLOT_E_PORT_STORAGE;
  copies.sizes[copy_of(name)] = SHALLOT_E_MISSING;
  return 0;
}

static const struct port pair = {.blob_read = copy_read, .blob_write = copy_write, .blob_remove = copy_remove};

/* What a restart finds: a text of 5 letters, or why there is none. */
static int found(char text[COPY_BYTES]) {
  memset(text, 0, COPY_BYTES);
  return kept_read(&pair, "name", (uint8_t *)text, COPY_BYTES);
}

static bool finds(const char *text) {
  char held[COPY_BYTES];
  return found(held) == 5 && strcmp(held, text) == 0;
}

static void pair_set(const char *text) {
  operations_left = OPERATIONS_MAX;
  kept_write(&pair, "name", text, 5);
}

static void kept_claims(void) {
  char held[COPY_BYTES];
  copies.sizes[0] = copies.sizes[1] = SHALLOT_E_MISSING;
  claim(found(held) == SHALLOT_E_MISSING, "what was never written is not there");
  operations_left = 0;
  kept_write(&pair, "name", "first", 5);
  claim(found(held) == SHALLOT_E_PORT_STORAGE, "a first write that is torn is damage, not nothing");
  bool flips = true;
  for (int bit = 0; bit < COPIES * 9 * 8; bit++) {
    pair_set("first");
    copies.bytes[bit / 72][bit % 72 / 8] ^= (uint8_t)(1 << bit % 8);
    flips = flips && finds("first");
  }
  claim(flips, "any flipped bit in either copy changes nothing");
  pair_set("first");
  copies.sizes[0] = 3;
  claim(finds("first"), "nor does a copy that was cut short");
  copies.bytes[1][0] ^= 1;
  claim(found(held) == SHALLOT_E_PORT_STORAGE, "of two damaged copies neither is handed out");
  bool cuts = true;
  for (int at = 0; at < COPIES; at++) {
    pair_set("first");
    operations_left = at;
    bool fails = kept_write(&pair, "name", "later", 5) != 0;
    cuts = cuts && fails && finds(at == 0 ? "first" : "later");
  }
  claim(cuts, "a power cut in a write leaves the old or the new");
  pair_set("first");
  operations_left = 1;
  claim(kept_remove(&pair, "name") != 0 && finds("first"), "one in a removal leaves all");
  operations_left = OPERATIONS_MAX;
  claim(kept_remove(&pair, "name") == 0 && found(held) == SHALLOT_E_MISSING, "and what is removed is gone");
  pair_set("first");
  copies.sizes[1] = SHALLOT_E_MISSING;
  claim(finds("first"), "one copy is enough");
  uint8_t small[4];
  claim(kept_read(&pair, "name", small, sizeof small) == SHALLOT_E_PORT_STORAGE, "what is larger than its room is not handed out");
}

int app_main(const struct port *port) {
  console = port;
  arena_claims();
  signers_claims();
  uses_claims();
  kept_claims();
  log_text(port, "end");
  return failed;
}
