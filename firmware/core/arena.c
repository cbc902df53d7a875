// SPDX-License-Identifier: GPL-3.0-or-later
#include "arena.h"

#include <string.h>

#include "crypto.h"

/* What one connection and one verification need together; scripts/firmware.ts size shows how much was used. */
#ifndef ARENA_BYTES
#ifdef SHALLOT_DIRECT
#define ARENA_BYTES 9216 /* the library's structures are larger where it is a server too */
#else
#define ARENA_BYTES 8192
#endif
#endif
/* What two who stand before the door need together, one of them in its handshake with the longest hello that a browser sends. */
#ifndef DOOR_ARENA_BYTES
#define DOOR_ARENA_BYTES 16384
#endif

#if defined(__LP64__)
#define ALIGNMENT 16u
/* Pointers are twice as long here, and so is what the library asks for. */
#define CAPACITY (4u * ARENA_BYTES)
#define DOOR_CAPACITY (4u * DOOR_ARENA_BYTES)
#else
#define ALIGNMENT 4u
#define CAPACITY ((uint32_t)ARENA_BYTES)
#define DOOR_CAPACITY ((uint32_t)DOOR_ARENA_BYTES)
#endif
#define HEADER ALIGNMENT
#define SMALLEST (2u * HEADER)

/* Each block starts with its size in bytes, header included; the lowest bit, never part of a size, says "in use". */
#define IN_USE 1u

struct block {
  uint8_t *bytes;
  uint32_t capacity;
  struct arena_stats counts;
};

static union {
  uint8_t bytes[CAPACITY];
  uint64_t alignment[2];
} link_room __attribute__((aligned(ALIGNMENT)));

#ifdef SHALLOT_DIRECT
static union {
  uint8_t bytes[DOOR_CAPACITY];
  uint64_t alignment[2];
} door_room __attribute__((aligned(ALIGNMENT)));
static struct block blocks[] = {{.bytes = link_room.bytes, .capacity = CAPACITY}, {.bytes = door_room.bytes, .capacity = DOOR_CAPACITY}};
#else
static struct block blocks[] = {{.bytes = link_room.bytes, .capacity = CAPACITY}};
#endif

enum { BLOCKS = sizeof blocks / sizeof blocks[0] };

/* Whose memory is asked for now. */
static struct block *block = blocks;

enum arena_owner arena_use(enum arena_owner owner) {
  enum arena_owner before = (enum arena_owner)(block - blocks);
  if ((size_t)owner < BLOCKS) block = &blocks[owner];
  return before;
}

/* Where this memory lies. */
static struct block *block_of(const void *memory) {
  struct block *found = blocks;
  for (size_t i = 1; i < BLOCKS; i++) {
    if ((uintptr_t)memory - (uintptr_t)blocks[i].bytes < blocks[i].capacity) found = &blocks[i];
  }
  return found;
}

static uint32_t *header_at(const struct block *in, uint32_t at) { return (uint32_t *)(void *)(in->bytes + at); }

static uint32_t size_at(const struct block *in, uint32_t at) { return *header_at(in, at) & ~IN_USE; }

static int used_at(const struct block *in, uint32_t at) { return (*header_at(in, at) & IN_USE) != 0; }

static uint32_t position_of(const struct block *in, const void *memory) { return (uint32_t)((const uint8_t *)memory - in->bytes) - HEADER; }

static void prepare(void) {
  if (block->counts.size != 0) return;
  block->counts.size = block->capacity;
  *header_at(block, 0) = block->capacity;
}

/* Joins the free piece at this position with the free ones behind it. */
static void join_free(uint32_t at) {
  for (;;) {
    uint32_t next = at + size_at(block, at);
    if (next >= block->capacity || used_at(block, next)) return;
    *header_at(block, at) = size_at(block, at) + size_at(block, next);
  }
}

static void count_in(uint32_t at) {
  struct arena_stats *counts = &block->counts;
  counts->live += size_at(block, at);
  if (counts->live > counts->peak) counts->peak = counts->live;
  if (at + size_at(block, at) > counts->extent) counts->extent = at + size_at(block, at);
}

static void *take(uint32_t at, uint32_t size) {
  uint32_t rest = size_at(block, at) - size;
  if (rest >= SMALLEST) {
    *header_at(block, at + size) = rest;
    *header_at(block, at) = size;
  }
  count_in(at);
  *header_at(block, at) |= IN_USE;
  return block->bytes + at + HEADER;
}

static void *refuse(size_t size) {
  block->counts.failures++;
  if (size > block->counts.largest_refused) block->counts.largest_refused = (uint32_t)size;
  return NULL;
}

void *arena_alloc(size_t size) {
  prepare();
  if (size > block->capacity - HEADER) return refuse(size);
  uint32_t wanted = ((uint32_t)size + HEADER + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  if (wanted < SMALLEST) wanted = SMALLEST;
  for (uint32_t at = 0; at < block->capacity; at += size_at(block, at)) {
    if (used_at(block, at)) continue;
    join_free(at);
    if (size_at(block, at) >= wanted) return take(at, wanted);
  }
  return refuse(size);
}

void arena_free(void *memory) {
  if (memory == NULL) return;
  struct block *in = block_of(memory);
  uint32_t at = position_of(in, memory);
  *header_at(in, at) &= ~IN_USE;
  in->counts.live -= size_at(in, at);
  crypto_wipe(memory, size_at(in, at) - HEADER);
}

void *arena_resize(void *memory, size_t size) {
  if (memory == NULL) return arena_alloc(size);
  const struct block *in = block_of(memory);
  size_t old = size_at(in, position_of(in, memory)) - HEADER;
  if (old >= size) return memory;
  void *moved = arena_alloc(size);
  if (moved == NULL) return NULL;
  memcpy(moved, memory, old);
  arena_free(memory);
  return moved;
}

void arena_stats(struct arena_stats *stats) {
  prepare();
  *stats = block->counts;
}

void arena_peak_reset(void) {
  struct arena_stats *counts = &block->counts;
  counts->peak = counts->live;
  counts->extent = 0;
  for (uint32_t at = 0; counts->size != 0 && at < block->capacity; at += size_at(block, at))
    if (used_at(block, at)) counts->extent = at + size_at(block, at);
}
