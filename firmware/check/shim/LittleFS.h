// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_LITTLE_FS_H
#define SHIM_LITTLE_FS_H

#include <Arduino.h>

class File {
 public:
  explicit operator bool() const;
  size_t size() const;
  size_t read(uint8_t *out, size_t size);
  size_t write(const uint8_t *data, size_t size);
  void close();
};

class LittleFSClass {
 public:
  bool begin();
  bool format();
  bool exists(const char *path);
  File open(const char *path, const char *mode);
  bool rename(const char *from, const char *to);
  bool remove(const char *path);
};
extern LittleFSClass LittleFS;

#endif
