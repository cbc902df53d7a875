// SPDX-License-Identifier: GPL-3.0-or-later
/* The ESP8266 under Arduino's core: time, chance, one TCP connection, pulses. Compiled against declarations, not verified on silicon. */
#include "../arduino/arduino.h"

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <core_esp8266_waveform.h>
#include <flash_hal.h>

extern "C" {
#include <user_interface.h>
#include "program.h"
#include "slots.h"
#include "words.h"
}

enum { POLL_MS = 1, YIELD_US = 10000 };

static WiFiClient connection;
static bool is_open;

uint64_t board_now_ms() { return micros64() / 1000; }

/* The radio's noise, while Wi-Fi is on. */
static int random_bytes(uint8_t *out, size_t size) { return os_get_random(out, size) == 0 ? 0 : SHALLOT_E_PORT_IO; }

static uint64_t cycles() {
  static uint32_t last;
  static uint64_t total;
  uint32_t now = ESP.getCycleCount();
  total += (uint32_t)(now - last);
  last = now;
  return total;
}

static void net_close() {
  if (is_open) connection.abort();
  is_open = false;
}

static int net_open(const char *address, uint16_t tcp_port, uint32_t timeout_ms) {
  IPAddress hub;
  net_close();
  if (!hub.fromString(address)) return SHALLOT_E_PORT_NETWORK;
  uint64_t deadline = board_now_ms() + timeout_ms;
  connection.setTimeout(timeout_ms);
  is_open = connection.connect(hub, tcp_port) == 1;
  if (!is_open) return board_now_ms() >= deadline ? SHALLOT_E_PORT_TIMEOUT : SHALLOT_E_PORT_NETWORK;
  connection.setNoDelay(true);
  return 0;
}

static int net_read(uint8_t *out, size_t capacity, uint32_t timeout_ms) {
  uint64_t deadline = board_now_ms() + timeout_ms;
  while (is_open && connection.available() == 0) {
    if (!connection.connected()) return SHALLOT_E_LINK_CLOSED;
    if (board_now_ms() >= deadline) return SHALLOT_E_PORT_TIMEOUT;
    delay(POLL_MS);
  }
  if (!is_open) return SHALLOT_E_LINK_CLOSED;
  int count = connection.read(out, capacity);
  return count > 0 ? count : SHALLOT_E_PORT_IO;
}

static int net_write(const uint8_t *data, size_t size, uint32_t timeout_ms) {
  uint64_t deadline = board_now_ms() + timeout_ms;
  size_t room = 0;
  while (is_open && (room = (size_t)connection.availableForWrite()) == 0) {
    if (!connection.connected()) return SHALLOT_E_LINK_CLOSED;
    if (board_now_ms() >= deadline) return SHALLOT_E_PORT_TIMEOUT;
    delay(POLL_MS);
  }
  if (!is_open) return SHALLOT_E_LINK_CLOSED;
  size_t count = connection.write(data, size < room ? size : room);
  return count > 0 ? (int)count : SHALLOT_E_PORT_IO;
}

/* The core's wave forms know no "always" and no "never". */
int board_pulse(int pin, uint32_t period_us, uint32_t high_us) {
  if (high_us > 0 && high_us < period_us) return startWaveform(pin, high_us, period_us - high_us, 0) ? 0 : SHALLOT_E_DEVICE_FAULT;
  stopWaveform(pin);
  digitalWrite(pin, high_us > 0 ? HIGH : LOW);
  return 0;
}

/* ---- two slots, if it was built for them (boot/) ---- */

#if defined(SHALLOT_SLOTS)
static int flash_read(uint32_t at, void *out, uint32_t size) {
  optimistic_yield(YIELD_US);
  return ESP.flashRead(at, static_cast<uint32_t *>(out), size) ? 0 : SHALLOT_E_PORT_STORAGE;
}

int board_flash_read(uint32_t at, void *out, size_t size) { return words_read(flash_read, at, out, size); }

int board_flash_erase(uint32_t at) { return ESP.flashEraseSector(at / CHOOSER_SECTOR_BYTES) ? 0 : SHALLOT_E_PORT_STORAGE; }

int board_flash_write(uint32_t at, const void *data, size_t size) {
  return ESP.flashWrite(at, static_cast<const uint8_t *>(data), size) ? 0 : SHALLOT_E_PORT_STORAGE;
}

bool board_is_sound(int slot) { return program_is_sound(board_flash_read, slot); }
void board_restart() { ESP.restart(); }

/* What the chip itself says that it has, which a board's settings may not; and that nobody's files are there. */
static const struct slots *slots_here() {
  bool is_large = ESP.getFlashChipRealSize() >= CHOOSER_FLASH_BYTES && ESP.getFlashChipSize() >= CHOOSER_FLASH_BYTES;
  return board_slot() >= 0 && is_large && FS_PHYS_ADDR >= CHOOSER_FLASH_BYTES ? &esp8266_slots : nullptr;
}
#else
/* Arduino's boot loader copies the new image over the old one at the next start: a cut in it leaves neither, and nothing brings the old one back. */
static constexpr const struct slots *slots_here() { return nullptr; }
#endif

const struct port board = {
    .board = "esp8266",
    .now_ms = board_now_ms,
    .sleep_ms = board_sleep_ms,
    .random = random_bytes,
    .cycles = cycles,
    .net_open = net_open,
    .net_read = net_read,
    .net_write = net_write,
    .net_close = net_close,
    .listener = nullptr,
    .lan_ask = board_lan_ask,
    .wifi_join = board_wifi_join,
    .blob_read = board_blob_read,
    .blob_write = board_blob_write,
    .blob_remove = board_blob_remove,
    .slots = slots_here(),
    .log = board_log,
    .read_line = board_read_line,
    .output_set = board_output_set,
    .pulse_set = board_pulse_set,
    .pin_read = board_pin_read,
    .pulses_read = board_pulses_read,
    .i2c_transfer = board_i2c_transfer,
    .onewire_transfer = board_onewire_transfer,
    .wiegand_read = board_wiegand_read,
    .signer = nullptr,
    .point_signer = nullptr,
    .capture_begin = nullptr,
    .capture_take = nullptr,
    .capture_read = nullptr,
    .capture_drop = nullptr,
};
