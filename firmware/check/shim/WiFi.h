// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_WIFI_H
#define SHIM_WIFI_H

#include "WiFiTypes.h"

#endif
