// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_WIRE_H
#define SHIM_WIRE_H

#include <Arduino.h>

class TwoWire {
 public:
  void begin(int sda, int scl);
  void beginTransmission(uint8_t address);
  size_t write(const uint8_t *data, size_t size);
  uint8_t endTransmission(bool is_stopping);
  size_t requestFrom(uint8_t address, size_t size);
  int read();
};
extern TwoWire Wire;

#endif
