// SPDX-License-Identifier: GPL-3.0-or-later
/* Of ESP-IDF 4.4, which Arduino's core 2.0.17 is built on: see Arduino.h. This has a twin that runs, check/twin/esp_ota.c. */
#ifndef SHIM_ESP_PARTITION_H
#define SHIM_ESP_PARTITION_H

#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
#define ESP_OK 0
#define ESP_FAIL -1
#define ESP_ERR_NOT_FOUND 0x105

typedef enum { ESP_PARTITION_SUBTYPE_APP_OTA_0 = 0x10, ESP_PARTITION_SUBTYPE_APP_OTA_1 = 0x11 } esp_partition_subtype_t;

typedef struct {
  esp_partition_subtype_t subtype;
  uint32_t address;
  uint32_t size;
} esp_partition_t;

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t from, void *out, size_t size);
esp_err_t esp_partition_write(const esp_partition_t *partition, size_t to, const void *data, size_t size);
esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t at, size_t size);

#endif
