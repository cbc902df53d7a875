// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Two slots of an ESP32: ota_0 and ota_1 of partitions.csv, and ESP-IDF's boot loader, which Arduino's core brings with rollback switched
 * on. What it is told to boot it boots once as "pending", and any boot after that is the other slot's again, until the image says that
 * it is valid; it also looks at an image's own digest before it runs it.
 * Run against a twin of these calls (check/twin), not verified on silicon.
 */
#ifndef SHALLOT_ESP32_SLOTS_H
#define SHALLOT_ESP32_SLOTS_H

#include "../port.h"

extern const struct slots esp32_slots;

#endif
