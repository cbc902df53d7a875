// SPDX-License-Identifier: GPL-3.0-or-later
#include "dht22.h"

enum {
  WAKE_US = 1000, /* table 6: 800 to 20,000 */
  ONE_US_LEAST = 50, /* a zero is 22 to 30, a one 68 to 75 */
  PULSE_US_MOST = 90,
  BYTES = 5,
  SIGN = 0x8000,
  TEMPERATURE_LEAST = -400,
  TEMPERATURE_MOST = 800,
  HUMIDITY_MOST = 1000
};

int dht22_decode(const uint16_t high_us[DHT22_PULSES], int32_t *temperature, int32_t *humidity) {
  uint8_t bytes[BYTES] = {0};
  for (int i = 0; i < 8 * BYTES; i++) {
    uint16_t width = high_us[i + 1];
    if (width > PULSE_US_MOST) return SHALLOT_FAULT_CHECKSUM;
    bytes[i / 8] = (uint8_t)(bytes[i / 8] << 1 | (width >= ONE_US_LEAST));
  }
  if ((uint8_t)(bytes[0] + bytes[1] + bytes[2] + bytes[3]) != bytes[4]) return SHALLOT_FAULT_CHECKSUM;
  int32_t wet = bytes[0] << 8 | bytes[1];
  int32_t warm = (bytes[2] << 8 | bytes[3]) & (SIGN - 1);
  if (bytes[2] & (SIGN >> 8)) warm = -warm; /* the sign apart, no two's complement */
  if (wet > HUMIDITY_MOST || warm < TEMPERATURE_LEAST || warm > TEMPERATURE_MOST) return SHALLOT_FAULT_RANGE;
  *temperature = warm * 10;
  *humidity = wet * 10;
  return 0;
}

int dht22_read(const struct dht22 *sensor, int32_t *temperature, int32_t *humidity) {
  uint16_t high_us[DHT22_PULSES];
  if (sensor->port->pulses_read(sensor->channel, WAKE_US, high_us, DHT22_PULSES) != 0) return SHALLOT_FAULT_ABSENT;
  return dht22_decode(high_us, temperature, humidity);
}
