// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The ESP32 and the ESP32-C3 under Arduino's core: time, chance, one TCP connection, a door to the LAN, pulses; two slots are in slots.c, the
 * ESP32-CAM's camera in ../esp32cam. Compiled against declarations, not verified on silicon.
 */
#include "../arduino/arduino.h"

#include <Arduino.h>
#include <errno.h>
#include <esp_random.h>
#include <WiFi.h>
#include <esp_timer.h>
#include <lwip/sockets.h>
#include <string.h>

extern "C" {
#include "../esp32cam/capture.h"
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
  if (outcome != 0 && outcome != SHALLOT_E_PORT_TIMEOUT) net_close();
  return outcome;
}

static int net_finish(uint32_t timeout_ms) { return connection < 0 ? SHALLOT_E_PORT_NETWORK : finish_connect(timeout_ms); }

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

/* ---- a door to the LAN, where core/door.h is built in ---- */

#if defined(SHALLOT_DIRECT)
enum { CALLERS = 4, BACKLOG = 4, MDNS_PORT = 5353 };
static int door = -1;
static int questions = -1;
static int callers[CALLERS] = {-1, -1, -1, -1};

static int bound(int type, uint16_t port) {
  struct sockaddr_in here = {};
  int yes = 1;
  int made = lwip_socket(AF_INET, type, 0);
  here.sin_family = AF_INET;
  here.sin_port = lwip_htons(port);
  if (made < 0) return -1;
  lwip_fcntl(made, F_SETFL, O_NONBLOCK);
  lwip_setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (lwip_bind(made, (struct sockaddr *)&here, sizeof here) == 0) return made;
  lwip_close(made);
  return -1;
}

static void group_join() {
  struct ip_mreq group = {};
  questions = bound(SOCK_DGRAM, MDNS_PORT);
  inet_pton(AF_INET, "224.0.0.251", &group.imr_multiaddr);
  if (questions >= 0) lwip_setsockopt(questions, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group);
}

static int door_listen(uint16_t tcp_port) {
  door = bound(SOCK_STREAM, tcp_port);
  if (door < 0 || lwip_listen(door, BACKLOG) != 0) return SHALLOT_E_PORT_NETWORK;
  group_join();
  return tcp_port;
}

static bool is_ready(int socket) {
  fd_set ready;
  struct timeval now = {0, 0};
  FD_ZERO(&ready);
  if (socket < 0) return false;
  FD_SET(socket, &ready);
  return lwip_select(socket + 1, &ready, nullptr, nullptr, &now) > 0;
}

static bool door_waits() { return is_ready(door); }
static bool door_is_readable(int place) { return is_ready(callers[place]); }

static int door_accept() {
  int place = 0;
  int yes = 1;
  while (place < CALLERS && callers[place] >= 0) place++;
  if (place == CALLERS) return SHALLOT_E_PORT_TIMEOUT;
  callers[place] = lwip_accept(door, nullptr, nullptr);
  if (callers[place] < 0) return SHALLOT_E_PORT_TIMEOUT;
  lwip_fcntl(callers[place], F_SETFL, O_NONBLOCK);
  lwip_setsockopt(callers[place], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return place;
}

static int door_read(int place, uint8_t *out, size_t capacity) {
  int count = (int)lwip_recv(callers[place], out, capacity, 0);
  if (count > 0) return count;
  return count == 0 ? SHALLOT_E_LINK_CLOSED : transfer_error();
}

static int door_write(int place, const uint8_t *data, size_t size) {
  int count = (int)lwip_send(callers[place], data, size, 0);
  return count > 0 ? count : transfer_error();
}

static void door_finish(int place) { lwip_shutdown(callers[place], SHUT_WR); }

static void door_close(int place) {
  if (callers[place] >= 0) lwip_close(callers[place]);
  callers[place] = -1;
}

static int name_hear(uint8_t *out, size_t capacity, struct asker *from) {
  struct sockaddr_in sender = {};
  socklen_t size = sizeof sender;
  int count = questions < 0 ? -1 : lwip_recvfrom(questions, out, capacity, 0, (struct sockaddr *)&sender, &size);
  if (count < 0) return SHALLOT_E_PORT_TIMEOUT;
  uint32_t own = WiFi.localIP();
  memcpy(from->address, &sender.sin_addr, sizeof from->address);
  memcpy(from->own, &own, sizeof from->own);
  from->udp_port = lwip_htons(sender.sin_port);
  return count;
}

static void name_say(const uint8_t *data, size_t size, const struct asker *to) {
  struct sockaddr_in asker = {};
  asker.sin_family = AF_INET;
  asker.sin_port = lwip_htons(to->udp_port);
  memcpy(&asker.sin_addr, to->address, sizeof to->address);
  lwip_sendto(questions, data, size, 0, (struct sockaddr *)&asker, sizeof asker);
}

static void door_wait(uint32_t timeout_ms, bool with_door) {
  const int watched[] = {connection, questions, with_door ? door : -1, callers[0], callers[1], callers[2], callers[3]};
  fd_set ready;
  int highest = -1;
  FD_ZERO(&ready);
  for (int socket : watched) {
    if (socket < 0) continue;
    FD_SET(socket, &ready);
    if (socket > highest) highest = socket;
  }
  struct timeval time = {(long)(timeout_ms / 1000), (long)(timeout_ms % 1000) * 1000};
  lwip_select(highest + 1, &ready, nullptr, nullptr, &time);
}

static const struct listener listener = {
    .listen = door_listen,
    .waits = door_waits,
    .accept = door_accept,
    .is_readable = door_is_readable,
    .read = door_read,
    .write = door_write,
    .finish = door_finish,
    .close = door_close,
    .hear = name_hear,
    .say = name_say,
    .wait = door_wait,
};
#define LISTENER &listener
#else
#define LISTENER nullptr
#endif

/* ---- pulses: a timer of LEDC for each pin that has asked ---- */

/* One less than the ESP32-C3's timers have: with all of them its hardware has no "always" (ESP-IDF's LEDC guide, on duty resolution). */
enum { WAVES = 4, DUTY_BITS = 13 };

struct Wave {
  int pin;
  uint32_t period_us; /* 0: its timer was not set up yet */
};

static Wave waves[WAVES] = {{NO_PIN, 0}, {NO_PIN, 0}, {NO_PIN, 0}, {NO_PIN, 0}};

static int wave_of(int pin) {
  for (int i = 0; i < WAVES; i++) {
    if (waves[i].pin == NO_PIN) waves[i].pin = pin;
    if (waves[i].pin == pin) return i;
  }
  return -1;
}

/* Two channels share a timer, so every second one is used. */
static int channel_of(int wave) { return 2 * wave; }

#if defined(CONFIG_IDF_TARGET_ESP32C3)
enum { CHANNELS = 6 };
#else
enum { CHANNELS = 16 };
#endif

/* Once: it sets the timer to its beginning, and a pulse that is under way begins again, longer than any that was asked for. */
static bool wave_begin(Wave *wave, int channel, uint32_t period_us) {
  if (wave->period_us == period_us) return true;
  if (ledcSetup(channel, 1000000 / period_us, DUTY_BITS) == 0) return false;
  ledcAttachPin(wave->pin, channel);
  wave->period_us = period_us;
  return true;
}

int board_pulse(int pin, uint32_t period_us, uint32_t high_us) {
  int wave = wave_of(pin);
  int channel = channel_of(wave);
  if (wave < 0 || channel >= CHANNELS || period_us == 0) return SHALLOT_E_DEVICE_FAULT;
  if (!wave_begin(&waves[wave], channel, period_us)) return SHALLOT_E_DEVICE_FAULT;
  ledcWrite(channel, (uint32_t)(((uint64_t)high_us << DUTY_BITS) / period_us));
  return 0;
}

/* ---- the camera of an ESP32-CAM ---- */

#if defined(SHALLOT_ESP32CAM)
static int capture_begin() {
  int pins[CAPTURE_PINS];
  for (int i = 0; i < CAPTURE_PINS; i++) pins[i] = pin_of((PinKind)(CAMERA_POWER_PIN + i), 0);
  return esp32cam_begin(pins, psramFound());
}
#define CAPTURE(call) call
#else
#define CAPTURE(call) nullptr
#endif

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
    .net_finish = net_finish,
    .net_read = net_read,
    .net_write = net_write,
    .net_close = net_close,
    .listener = LISTENER,
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
    .point_signer = nullptr,
    .capture_begin = CAPTURE(capture_begin),
    .capture_take = CAPTURE(esp32cam_take),
    .capture_read = CAPTURE(esp32cam_read),
    .capture_drop = CAPTURE(esp32cam_drop),
};
