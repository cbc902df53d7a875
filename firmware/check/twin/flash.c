// SPDX-License-Identifier: GPL-3.0-or-later
#include "flash.h"

#include <string.h>

struct flash flash;

bool flash_has_power(void) { return flash.operations_left >= 0; }

size_t flash_power(size_t size) {
  if (!flash_has_power()) return 0;
  flash.operations++;
  if (flash.operations_left-- > 0) return size;
  return flash.cut == FLASH_CUT_AFTER ? size : flash.cut == FLASH_CUT_TORN ? size / 2 : 0;
}

int flash_outcome(void) { return flash_has_power() ? 0 : SHALLOT_E_PORT_STORAGE; }

static bool fits(uint32_t at, size_t size) { return at <= FLASH_SLOT_BYTES && size <= FLASH_SLOT_BYTES - at; }

int flash_erase(int slot, uint32_t at) {
  if (at % PORT_SECTOR_BYTES != 0 || !fits(at, PORT_SECTOR_BYTES)) return SHALLOT_E_PORT_STORAGE;
  memset(flash.slots[slot] + at / FLASH_CELL_BYTES, 0xff, flash_power(PORT_SECTOR_BYTES) / FLASH_CELL_BYTES);
  return flash_outcome();
}

/* As flash does it: bits only fall. */
int flash_write(int slot, uint32_t at, const uint8_t *data, size_t size) {
  if (!fits(at, size)) return SHALLOT_E_PORT_STORAGE;
  size_t done = flash_power(size);
  for (size_t i = 0; i < done; i += FLASH_CELL_BYTES) flash.slots[slot][(at + i) / FLASH_CELL_BYTES] &= data[i];
  return flash_outcome();
}

int flash_read(int slot, uint32_t at, uint8_t *out, size_t size) {
  if (!fits(at, size)) return SHALLOT_E_PORT_STORAGE;
  for (size_t i = 0; i < size; i++) out[i] = flash.slots[slot][(at + i) / FLASH_CELL_BYTES];
  return 0;
}
