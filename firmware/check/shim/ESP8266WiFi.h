// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_ESP8266_WIFI_H
#define SHIM_ESP8266_WIFI_H

#include "WiFiTypes.h"

class WiFiClient {
 public:
  void setTimeout(unsigned long ms);
  int connect(IPAddress address, uint16_t port);
  void setNoDelay(bool is_on);
  int available();
  uint8_t connected();
  int read(uint8_t *out, size_t capacity);
  int availableForWrite();
  size_t write(const uint8_t *data, size_t size);
  void abort();
};

#endif
