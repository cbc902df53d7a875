// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The bursts of a Wiegand reader, gathered bit by bit for port.h's wiegand_read. One side is an interrupt, the other is not: the interrupt
 * alone writes, but for `taken` and for what was taken, of which nothing stays. Everything is inline, because an ESP8266's interrupt may not call what is in flash.
 * In: bits and the microsecond they came at; out: bursts of 1 to 64 bits. Longer ones and those beyond the queue are lost.
 */
#ifndef SHALLOT_WIEGAND_H
#define SHALLOT_WIEGAND_H

#include <stdint.h>

enum { WIEGAND_BURSTS = 16, WIEGAND_BITS_MAX = 64, WIEGAND_PAUSE_US = 25000 };

struct wiegand_burst {
  uint64_t bits; /* the first one highest */
  uint32_t at_us; /* its last bit */
  uint8_t count;
};

struct wiegand {
  struct wiegand_burst bursts[WIEGAND_BURSTS];
  uint8_t begun; /* how many, modulo 256; the last may still grow */
  uint8_t taken;
};

#define WIEGAND_INLINE static inline __attribute__((always_inline))

WIEGAND_INLINE struct wiegand_burst *wiegand_at(volatile struct wiegand *reader, uint8_t number) {
  return (struct wiegand_burst *)&reader->bursts[number % WIEGAND_BURSTS];
}

/* From the interrupt. at_us may wrap. */
WIEGAND_INLINE void wiegand_bit(volatile struct wiegand *reader, unsigned bit, uint32_t at_us) {
  struct wiegand_burst *burst = wiegand_at(reader, (uint8_t)(reader->begun - 1));
  uint8_t waiting = (uint8_t)(reader->begun - reader->taken);
  if (waiting == 0 || at_us - burst->at_us >= WIEGAND_PAUSE_US) {
    if (waiting == WIEGAND_BURSTS) return;
    burst = wiegand_at(reader, reader->begun);
    burst->bits = 0;
    burst->count = 0;
    burst->at_us = at_us;
    reader->begun = (uint8_t)(reader->begun + 1);
  }
  burst->at_us = at_us;
  if (burst->count <= WIEGAND_BITS_MAX) burst->count = (uint8_t)(burst->count + 1);
  burst->bits = burst->bits << 1 | (bit & 1);
}

/* The oldest burst that has ended: how many bits, or 0. Not from the interrupt, which must be held off meanwhile. */
WIEGAND_INLINE int wiegand_take(volatile struct wiegand *reader, uint64_t *bits, uint32_t now_us) {
  while (reader->begun != reader->taken) {
    struct wiegand_burst burst = *wiegand_at(reader, reader->taken);
    uint8_t is_last = (uint8_t)(reader->begun - reader->taken) == 1;
    if (is_last && now_us - burst.at_us < WIEGAND_PAUSE_US) return 0;
    wiegand_at(reader, reader->taken)->bits = 0;
    reader->taken = (uint8_t)(reader->taken + 1);
    if (burst.count > WIEGAND_BITS_MAX) continue;
    *bits = burst.bits;
    return burst.count;
  }
  return 0;
}

#endif
