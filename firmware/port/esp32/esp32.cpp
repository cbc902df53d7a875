// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The ESP32 and the ESP32-C3 under Arduino's core: time, chance, one TCP connection, pulses; two slots are in slots.c. Compiled against declarations, not verified
 * on silicon.
 */
#include "../arduino/arduino.h"

#include <Arduino.h>
#include <errno.h>
#include <esp_random.h>
#include <esp_timer.h>
#include <lwip/sockets.h>
#include <string.h>

extern "C" {
#include "slots.h"
}

static int connection = -1;

void flash_copy(void *to, const void *from, size_t size) { memcpy(to, from, size); }

uint64_t board_now_ms() { return (uint64_t)esp_timer_get_time() / 1000; }

/* The radio's noise, while Wi-Fi is on. */
static int random_bytes(uint8_t *out, size_t size) {
  esp_fill_random(out, size);
  return 0;
}

static uint64_t cycles() {
  static uint32_t last;
  static uint64_t total;
  uint32_t now = ESP.getCycleCount();
  total += (uint32_t)(now - last);
  last = now;
  return total;
}

/* ---- the connection ---- */

static void net_close() {
  if (connection >= 0) lwip_close(connection);
  connection = -1;
}

/* 1: ready; 0: time is over; -1: broken. */
static int wait_for(bool is_writing, uint32_t timeout_ms) {
  fd_set ready;
  FD_ZERO(&ready);
  FD_SET(connection, &ready);
  struct timeval time = {(long)(timeout_ms / 1000), (long)(timeout_ms % 1000) * 1000};
  return lwip_select(connection + 1, is_writing ? nullptr : &ready, is_writing ? &ready : nullptr, nullptr, &time);
}

static int finish_connect(uint32_t timeout_ms) {
  int error = 0;
  socklen_t size = sizeof error;
  if (wait_for(true, timeout_ms) == 0) return SHALLOT_E_PORT_TIMEOUT;
  bool is_known = lwip_getsockopt(connection, SOL_SOCKET, SO_ERROR, &error, &size) == 0;
  return is_known && error == 0 ? 0 : SHALLOT_E_PORT_NETWORK;
}

static int net_open(const char *address, uint16_t tcp_port, uint32_t timeout_ms) {
  struct sockaddr_in hub = {};
  int yes = 1;
  net_close();
  hub.sin_family = AF_INET;
  hub.sin_port = lwip_htons(tcp_port);
  if (inet_pton(AF_INET, address, &hub.sin_addr) != 1) return SHALLOT_E_PORT_NETWORK;
  connection = lwip_socket(AF_INET, SOCK_STREAM, 0);
  if (connection < 0) return SHALLOT_E_PORT_NETWORK;
  lwip_fcntl(connection, F_SETFL, O_NONBLOCK);
  lwip_setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  int outcome = 0;
  if (lwip_connect(connection, (struct sockaddr *)&hub, sizeof hub) != 0)
    outcome = errno == EINPROGRESS ? finish_connect(timeout_ms) : SHALLOT_E_PORT_NETWORK;
  if (outcome != 0) net_close();
  return outcome;
}

static int transfer_error() {
  if (errno == ECONNRESET || errno == EPIPE || errno == ENOTCONN) return SHALLOT_E_LINK_CLOSED;
  return errno == EAGAIN || errno == EINTR ? SHALLOT_E_PORT_TIMEOUT : SHALLOT_E_PORT_IO;
}

static int net_read(uint8_t *out, size_t capacity, uint32_t timeout_ms) {
  if (connection < 0) return SHALLOT_E_LINK_CLOSED;
  int ready = wait_for(false, timeout_ms);
  if (ready <= 0) return ready == 0 ? SHALLOT_E_PORT_TIMEOUT : SHALLOT_E_PORT_IO;
  int count = (int)lwip_recv(connection, out, capacity, 0);
  if (count > 0) return count;
  return count == 0 ? SHALLOT_E_LINK_CLOSED : transfer_error();
}

static int net_write(const uint8_t *data, size_t size, uint32_t timeout_ms) {
  if (connection < 0) return SHALLOT_E_LINK_CLOSED;
  int ready = wait_for(true, timeout_ms);
  if (ready <= 0) return ready == 0 ? SHALLOT_E_PORT_TIMEOUT : SHALLOT_E_PORT_IO;
  int count = (int)lwip_send(connection, data, size, 0);
  return count > 0 ? count : transfer_error();
}

/* ---- pulses: a timer of LEDC for each pin that has asked ---- */

enum { WAVES = 4, DUTY_BITS = 14 };

/* Two channels share a timer, so every second one is used. */
static int wave_of(int pin) {
  static int pins[WAVES] = {NO_PIN, NO_PIN, NO_PIN, NO_PIN};
  for (int i = 0; i < WAVES; i++) {
    if (pins[i] == NO_PIN) pins[i] = pin;
    if (pins[i] == pin) return 2 * i;
  }
  return -1;
}

#if defined(CONFIG_IDF_TARGET_ESP32C3)
enum { CHANNELS = 6 };
#else
enum { CHANNELS = 16 };
#endif

int board_pulse(int pin, uint32_t period_us, uint32_t high_us) {
  int wave = wave_of(pin);
  if (wave < 0 || wave >= CHANNELS || period_us == 0) return SHALLOT_E_DEVICE_FAULT;
  if (ledcSetup(wave, 1000000 / period_us, DUTY_BITS) == 0) return SHALLOT_E_DEVICE_FAULT;
  ledcAttachPin(pin, wave);
  ledcWrite(wave, (uint32_t)(((uint64_t)high_us << DUTY_BITS) / period_us));
  return 0;
}

const struct port board = {
#if defined(CONFIG_IDF_TARGET_ESP32C3)
    .board = "esp32c3",
#elif defined(SHALLOT_ESP32CAM)
    .board = "esp32cam",
#else
    .board = "esp32",
#endif
    .now_ms = board_now_ms,
    .sleep_ms = board_sleep_ms,
    .random = random_bytes,
    .cycles = cycles,
    .net_open = net_open,
    .net_read = net_read,
    .net_write = net_write,
    .net_close = net_close,
    .lan_ask = board_lan_ask,
    .wifi_join = board_wifi_join,
    .blob_read = board_blob_read,
    .blob_write = board_blob_write,
    .blob_remove = board_blob_remove,
    .slots = &esp32_slots,
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
    .capture_take = nullptr,
    .capture_read = nullptr,
    .capture_drop = nullptr,
};
