// SPDX-License-Identifier: GPL-3.0-or-later
/* What boot.c calls of the ESP8266's ROM. The test's chip has the same at the same addresses (check/chip/rom.c). */
#ifndef SHALLOT_BOOT_ROM_H
#define SHALLOT_BOOT_ROM_H

#include <stdint.h>

/* All three: 0, or another number. Flash addresses, memory and sizes in whole words; a sector by its number. */
int SPIRead(uint32_t at, void *out, uint32_t size);
int SPIWrite(uint32_t at, const void *data, uint32_t size);
int SPIEraseSector(uint32_t sector);
int ets_printf(const char *format, ...);
void software_reset(void);
void ets_delay_us(uint32_t us);
uint32_t ets_wdt_disable(void);
/* Mode 4 and twice 12, about 13 s, are what Arduino's boot loader gives it, too. */
void ets_wdt_enable(uint32_t mode, uint32_t first, uint32_t second);

#endif
