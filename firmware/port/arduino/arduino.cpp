// SPDX-License-Identifier: GPL-3.0-or-later
#include "arduino.h"

#include <Arduino.h>
#include <LittleFS.h>
#include <WiFiUdp.h>
#include <string.h>
#if defined(ESP8266)
#include <ESP8266WiFi.h>
#else
#include <WiFi.h>
#endif

/* ---- waiting, and the network ---- */

/* The core's own work is done while we wait. */
void board_sleep_ms(uint32_t ms) { delay(ms); }

enum { POLL_MS = 1, LEAVE_MS_MAX = 1000, SCAN_MS_MAX = 4000 };

void board_radio_begin() {
  WiFi.persistent(false);
  WiFi.mode(WIFI_STA);
  WiFi.setAutoReconnect(true);
}

/* The status is of the network before until it was left; an ESP32's is what the last event said. */
static void network_leave() {
  uint64_t deadline = board_now_ms() + LEAVE_MS_MAX;
  WiFi.disconnect();
  while (WiFi.status() == WL_CONNECTED && board_now_ms() < deadline) delay(POLL_MS);
}

static int refusal_of(int status) {
  if (status == WL_NO_SSID_AVAIL) return SHALLOT_E_WIFI_ABSENT;
#if defined(ESP8266)
  if (status == WL_WRONG_PASSWORD) return SHALLOT_E_WIFI_REFUSED;
#endif
  return status == WL_CONNECT_FAILED ? SHALLOT_E_WIFI_REFUSED : 0;
}

/* That a try before was refused stands in the status too, until this one has looked for its network. */
int board_wifi_join(const char *name, const char *password, uint32_t timeout_ms) {
  network_leave();
  uint64_t began = board_now_ms();
  WiFi.begin(name, password[0] == '\0' ? nullptr : password);
  for (uint64_t passed = 0; passed < timeout_ms; passed = board_now_ms() - began) {
    int status = WiFi.status();
    if (status == WL_CONNECTED) return 0;
    if (passed >= SCAN_MS_MAX && refusal_of(status) != 0) return refusal_of(status);
    delay(POLL_MS);
  }
  return timeout_ms == 0 ? 0 : SHALLOT_E_PORT_TIMEOUT;
}

enum { MDNS_PORT = 5353, FIRST_FREE_PORT = 49152, FREE_PORTS = 16384 };

int board_lan_ask(const uint8_t *question, size_t size, uint8_t *answer, size_t capacity, uint32_t timeout_ms) {
  uint16_t drawn;
  WiFiUDP datagrams;
  if (board.random((uint8_t *)&drawn, sizeof drawn) != 0) return SHALLOT_E_PORT_NETWORK;
  if (!datagrams.begin(FIRST_FREE_PORT + drawn % FREE_PORTS)) return SHALLOT_E_PORT_NETWORK;
  bool is_sent = datagrams.beginPacket(IPAddress(224, 0, 0, 251), MDNS_PORT) && datagrams.write(question, size) == size && datagrams.endPacket();
  int count = is_sent ? 0 : SHALLOT_E_PORT_NETWORK;
  for (uint64_t deadline = board_now_ms() + timeout_ms; count == 0 && board_now_ms() < deadline; delay(POLL_MS))
    if (datagrams.parsePacket() > 0) count = datagrams.read(answer, capacity);
  datagrams.stop();
  return count == 0 ? SHALLOT_E_PORT_TIMEOUT : count;
}

/* ---- storage: a file in LittleFS for each blob, which renames in one piece ---- */

enum { PATH_BYTES = PORT_BLOB_NAME_CHARS_MAX + 6 };

static void path_write(char path[PATH_BYTES], const char *name, const char *end) { snprintf(path, PATH_BYTES, "/%s%s", name, end); }

static bool name_is_good(const char *name) {
  size_t size = strlen(name);
  return size > 0 && size <= PORT_BLOB_NAME_CHARS_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

int board_blob_read(const char *name, uint8_t *out, size_t capacity) {
  char path[PATH_BYTES];
  if (!name_is_good(name)) return SHALLOT_E_PORT_STORAGE;
  path_write(path, name, "");
  if (!LittleFS.exists(path)) return SHALLOT_E_MISSING;
  File file = LittleFS.open(path, "r");
  if (!file) return SHALLOT_E_PORT_STORAGE;
  size_t size = file.size();
  int count = size > capacity ? SHALLOT_E_OUT_OF_SPACE : size == 0 ? 0 : (int)file.read(out, size);
  file.close();
  return size <= capacity && count != (int)size ? SHALLOT_E_PORT_STORAGE : count;
}

/* close() has nobody to tell that what was still to be written was not. */
static bool has_size(const char *path, size_t size) {
  File file = LittleFS.open(path, "r");
  bool has = file && file.size() == size;
  file.close();
  return has;
}

int board_blob_write(const char *name, const uint8_t *data, size_t size) {
  char path[PATH_BYTES];
  char fresh[PATH_BYTES];
  if (!name_is_good(name) || size > PORT_BLOB_BYTES_MAX) return SHALLOT_E_PORT_STORAGE;
  path_write(path, name, "");
  path_write(fresh, name, ".new");
  File file = LittleFS.open(fresh, "w");
  if (!file) return SHALLOT_E_PORT_STORAGE;
  bool is_whole = file.write(data, size) == size;
  file.close();
  return is_whole && has_size(fresh, size) && LittleFS.rename(fresh, path) ? 0 : SHALLOT_E_PORT_STORAGE;
}

int board_blob_remove(const char *name) {
  char path[PATH_BYTES];
  if (!name_is_good(name)) return SHALLOT_E_PORT_STORAGE;
  path_write(path, name, "");
  return !LittleFS.exists(path) || LittleFS.remove(path) ? 0 : SHALLOT_E_PORT_STORAGE;
}

/* ---- the console is the serial line ---- */

void board_log(const char *line) { Serial.println(line); }

int board_read_line(char *out, size_t capacity, uint32_t timeout_ms) {
  static size_t typed;
  uint64_t deadline = board_now_ms() + timeout_ms;
  for (;;) {
    int letter = Serial.read();
    if (letter < 0) {
      if (board_now_ms() >= deadline) return SHALLOT_E_PORT_TIMEOUT;
      delay(POLL_MS);
      continue;
    }
    if (letter == '\r') continue;
    if (letter != '\n') {
      if (typed < capacity) out[typed] = (char)letter;
      typed++;
      continue;
    }
    size_t length = typed;
    typed = 0;
    if (length >= capacity) return SHALLOT_E_OUT_OF_SPACE;
    out[length] = '\0';
    return (int)length;
  }
}
