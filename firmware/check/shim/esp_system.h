// SPDX-License-Identifier: GPL-3.0-or-later
/* See esp_partition.h. */
#ifndef SHIM_ESP_SYSTEM_H
#define SHIM_ESP_SYSTEM_H

void esp_restart(void);

#endif
