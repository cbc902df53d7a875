// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which megabyte of flash is run. Arduino's core (before anything of C++ is there) and Espressif's library (at the start, after sleep) have the ROM
 * map the first one, by the name that is defined here in the ROM's place: the linker script only provides the ROM's address if nobody
 * defines it, and the core does the same for another reason (mmu_iram.cpp). What ends up in another megabyte's code hangs; so this is all in
 * RAM, needs no memory that is cleared later, and calls nothing but the ROM.
 * Not verified on silicon; run by the emulated chip of test/firmware/boot.test.ts.
 */
#include "slots.h"

#define IN_RAM __attribute__((section(".iram.text.shallot"), noinline))
#define ROM_CACHE_READ_ENABLE 0x40004678u

typedef void rom_cache_read_enable(uint8_t odd, uint8_t pair, uint8_t size);

/* Not zeros, which are cleared after the first use. */
enum { UNKNOWN = 0x11, NOBODY = 0x22 };
static uint8_t known = UNKNOWN; /* or NOBODY, or the slot */

void Cache_Read_Enable(uint8_t odd, uint8_t pair, uint8_t size);

IN_RAM void Cache_Read_Enable(uint8_t odd, uint8_t pair, uint8_t size) {
  const volatile uint32_t *handed = (const volatile uint32_t *)HANDED_AT;
  if (known == UNKNOWN) {
    uint32_t mark = handed[0];
    known = mark == ~handed[1] && (mark & ~1u) == HANDED_MARK ? (uint8_t)(mark & 1) : NOBODY;
  }
  if (known != NOBODY) {
    odd = known;
    pair = 0;
  }
  ((rom_cache_read_enable *)ROM_CACHE_READ_ENABLE)(odd, pair, size);
}

int board_slot(void) { return known <= 1 ? known : -1; }
