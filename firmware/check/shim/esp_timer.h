// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_ESP_TIMER_H
#define SHIM_ESP_TIMER_H

#include <stdint.h>

extern "C" int64_t esp_timer_get_time(void);

#endif
