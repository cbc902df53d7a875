// SPDX-License-Identifier: GPL-3.0-or-later
#include "uses.h"

#include <stdbool.h>
#include <string.h>

#include "arena.h"
#include "grants.h"
#include "kept.h"

enum { COUNTED_MAX = 24, LAYOUT = 1 };

static const char USES_BLOB[] = "uses";

struct count {
  uint8_t id[SHALLOT_GRANT_ID_BYTES];
  uint32_t until_s;
  uint32_t count;
};

struct counts {
  uint32_t layout;
  uint32_t latest_s;
  uint32_t dropped_until_s; /* counts of grants that ended by then may be gone */
  uint32_t used;
  struct count list[COUNTED_MAX];
};

static size_t counts_size(const struct counts *counts) { return offsetof(struct counts, list) + counts->used * sizeof(struct count); }

/* What is on flash, in room from the arena. A blob that is there and cannot be understood is no permission to begin at 0. */
static int counts_load(struct counts **loaded, const struct port *port) {
  struct counts *counts = arena_alloc(sizeof *counts);
  *loaded = counts;
  if (counts == NULL) return SHALLOT_E_TLS_OUT_OF_MEMORY;
  memset(counts, 0, sizeof *counts);
  int size = kept_read(port, USES_BLOB, (uint8_t *)counts, sizeof *counts);
  if (size == SHALLOT_E_MISSING) {
    counts->layout = LAYOUT;
    return 0;
  }
  bool is_sound = size >= (int)offsetof(struct counts, list) && counts->layout == LAYOUT && counts->used <= COUNTED_MAX &&
                  (size_t)size == counts_size(counts);
  return is_sound ? 0 : SHALLOT_E_PORT_STORAGE;
}

static struct count *count_find(struct counts *counts, const uint8_t *id) {
  for (uint32_t i = 0; i < counts->used; i++) {
    if (memcmp(counts->list[i].id, id, SHALLOT_GRANT_ID_BYTES) == 0) return &counts->list[i];
  }
  return NULL;
}

static int count_check(struct counts *counts, const struct grant *link) {
  const struct count *count = count_find(counts, link->id);
  if (link->expires_s <= counts->dropped_until_s) return SHALLOT_E_GRANT_EXPIRED;
  return count == NULL || count->count < link->uses ? 0 : SHALLOT_E_USES_SPENT;
}

int uses_check(const struct port *port, const struct grant *link) {
  struct counts *counts;
  int code = counts_load(&counts, port);
  if (code == 0) code = count_check(counts, link);
  arena_free(counts);
  return code;
}

static void counts_expire(struct counts *counts, uint32_t now_s) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < counts->used; i++) {
    uint32_t until_s = counts->list[i].until_s;
    if (until_s > now_s) counts->list[kept++] = counts->list[i];
    else if (until_s > counts->dropped_until_s) counts->dropped_until_s = until_s;
  }
  counts->used = kept;
}

static int use_add(struct counts *counts, const struct grant *link, uint32_t now_s) {
  int code = count_check(counts, link);
  if (code) return code;
  struct count *count = count_find(counts, link->id);
  if (count == NULL) {
    if (counts->used == COUNTED_MAX) counts_expire(counts, now_s);
    if (counts->used == COUNTED_MAX) return SHALLOT_E_GRANTS_FULL;
    count = &counts->list[counts->used++];
    memset(count, 0, sizeof *count);
    memcpy(count->id, link->id, sizeof count->id);
  }
  if (link->expires_s > count->until_s) count->until_s = link->expires_s;
  count->count++;
  return 0;
}

int uses_count(const struct port *port, struct grant *const *links, size_t links_count, uint32_t now_s) {
  struct counts *counts;
  bool is_counted = false;
  int code = counts_load(&counts, port);
  for (size_t i = 0; code == 0 && i < links_count; i++) {
    if (links[i]->uses == 0) continue;
    code = use_add(counts, links[i], now_s);
    is_counted = true;
  }
  if (code == 0 && is_counted) {
    if (now_s > counts->latest_s) counts->latest_s = now_s;
    code = kept_write(port, USES_BLOB, counts, counts_size(counts));
  }
  arena_free(counts);
  return code;
}

uint32_t uses_latest_s(const struct port *port) {
  struct counts *counts;
  uint32_t latest_s = counts_load(&counts, port) == 0 ? counts->latest_s : 0;
  arena_free(counts);
  return latest_s;
}

void uses_forget(const struct port *port) { kept_remove(port, USES_BLOB); }
