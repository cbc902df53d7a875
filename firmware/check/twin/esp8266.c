// SPDX-License-Identifier: GPL-3.0-or-later
#include "esp8266.h"

#include <string.h>

#include "../../port/esp8266/chooser.h"
#include "../../port/esp8266/slots.h"
#include "flash.h"

/* Of each sector of state as much as is written of it. */
enum { STATE_BYTES = 64, STATES = 2 };
static uint8_t states[STATES][STATE_BYTES];

struct esp8266_twin esp8266_twin;

int board_slot(void) { return esp8266_twin.running; }
bool board_is_sound(int slot) { return esp8266_twin.is_sound(slot); }
void board_restart(void) { esp8266_twin.is_restarting = true; }

static bool is_state(uint32_t at) { return at >= CHOOSER_STATE_AT; }
static uint8_t *state_at(uint32_t at) { return states[(at - CHOOSER_STATE_AT) / CHOOSER_SECTOR_BYTES] + at % CHOOSER_SECTOR_BYTES; }
static int slot_of(uint32_t at) { return at >= CHOOSER_MEGABYTE; }
static uint32_t in_slot(uint32_t at) { return at - chooser_slot_at(slot_of(at)); }

int board_flash_read(uint32_t at, void *out, size_t size) {
  if (!is_state(at)) return flash_read(slot_of(at), in_slot(at), out, size);
  memcpy(out, state_at(at), size);
  return 0;
}

int board_flash_erase(uint32_t at) {
  if (!is_state(at)) return flash_erase(slot_of(at), in_slot(at));
  memset(state_at(at), 0xff, flash_power(STATE_BYTES));
  return flash_outcome();
}

int board_flash_write(uint32_t at, const void *data, size_t size) {
  if (!is_state(at)) return flash_write(slot_of(at), in_slot(at), data, size);
  const uint8_t *from = data;
  size_t done = flash_power(size);
  for (size_t i = 0; i < done; i++) state_at(at)[i] &= from[i];
  return flash_outcome();
}

static const struct chooser chooser = {board_flash_read, board_flash_erase, board_flash_write, board_is_sound};

void esp8266_twin_new(int kept) {
  memset(states, 0xff, sizeof states);
  flash.operations_left = FLASH_NO_CUT;
  chooser_keep(&chooser, kept);
}

int esp8266_twin_boot(void) {
  esp8266_twin.is_restarting = false;
  return esp8266_twin.running = chooser_choose(&chooser);
}
