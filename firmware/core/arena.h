// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The only heap of the firmware: fixed blocks, first fit, for wolfSSL and nobody else. One is the link's; a board with a door to the LAN
 * (core/door.h) has a second, so that whoever stands before the door can use that one up and nothing else.
 *
 * What stays true: memory that was freed is wiped; a request that does not fit is counted before NULL is returned, so
 * that "out of memory" can be told from the errors that libraries make of it. Not thread-safe, on purpose.
 */
#ifndef SHALLOT_ARENA_H
#define SHALLOT_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_stats {
  uint32_t size;            /* bytes, headers included */
  uint32_t live;            /* bytes in use now, headers included */
  uint32_t peak;            /* the most bytes in use since the start or arena_peak_reset() */
  uint32_t extent;          /* the end of the highest block since then: what a smaller arena would have needed */
  uint32_t failures;        /* requests that did not fit, since the start */
  uint32_t largest_refused; /* bytes of the largest such request */
};

enum arena_owner { ARENA_LINK, ARENA_DOOR };

/* A build without a door has no block for one: then it is the link's. From here on memory comes from this owner's block, and stats and peaks are its; what is freed goes back where it came from. Returns whose it was. */
enum arena_owner arena_use(enum arena_owner owner);

/* 4-byte aligned (16 on 64-bit hosts), not zeroed; NULL when nothing fits. */
void *arena_alloc(size_t size);
/* block comes from arena_alloc or arena_resize, or is NULL. Its contents are wiped. */
void arena_free(void *block);
/* As realloc: keeps the contents, may move; on NULL the old block is still there. */
void *arena_resize(void *block, size_t size);

void arena_stats(struct arena_stats *stats);
/* peak and extent start again from what is live now. */
void arena_peak_reset(void);

#endif
