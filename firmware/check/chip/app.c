// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An image for the emulated chip, of version APP_VERSION: it has the board's own slots.c, says where and how it runs, and then does one thing. The
 * first: writes the file `new` to the other slot and has it tried. Any other: as the file `health` says, k keeps itself, anything else crashes.
 * Its second start in the same slot without a trial is the end, with status 0.
 */
#include "../../boot/rom.h"
#include "../../port/esp8266/chooser.h"
#include "../../port/esp8266/program.h"
#include "../../port/esp8266/slots.h"
#include "../../port/esp8266/words.h"
#include "../../port/qemu/sim.h"

enum { PIECE_BYTES = 512 };
/* Survives restarts, not power cuts: how often an image has begun. */
#define STARTS ((volatile uint32_t *)0x60001300u)

void Cache_Read_Enable(uint8_t odd, uint8_t pair, uint8_t size);
void start_c(void) {}

/* ---- what the board's port has of Arduino's core ---- */

int board_flash_read(uint32_t at, void *out, size_t size) { return words_read(SPIRead, at, out, size); }
int board_flash_erase(uint32_t at) { return SPIEraseSector(at / CHOOSER_SECTOR_BYTES); }
int board_flash_write(uint32_t at, const void *data, size_t size) { return SPIWrite(at, data, (size + 3) / 4 * 4); }
bool board_is_sound(int slot) { return program_is_sound(board_flash_read, slot); }
void board_restart(void) { software_reset(); }

/* ---- the image ---- */

static void update(void) {
  static uint32_t piece[PIECE_BYTES / 4];
  int file = sim_open("new", READ_ONLY);
  int fault = 0;
  int size;
  for (uint32_t at = 0; fault == 0 && (size = sim_read(file, piece, sizeof piece)) > 0; at += (uint32_t)size) {
    if (at % CHOOSER_SECTOR_BYTES == 0) fault = esp8266_slots.erase(at);
    if (fault == 0) fault = esp8266_slots.write(at, (const uint8_t *)piece, (size_t)size);
  }
  sim_close(file);
  if (fault == 0) fault = esp8266_slots.try_other();
  ets_printf(fault == 0 ? "wanted\n" : "refused\n");
}

static bool is_healthy(void) {
  char word = 0;
  int file = sim_open("health", READ_ONLY);
  if (file >= 0) sim_read(file, &word, 1);
  if (file >= 0) sim_close(file);
  return word == 'k';
}

/* Run from flash. */
static void __attribute__((noinline)) app_run(void) {
  bool is_trial = false;
  int slot = esp8266_slots.running(&is_trial);
  if (slot < 0) ets_printf("version %d without slots\n", APP_VERSION);
  else ets_printf("version %d slot %d trial %d\n", APP_VERSION, slot, is_trial);
  bool is_first = STARTS[0]++ == 0;
  if (is_first && APP_VERSION == 1) update();
  else if (!is_trial) sim_exit(0);
  else if (is_healthy() && esp8266_slots.keep() == 0) ets_printf("kept\n");
  software_reset();
}

/* From RAM, as Arduino's core begins: it asks for the first megabyte. */
void app_entry(void);
void app_entry(void) {
  Cache_Read_Enable(0, 0, 0);
  app_run();
}
