// SPDX-License-Identifier: GPL-3.0-or-later
/* What ESP8266WiFi.h and WiFi.h declare alike; see Arduino.h. */
#ifndef SHIM_WIFI_TYPES_H
#define SHIM_WIFI_TYPES_H

#include <Arduino.h>

typedef enum {
  WL_NO_SSID_AVAIL = 1,
  WL_CONNECTED = 3,
  WL_CONNECT_FAILED = 4,
#if defined(ESP8266)
  WL_WRONG_PASSWORD = 6,
#endif
} wl_status_t;
typedef enum { WIFI_STA = 1 } WiFiMode_t;

class WiFiClass {
 public:
  void persistent(bool is_kept);
  bool mode(WiFiMode_t mode);
  bool setAutoReconnect(bool is_on);
  wl_status_t begin(const char *name, const char *password);
  bool disconnect();
  wl_status_t status();
  IPAddress localIP();
};
extern WiFiClass WiFi;

#endif
