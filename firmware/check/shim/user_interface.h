// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_USER_INTERFACE_H
#define SHIM_USER_INTERFACE_H

#include <stddef.h>

int os_get_random(unsigned char *out, size_t size);

#endif
