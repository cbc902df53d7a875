// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A flash with two slots in memory whose power ends at a chosen operation: before it, after it, or in the middle. What comes after that
 * changes nothing and fails, until there is power again.
 * Of 64 bytes of a slot one is kept: all of them are the same in what is written here, and an emulated chip's memory is short.
 */
#ifndef SHALLOT_TWIN_FLASH_H
#define SHALLOT_TWIN_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../port/port.h"

enum { FLASH_CELL_BYTES = 64, FLASH_SLOT_BYTES = 5 * PORT_SECTOR_BYTES, FLASH_NO_CUT = 0x7fffffff };
enum flash_cut { FLASH_CUT_BEFORE, FLASH_CUT_AFTER, FLASH_CUT_TORN };

struct flash {
  uint8_t slots[2][FLASH_SLOT_BYTES / FLASH_CELL_BYTES];
  int operations_left; /* that the power still lasts for */
  int operations;      /* that there were in all */
  enum flash_cut cut;
};
extern struct flash flash;

bool flash_has_power(void);
/* Begins an operation on `size` bytes: how many of them still happen. */
size_t flash_power(size_t size);
/* 0, or SHALLOT_E_PORT_STORAGE when there is no power. */
int flash_outcome(void);

/* As port.h has them, of a slot. */
int flash_erase(int slot, uint32_t at);
int flash_write(int slot, uint32_t at, const uint8_t *data, size_t size);
int flash_read(int slot, uint32_t at, uint8_t *out, size_t size);

#endif
