// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_FLASH_HAL_H
#define SHIM_FLASH_HAL_H

#include <stdint.h>

/* From the linker script, as an address in what is mapped from 0x40200000 on. */
extern "C" uint32_t _FS_start;
#define FS_PHYS_ADDR ((uint32_t)&_FS_start - 0x40200000)

#endif
