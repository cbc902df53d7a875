// SPDX-License-Identifier: GPL-3.0-or-later
#include "arena.h"

#include <string.h>

#include "crypto.h"

/* What one connection and one verification need together; scripts/firmware.ts size shows how much was used. */
#ifndef ARENA_BYTES
#define ARENA_BYTES 8192
#endif

#if defined(__LP64__)
#define ALIGNMENT 16u
/* Pointers are twice as long here, and so is what the library asks for. */
#define CAPACITY (4u * ARENA_BYTES)
#else
#define ALIGNMENT 4u
#define CAPACITY ((uint32_t)ARENA_BYTES)
#endif
#define HEADER ALIGNMENT
#define SMALLEST (2u * HEADER)

/* Each block starts with its size in bytes, header included; the lowest bit, never part of a size, says "in use". */
#define IN_USE 1u

static union {
  uint8_t bytes[CAPACITY];
  uint64_t alignment[2];
} arena __attribute__((aligned(ALIGNMENT)));
static struct arena_stats counts;

static uint32_t *header_at(uint32_t at) { return (uint32_t *)(void *)(arena.bytes + at); }

static uint32_t size_at(uint32_t at) { return *header_at(at) & ~IN_USE; }

static int used_at(uint32_t at) { return (*header_at(at) & IN_USE) != 0; }

static uint32_t position_of(const void *block) { return (uint32_t)((const uint8_t *)block - arena.bytes) - HEADER; }

static void prepare(void) {
  if (counts.size != 0) return;
  counts.size = CAPACITY;
  *header_at(0) = CAPACITY;
}

/* Joins the free block at this position with the free ones behind it. */
static void join_free(uint32_t at) {
  for (;;) {
    uint32_t next = at + size_at(at);
    if (next >= CAPACITY || used_at(next)) return;
    *header_at(at) = size_at(at) + size_at(next);
  }
}

static void count_in(uint32_t at) {
  counts.live += size_at(at);
  if (counts.live > counts.peak) counts.peak = counts.live;
  if (at + size_at(at) > counts.extent) counts.extent = at + size_at(at);
}

static void *take(uint32_t at, uint32_t size) {
  uint32_t rest = size_at(at) - size;
  if (rest >= SMALLEST) {
    *header_at(at + size) = rest;
    *header_at(at) = size;
  }
  count_in(at);
  *header_at(at) |= IN_USE;
  return arena.bytes + at + HEADER;
}

static void *refuse(size_t size) {
  counts.failures++;
  if (size > counts.largest_refused) counts.largest_refused = (uint32_t)size;
  return NULL;
}

void *arena_alloc(size_t size) {
  prepare();
  if (size > CAPACITY - HEADER) return refuse(size);
  uint32_t wanted = ((uint32_t)size + HEADER + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  if (wanted < SMALLEST) wanted = SMALLEST;
  for (uint32_t at = 0; at < CAPACITY; at += size_at(at)) {
    if (used_at(at)) continue;
    join_free(at);
    if (size_at(at) >= wanted) return take(at, wanted);
  }
  return refuse(size);
}

void arena_free(void *block) {
  if (block == NULL) return;
  uint32_t at = position_of(block);
  *header_at(at) &= ~IN_USE;
  counts.live -= size_at(at);
  crypto_wipe(block, size_at(at) - HEADER);
}

void *arena_resize(void *block, size_t size) {
  if (block == NULL) return arena_alloc(size);
  size_t old = size_at(position_of(block)) - HEADER;
  if (old >= size) return block;
  void *moved = arena_alloc(size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, old);
  arena_free(block);
  return moved;
}

void arena_stats(struct arena_stats *stats) {
  prepare();
  *stats = counts;
}

void arena_peak_reset(void) {
  counts.peak = counts.live;
  counts.extent = 0;
  for (uint32_t at = 0; counts.size != 0 && at < CAPACITY; at += size_at(at))
    if (used_at(at)) counts.extent = at + size_at(at);
}
