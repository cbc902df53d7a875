// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What happens when room runs out: in the arena, among the signers that a gate remembers, among the uses that are counted on flash, which
 * here is memory of this program's own. Prints a line `ok CLAIM` or `FAILED CLAIM` for each; the status is the number that failed.
 */
#include <string.h>

#include "../core/arena.h"
#include "../core/gate.h"
#include "../core/grants.h"
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
  flash_size = 1;
  claim(use(9, 5000, 10) == SHALLOT_E_PORT_STORAGE, "a count that cannot be read is no permission");
}

int app_main(const struct port *port) {
  console = port;
  arena_claims();
  signers_claims();
  uses_claims();
  log_text(port, "end");
  return failed;
}
