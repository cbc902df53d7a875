// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An image for the ESP8266 as it lies in a slot: what the chip's ROM and elf2bin.py call one, an 8-byte header and segments that go to RAM or are
 * run where they lie, padded to 16 bytes, the last of which is a checksum; and 16 bytes of ours that boot/platformio.py puts after that.
 * In: reads of a flash. Out: whether all of it is there, where it is entered, and its segments.
 * What stays true: no bit of it may be another than when it was built; nothing is loaded anywhere but where programs are; nothing lies outside the slot.
 * Absent on purpose: who made it. Before it was written to a slot its digest was compared with that of a sealed manifest (core/update.h).
 */
#ifndef SHALLOT_ESP8266_PROGRAM_H
#define SHALLOT_ESP8266_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chooser.h"

/* After the image, little-endian: these two words, how many bytes are before them, and the CRC-32 of those bytes. */
enum { PROGRAM_TRAILER_BYTES = 16 };
#define PROGRAM_TRAILER_0 0x6c616873u /* "shal" */
#define PROGRAM_TRAILER_1 0x31746f6cu /* "lot1" */

typedef int program_read(uint32_t at, void *out, size_t size);

/* CRC-32 as zlib has it, going on from `crc`; 0 to begin. */
uint32_t program_crc(uint32_t crc, const void *bytes, size_t size);

/* Whether the slot holds a whole image. */
bool program_is_sound(program_read *read, int slot);

/* A walk over the segments of a sound image. It uses no data but its own: what it is called from may be loading over all other. */
struct program_walk {
  uint32_t entry; /* where the program begins */
  unsigned left;  /* segments */
  uint32_t next;  /* in flash */
  uint32_t end;   /* of the slot, in flash */
  uint32_t at;    /* in flash: the segment's bytes */
  uint32_t address;
  uint32_t size;
  bool is_loaded; /* to its address; else it is run where it lies */
};

/* 0, or -1: there is no image. */
int program_begin(struct program_walk *walk, program_read *read, int slot);
/* 1; 0 after the last; or -1: a segment that is where no program of ours has one. */
int program_next(struct program_walk *walk, program_read *read);

#endif
