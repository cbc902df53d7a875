// SPDX-License-Identifier: GPL-3.0-or-later
#include "program.h"

#include "../port.h"

enum { MAGIC = 0xe9, SEGMENTS_MAX = 16, ALIGNMENT = 16, STEP_BYTES = 256 };

/* Where the chip has memory for programs; the boot loader itself is above what it loads. */
#define DATA_BEGIN 0x3ffe8000u
#define DATA_END 0x3fffc000u
#define CODE_BEGIN 0x40100000u
#define CODE_END 0x4010c000u
#define MAPPED_BEGIN 0x40200000u

/* Half a byte at a time: the largest part of a start is this. */
IN_FLASH(static const uint32_t table[16]) = {
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
  0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t program_crc(uint32_t crc, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  crc = ~crc;
  while (size-- > 0) {
    crc ^= *at++;
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}

static bool is_within(uint32_t address, uint32_t size, uint32_t begin, uint32_t end) {
  return address >= begin && address < end && size <= end - address && address % 4 == 0;
}

int program_begin(struct program_walk *walk, program_read *read, int slot) {
  uint32_t at = chooser_slot_at(slot);
  uint32_t header[2];
  if (read(at, header, sizeof header) != 0 || (header[0] & 0xff) != MAGIC) return -1;
  walk->left = header[0] >> 8 & 0xff;
  walk->entry = header[1];
  walk->next = at + (uint32_t)sizeof header;
  walk->end = at + CHOOSER_SLOT_BYTES;
  bool is_program = walk->left > 0 && walk->left <= SEGMENTS_MAX && is_within(walk->entry, 4, CODE_BEGIN, CODE_END);
  return is_program ? 0 : -1;
}

int program_next(struct program_walk *walk, program_read *read) {
  uint32_t header[2];
  if (walk->left == 0) return 0;
  if (walk->end - walk->next < sizeof header || read(walk->next, header, sizeof header) != 0) return -1;
  walk->at = walk->next + (uint32_t)sizeof header;
  walk->address = header[0];
  walk->size = header[1];
  if (walk->size > walk->end - walk->at) return -1;
  walk->left--;
  walk->next = walk->at + walk->size;
  bool is_data = is_within(walk->address, walk->size, DATA_BEGIN, DATA_END);
  walk->is_loaded = is_data || is_within(walk->address, walk->size, CODE_BEGIN, CODE_END);
  return walk->is_loaded || walk->address - MAPPED_BEGIN == walk->at % CHOOSER_MEGABYTE ? 1 : -1;
}

static int crc_of(program_read *read, uint32_t at, uint32_t size, uint32_t *crc) {
  uint32_t bytes[STEP_BYTES / 4];
  for (*crc = 0; size > 0;) {
    uint32_t step = size < sizeof bytes ? size : (uint32_t)sizeof bytes;
    if (read(at, bytes, step) != 0) return -1;
    *crc = program_crc(*crc, bytes, step);
    at += step;
    size -= step;
  }
  return 0;
}

bool program_is_sound(program_read *read, int slot) {
  struct program_walk walk;
  uint32_t trailer[PROGRAM_TRAILER_BYTES / 4];
  uint32_t crc;
  int more = program_begin(&walk, read, slot) == 0 ? 1 : -1;
  while (more > 0) more = program_next(&walk, read);
  uint32_t begin = chooser_slot_at(slot);
  uint32_t size = (walk.next - begin) / ALIGNMENT * ALIGNMENT + ALIGNMENT; /* the checksum is in it, so it is never nothing that is added */
  if (more < 0 || size + PROGRAM_TRAILER_BYTES > CHOOSER_SLOT_BYTES) return false;
  if (read(begin + size, trailer, sizeof trailer) != 0) return false;
  if (trailer[0] != PROGRAM_TRAILER_0 || trailer[1] != PROGRAM_TRAILER_1 || trailer[2] != size) return false;
  return crc_of(read, begin, size, &crc) == 0 && crc == trailer[3];
}
