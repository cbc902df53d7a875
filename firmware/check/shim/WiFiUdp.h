// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_WIFI_UDP_H
#define SHIM_WIFI_UDP_H

#include <Arduino.h>

class WiFiUDP {
 public:
  uint8_t begin(uint16_t port);
  int beginPacket(IPAddress address, uint16_t port);
  size_t write(const uint8_t *data, size_t size);
  int endPacket();
  int parsePacket();
  int read(unsigned char *out, size_t capacity);
  void stop();
};

#endif
