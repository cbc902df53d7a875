// SPDX-License-Identifier: GPL-3.0-or-later
/* See esp_partition.h. */
#ifndef SHIM_ESP_OTA_OPS_H
#define SHIM_ESP_OTA_OPS_H

#include <esp_partition.h>

#define ESP_ERR_OTA_VALIDATE_FAILED 0x1503

typedef enum {
  ESP_OTA_IMG_NEW = 0x0,
  ESP_OTA_IMG_PENDING_VERIFY = 0x1,
  ESP_OTA_IMG_VALID = 0x2,
  ESP_OTA_IMG_INVALID = 0x3,
  ESP_OTA_IMG_ABORTED = 0x4,
} esp_ota_img_states_t;

const esp_partition_t *esp_ota_get_running_partition(void);
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from);
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *state);
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);

#endif
