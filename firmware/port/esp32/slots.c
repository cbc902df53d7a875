// SPDX-License-Identifier: GPL-3.0-or-later
#include "slots.h"

#include <esp_ota_ops.h>
#include <esp_partition.h>
#include <esp_system.h>

/* As partitions.csv has it (test/unit/platformio.test.ts). */
enum { SLOT_BYTES = 0x180000 };

static int storage(esp_err_t error) { return error == ESP_OK ? 0 : SHALLOT_E_PORT_STORAGE; }

static const esp_partition_t *other(void) { return esp_ota_get_next_update_partition(NULL); }

/* Arduino's core calls every image valid before it has done anything, unless it is told that somebody will do so later. */
bool verifyRollbackLater(void);
bool verifyRollbackLater(void) { return true; }

static int slots_running(bool *is_trial) {
  esp_ota_img_states_t state;
  const esp_partition_t *running = esp_ota_get_running_partition();
  *is_trial = esp_ota_get_state_partition(running, &state) == ESP_OK && state == ESP_OTA_IMG_PENDING_VERIFY;
  return running->subtype == ESP_PARTITION_SUBTYPE_APP_OTA_0 ? 0 : running->subtype == ESP_PARTITION_SUBTYPE_APP_OTA_1 ? 1 : SHALLOT_E_PORT_STORAGE;
}

static int slots_erase(uint32_t at) { return storage(esp_partition_erase_range(other(), at, PORT_SECTOR_BYTES)); }
static int slots_write(uint32_t at, const uint8_t *data, size_t size) { return storage(esp_partition_write(other(), at, data, size)); }
static int slots_read(uint32_t at, uint8_t *out, size_t size) { return storage(esp_partition_read(other(), at, out, size)); }
static int slots_try_other(void) { return storage(esp_ota_set_boot_partition(other())); }
static int slots_keep(void) { return storage(esp_ota_mark_app_valid_cancel_rollback()); }

IN_FLASH(const struct slots esp32_slots) = {
  .bytes = SLOT_BYTES,
  .running = slots_running,
  .erase = slots_erase,
  .write = slots_write,
  .read = slots_read,
  .try_other = slots_try_other,
  .keep = slots_keep,
  .restart = esp_restart,
};
