// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ESP-IDF's two application partitions and its boot loader with rollback, over a flash whose power ends (flash.h): what check/shim declares,
 * made to run, from their documentation. The two sectors of `otadata` are erased and written by turns, each of the two an operation that
 * power may end in; the boot loader writes too.
 * Absent on purpose: a factory image, encryption.
 */
#ifndef SHALLOT_TWIN_ESP_OTA_H
#define SHALLOT_TWIN_ESP_OTA_H

#include <stdbool.h>

/* is_sound: whether the boot loader would run what lies in a slot. */
struct esp_ota_twin {
  bool (*is_sound)(int slot);
  int running;
  bool is_restarting; /* esp_restart was called */
};
extern struct esp_ota_twin esp_ota_twin;

/* What lies in `otadata`: what esptool writes with the image in slot 0, nothing, or what the first update has left, which is in slot 1. */
enum esp_ota_twin_past { ESP_OTA_TWIN_FLASHED, ESP_OTA_TWIN_BLANK, ESP_OTA_TWIN_UPDATED };
void esp_ota_twin_new(enum esp_ota_twin_past past);

/* What the boot loader does at each start: the slot that runs then, which is -1 when there is none. */
int esp_ota_twin_boot(void);

#endif
