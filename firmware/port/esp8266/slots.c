// SPDX-License-Identifier: GPL-3.0-or-later
#include "slots.h"

#include "chooser.h"

IN_FLASH(static const struct chooser chooser) = {board_flash_read, board_flash_erase, board_flash_write, board_is_sound};

static int storage(int fault) { return fault == 0 ? 0 : SHALLOT_E_PORT_STORAGE; }

static uint32_t other_at(uint32_t at) { return chooser_slot_at(1 - board_slot()) + at; }

static bool fits(uint32_t at, size_t size) { return board_slot() >= 0 && at <= CHOOSER_SLOT_BYTES && size <= CHOOSER_SLOT_BYTES - at; }

static int slots_running(bool *is_trial) {
  if (board_slot() < 0) return SHALLOT_E_PORT_STORAGE;
  *is_trial = chooser_is_trial(&chooser, board_slot());
  return board_slot();
}

static int slots_erase(uint32_t at) {
  bool is_sector = at % CHOOSER_SECTOR_BYTES == 0 && fits(at, CHOOSER_SECTOR_BYTES);
  return is_sector ? storage(board_flash_erase(other_at(at))) : SHALLOT_E_PORT_STORAGE;
}

static int slots_write(uint32_t at, const uint8_t *data, size_t size) {
  return fits(at, size) ? storage(board_flash_write(other_at(at), data, size)) : SHALLOT_E_PORT_STORAGE;
}

static int slots_read(uint32_t at, uint8_t *out, size_t size) {
  return fits(at, size) ? storage(board_flash_read(other_at(at), out, size)) : SHALLOT_E_PORT_STORAGE;
}

static int slots_try_other(void) { return board_slot() < 0 ? SHALLOT_E_PORT_STORAGE : storage(chooser_try_other(&chooser, board_slot())); }
static int slots_keep(void) { return board_slot() < 0 ? SHALLOT_E_PORT_STORAGE : storage(chooser_keep(&chooser, board_slot())); }

IN_FLASH(const struct slots esp8266_slots) = {
  .bytes = CHOOSER_SLOT_BYTES,
  .running = slots_running,
  .erase = slots_erase,
  .write = slots_write,
  .read = slots_read,
  .try_other = slots_try_other,
  .keep = slots_keep,
  .restart = board_restart,
};
