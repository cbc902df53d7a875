// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The ESP8266's boot loader, in the first sector of flash in place of Arduino's: asks which slot is to be booted (chooser.h), loads that
 * image into RAM and enters it. Without a whole image it says so, waits, and looks again: flash that cannot be read while power sags can be later.
 * What stays true: it never erases a slot and never enters what is not whole; while it loads it uses no memory but code and stack, since
 * the image lies over all other.
 * Not verified on silicon; the bits that would be flashed are run by the emulated chip of test/firmware/boot.test.ts.
 */
#include "../port/esp8266/chooser.h"
#include "../port/esp8266/program.h"
#include "../port/esp8266/slots.h"
#include "../port/esp8266/words.h"
#include "rom.h"

enum { WORD = 4, STEP_BYTES = 64, AGAIN_US = 5000000, WATCHDOG_MODE = 4, WATCHDOG_PERIOD = 12 };
/* The ROM's own stack, which no image has data in. */
#define STACK_TOP 0x3ffffff0u

static int flash_read(uint32_t at, void *out, size_t size) { return words_read(SPIRead, at, out, size); }
static int flash_erase(uint32_t at) { return SPIEraseSector(at / CHOOSER_SECTOR_BYTES); }
static int flash_write(uint32_t at, const void *data, size_t size) { return SPIWrite(at, data, size); }
static bool is_sound(int slot) { return program_is_sound(flash_read, slot); }

/* Memory for code takes whole words only. */
static int load(const struct program_walk *walk) {
  uint32_t words[STEP_BYTES / WORD];
  uint32_t *to = (uint32_t *)walk->address;
  for (uint32_t done = 0; done < walk->size; done += STEP_BYTES) {
    uint32_t step = walk->size - done < STEP_BYTES ? walk->size - done : STEP_BYTES;
    if (flash_read(walk->at + done, words, step) != 0) return -1;
    for (uint32_t i = 0; i < step; i += WORD) *to++ = words[i / WORD];
  }
  return 0;
}

/* Returns when flash has failed meanwhile. */
static void enter(int slot) {
  struct program_walk walk;
  volatile uint32_t *handed = (volatile uint32_t *)HANDED_AT;
  int more = program_begin(&walk, flash_read, slot) == 0 ? 1 : -1;
  handed[0] = HANDED_MARK + (uint32_t)slot;
  handed[1] = ~handed[0];
  while (more > 0) {
    more = program_next(&walk, flash_read);
    if (more > 0 && walk.is_loaded && load(&walk) != 0) more = -1;
  }
  if (more < 0) return;
  __asm__ volatile("mov a1, %0\n\tjx %1" : : "r"(STACK_TOP), "r"(walk.entry) : "memory");
  __builtin_unreachable();
}

void boot(void);
void boot(void) {
  static const struct chooser chooser = {flash_read, flash_erase, flash_write, is_sound};
  int slot;
  ets_wdt_disable();
  while ((slot = chooser_choose(&chooser)) == CHOOSER_NONE) {
    ets_printf("shallot: no whole image in either slot\n");
    ets_delay_us(AGAIN_US);
  }
  ets_printf("shallot: slot %d\n", slot);
  /* An image that hangs before it has a watchdog of its own comes back here, too. */
  ets_wdt_enable(WATCHDOG_MODE, WATCHDOG_PERIOD, WATCHDOG_PERIOD);
  enter(slot);
  /* Constants are gone: only a start from the beginning brings them back. */
  software_reset();
  for (;;) {}
}
