// SPDX-License-Identifier: GPL-3.0-or-later
#include "esp_ota.h"

#include <esp_ota_ops.h>
#include <esp_system.h>
#include <string.h>

#include "flash.h"

enum { BLANK = 0xff, UNDEFINED = 0x7f };

/* One of the two sectors: which slot, and how it stands. ESP-IDF's has a number of 32 bits and a CRC. */
struct entry {
  uint8_t sequence; /* slot + 1, plus 2 for each time round */
  uint8_t state;
  uint8_t sum;
};
static struct entry entries[2];

struct esp_ota_twin esp_ota_twin;
static const esp_partition_t partitions[2] = {
  {ESP_PARTITION_SUBTYPE_APP_OTA_0, 0x10000, FLASH_SLOT_BYTES},
  {ESP_PARTITION_SUBTYPE_APP_OTA_1, 0x10000 + FLASH_SLOT_BYTES, FLASH_SLOT_BYTES},
};

static int slot_of(const esp_partition_t *partition) { return partition == &partitions[1]; }

static uint8_t sum_of(struct entry entry) { return (uint8_t)(entry.sequence * 31 + entry.state * 7 + 5); }

static struct entry entry_of(uint8_t sequence, uint8_t state) {
  struct entry entry = {sequence, state, 0};
  entry.sum = sum_of(entry);
  return entry;
}

static bool is_written(int i) { return entries[i].sequence != BLANK && entries[i].sum == sum_of(entries[i]); }

static bool is_valid(int i) { return is_written(i) && entries[i].state != ESP_OTA_IMG_INVALID && entries[i].state != ESP_OTA_IMG_ABORTED; }

static int entry_slot(int i) { return (entries[i].sequence - 1) % 2; }

/* Of two that are valid the later one; -1: none is. */
static int active(void) {
  if (is_valid(0) && is_valid(1)) return entries[1].sequence > entries[0].sequence;
  return is_valid(0) ? 0 : is_valid(1) ? 1 : -1;
}

static esp_err_t entry_put(int i, uint8_t sequence, uint8_t state) {
  struct entry entry = entry_of(sequence, state);
  memset(&entries[i], BLANK, flash_power(PORT_SECTOR_BYTES) > 0 ? sizeof entry : 0);
  memcpy(&entries[i], &entry, flash_power(sizeof entry));
  return flash_has_power() ? ESP_OK : ESP_FAIL;
}

/* ---- the boot loader ---- */

static int choose(void) {
  for (int i = 0; i < 2; i++) {
    if (is_written(i) && entries[i].state == ESP_OTA_IMG_PENDING_VERIFY) entry_put(i, entries[i].sequence, ESP_OTA_IMG_ABORTED);
  }
  int chosen = active();
  if (chosen < 0) return 0;
  if (entries[chosen].state == ESP_OTA_IMG_NEW) entry_put(chosen, entries[chosen].sequence, ESP_OTA_IMG_PENDING_VERIFY);
  return entry_slot(chosen);
}

int esp_ota_twin_boot(void) {
  int slot = choose();
  esp_ota_twin.is_restarting = false;
  if (!esp_ota_twin.is_sound(slot)) slot = esp_ota_twin.is_sound(1 - slot) ? 1 - slot : -1;
  if (slot == 0 && !is_written(0) && !is_written(1)) entry_put(0, 1, ESP_OTA_IMG_VALID);
  return esp_ota_twin.running = slot;
}

void esp_ota_twin_new(enum esp_ota_twin_past past) {
  memset(entries, BLANK, sizeof entries);
  if (past != ESP_OTA_TWIN_BLANK) entries[0] = entry_of(1, UNDEFINED);
  if (past == ESP_OTA_TWIN_UPDATED) entries[1] = entry_of(2, ESP_OTA_IMG_VALID);
}

/* ---- what programs call ---- */

const esp_partition_t *esp_ota_get_running_partition(void) { return &partitions[esp_ota_twin.running]; }

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from) {
  return &partitions[1 - (start_from == NULL ? esp_ota_twin.running : slot_of(start_from))];
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *state) {
  for (int i = 0; i < 2; i++) {
    if (!is_written(i) || entry_slot(i) != slot_of(partition)) continue;
    *state = (esp_ota_img_states_t)entries[i].state;
    return ESP_OK;
  }
  return ESP_ERR_NOT_FOUND;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition) {
  uint8_t sequence = (uint8_t)(slot_of(partition) + 1);
  int last = active();
  if (!esp_ota_twin.is_sound(slot_of(partition))) return ESP_ERR_OTA_VALIDATE_FAILED;
  if (last < 0) return entry_put(0, sequence, ESP_OTA_IMG_NEW);
  while (sequence < entries[last].sequence) sequence = (uint8_t)(sequence + 2);
  return entry_put(1 - last, sequence, ESP_OTA_IMG_NEW);
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void) {
  int last = active();
  if (last < 0) return ESP_FAIL;
  return entries[last].state == ESP_OTA_IMG_VALID ? ESP_OK : entry_put(last, entries[last].sequence, ESP_OTA_IMG_VALID);
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t from, void *out, size_t size) {
  return flash_read(slot_of(partition), (uint32_t)from, out, size);
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t to, const void *data, size_t size) {
  return flash_write(slot_of(partition), (uint32_t)to, data, size);
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t at, size_t size) {
  esp_err_t fault = ESP_OK;
  for (size_t done = 0; done < size && fault == ESP_OK; done += PORT_SECTOR_BYTES) fault = flash_erase(slot_of(partition), (uint32_t)(at + done));
  return fault;
}

void esp_restart(void) { esp_ota_twin.is_restarting = true; }
