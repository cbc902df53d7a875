// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The two slots of an ESP8266 that has our boot loader (firmware/boot). Their twin in tests is check/twin/esp8266.c.
 * Absent on purpose: logic of its own (chooser.h). Not verified on silicon.
 */
#ifndef SHALLOT_ESP8266_SLOTS_H
#define SHALLOT_ESP8266_SLOTS_H

#include "../port.h"

extern const struct slots esp8266_slots;

/*
 * What the boot loader leaves for the image that it boots: which slot that is in, and the same with all bits turned. In the memory that
 * survives a restart, where Arduino's boot loader would look for its own orders.
 */
#define HANDED_AT 0x60001200u
#define HANDED_MARK 0x5ba110f0u /* plus the slot */

/* Written by the port, or a twin. The slot that runs; -1: another boot loader has started this. */
int board_slot(void);
/* 0, or SHALLOT_E_PORT_STORAGE. `at` counts from the beginning of the flash. */
int board_flash_read(uint32_t at, void *out, size_t size);
int board_flash_erase(uint32_t at);
int board_flash_write(uint32_t at, const void *data, size_t size);
bool board_is_sound(int slot);
void board_restart(void);

#endif
