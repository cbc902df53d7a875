// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Sensirion SHT3x-DIS on I2C (datasheet version 5, May 2018): temperature and relative humidity, single shots of high repeatability (§4.3).
 * Out: hundredths of a degree Celsius and of a per cent. A look takes about 16 ms.
 */
#ifndef SHALLOT_SHT3X_H
#define SHALLOT_SHT3X_H

#include <stdint.h>

#include "../port/port.h"
#include "health.h"

/* The address with the pin ADDR low (table 8). */
#define SHT3X_ADDRESS 0x44

struct sht3x {
  const struct port *port;
  uint8_t address;
  struct health health;
};

struct climate {
  int32_t temperature; /* 0.01 Cel */
  int32_t humidity;    /* 0.01 %RH */
};

/* 0 and a climate, or SHALLOT_FAULT_ABSENT, _CHECKSUM, _RANGE or _STUCK. Takes no look into account but this one and, for stuck, the words before it. */
int sht3x_read(struct sht3x *sensor, struct climate *climate);

/* The checksum of §4.12 over the two bytes of a word. */
uint8_t sht3x_checksum(const uint8_t word[2]);

#endif
