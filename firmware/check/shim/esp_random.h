// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_ESP_RANDOM_H
#define SHIM_ESP_RANDOM_H

#include <stddef.h>

extern "C" void esp_fill_random(void *out, size_t size);

#endif
