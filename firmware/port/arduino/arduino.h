// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the two board ports share: all of port.h that Arduino's core has the same words for on an ESP8266 and on ESP32s. The folder of each
 * chip adds time, chance, TCP and pulses, and fills the struct.
 * Absent on purpose: logic. What a pin is for comes from firmware/wiring, for the one app that SHALLOT_APP names.
 * Compiled against declarations (check/shim), not verified on silicon.
 */
#ifndef SHALLOT_ARDUINO_H
#define SHALLOT_ARDUINO_H

#include <stddef.h>
#include <stdint.h>

extern "C" {
#include "../port.h"
}

/* Of pins: what firmware/wiring/gen/pins.h calls them. */
enum PinKind {
  NOTHING,
  OUTPUT_PIN,
  PULSE_PIN,
  INPUT_PIN,
  LINE_PIN,
  SDA_PIN,
  SCL_PIN,
  WIEGAND_0_PIN,
  WIEGAND_1_PIN,
  /* The order of esp32cam/capture.h. */
  CAMERA_POWER_PIN,
  CAMERA_CLOCK_PIN,
  CAMERA_SDA_PIN,
  CAMERA_SCL_PIN,
  CAMERA_D0_PIN,
  CAMERA_D1_PIN,
  CAMERA_D2_PIN,
  CAMERA_D3_PIN,
  CAMERA_D4_PIN,
  CAMERA_D5_PIN,
  CAMERA_D6_PIN,
  CAMERA_D7_PIN,
  CAMERA_VSYNC_PIN,
  CAMERA_HREF_PIN,
  CAMERA_PCLK_PIN
};

enum { NO_PIN = -1 };

/* The GPIO of a channel, or NO_PIN. */
int pin_of(PinKind kind, int channel);

/* Written by the folder of the chip. */
extern const struct port board;
uint64_t board_now_ms();
/* Makes a pin repeat a pulse, high for high_us of every period_us. */
int board_pulse(int pin, uint32_t period_us, uint32_t high_us);

/* Switches the radio on, without a network yet. */
void board_radio_begin();

/* As port.h has them. */
void board_sleep_ms(uint32_t ms);
int board_wifi_join(const char *name, const char *password, uint32_t timeout_ms);
int board_lan_ask(const uint8_t *question, size_t size, uint8_t *answer, size_t capacity, uint32_t timeout_ms);
int board_blob_read(const char *name, uint8_t *out, size_t capacity);
int board_blob_write(const char *name, const uint8_t *data, size_t size);
int board_blob_remove(const char *name);
void board_log(const char *line);
int board_read_line(char *out, size_t capacity, uint32_t timeout_ms);
int board_output_set(int channel, int32_t level);
int board_pulse_set(int channel, uint16_t period_us, uint16_t high_us);
int board_pin_read(int channel);
int board_pulses_read(int channel, uint16_t wake_us, uint16_t *high_us, size_t count);
int board_i2c_transfer(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size);
int board_onewire_transfer(int channel, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size);
int board_wiegand_read(uint64_t *bits);

#endif
