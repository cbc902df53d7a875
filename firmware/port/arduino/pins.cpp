// SPDX-License-Identifier: GPL-3.0-or-later
/* Pins and buses, for the two board ports: which GPIO is meant, and Arduino's words for it. */
#include "arduino.h"

#include <Arduino.h>
#include <LittleFS.h>
#include <Wire.h>

#include "../../wiring/gen/pins.h"
#include "../wiegand.h"

#define SPELLED(name) #name
#define SPELL(name) SPELLED(name)

struct Pin {
  PinKind kind;
  int channel;
  int gpio;
};

static constexpr bool same(const char *one, const char *other) {
  return *one == *other && (*one == '\0' || same(one + 1, other + 1));
}

/* Of the pins of all apps those of ours; the others are nothing. */
#define PIN(app, kind, channel, gpio) {same(#app, SPELL(SHALLOT_APP)) ? kind##_PIN : NOTHING, channel, gpio},
static constexpr Pin pins[] = {
#if defined(ESP8266)
    SHALLOT_WIRING_ESP8266(PIN)
#elif defined(CONFIG_IDF_TARGET_ESP32C3)
    SHALLOT_WIRING_ESP32C3(PIN)
#elif defined(SHALLOT_ESP32CAM)
    SHALLOT_WIRING_ESP32CAM(PIN)
#else
    SHALLOT_WIRING_ESP32(PIN)
#endif
};

int pin_of(PinKind kind, int channel) {
  for (const Pin &pin : pins)
    if (pin.kind == kind && pin.channel == channel) return pin.gpio;
  return NO_PIN;
}

/* ---- levels and pulses ---- */

enum { LEVEL_FULL = 1000, PWM_PERIOD_US = 1000 };

int board_output_set(int channel, int32_t level) {
  int pin = pin_of(OUTPUT_PIN, channel);
  if (pin == NO_PIN || level < 0 || level > LEVEL_FULL) return SHALLOT_E_DEVICE_FAULT;
  return board_pulse(pin, PWM_PERIOD_US, (uint32_t)level * PWM_PERIOD_US / LEVEL_FULL);
}

int board_pulse_set(int channel, uint16_t period_us, uint16_t high_us) {
  int pin = pin_of(PULSE_PIN, channel);
  if (pin == NO_PIN || high_us > period_us) return SHALLOT_E_DEVICE_FAULT;
  return board_pulse(pin, period_us, high_us);
}

int board_pin_read(int channel) {
  int pin = pin_of(INPUT_PIN, channel);
  if (pin == NO_PIN) return SHALLOT_E_DEVICE_FAULT;
  return digitalRead(pin) != LOW;
}

enum { PULSE_WAIT_US = 1000 };

int board_pulses_read(int channel, uint16_t wake_us, uint16_t *high_us, size_t count) {
  int pin = pin_of(LINE_PIN, channel);
  if (pin == NO_PIN) return SHALLOT_E_DEVICE_FAULT;
  pinMode(pin, OUTPUT_OPEN_DRAIN);
  digitalWrite(pin, LOW);
  delayMicroseconds(wake_us);
  noInterrupts();
  digitalWrite(pin, HIGH);
  size_t got = 0;
  for (unsigned long width; got < count && (width = pulseIn(pin, HIGH, PULSE_WAIT_US)) > 0; got++) high_us[got] = (uint16_t)width;
  interrupts();
  return got == count ? 0 : SHALLOT_E_DEVICE_FAULT;
}

/* ---- I2C ---- */

int board_i2c_transfer(uint8_t address, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  if (pin_of(SDA_PIN, 0) == NO_PIN) return SHALLOT_E_DEVICE_FAULT;
  if (out_size > PORT_TRANSFER_BYTES_MAX || in_size > PORT_TRANSFER_BYTES_MAX) return SHALLOT_E_DEVICE_FAULT;
  if (out_size > 0 || in_size == 0) {
    Wire.beginTransmission(address);
    Wire.write(out, out_size);
    if (Wire.endTransmission(in_size == 0) != 0) return SHALLOT_E_DEVICE_FAULT;
  }
  if (in_size > 0 && Wire.requestFrom(address, in_size) != in_size) return SHALLOT_E_DEVICE_FAULT;
  for (size_t i = 0; i < in_size; i++) in[i] = (uint8_t)Wire.read();
  return 0;
}

/* ---- 1-Wire, by the times of the DS18B20's data sheet, in microseconds ---- */

enum { RESET_LOW = 480, PRESENCE_AT = 70, RESET_REST = 410, SLOT_SHORT = 6, SLOT_LONG = 60, SLOT_REST = 10, SAMPLE_AT = 9, SAMPLE_REST = 55 };

static bool onewire_reset(int pin) {
  digitalWrite(pin, LOW);
  delayMicroseconds(RESET_LOW);
  noInterrupts();
  digitalWrite(pin, HIGH);
  delayMicroseconds(PRESENCE_AT);
  bool is_there = digitalRead(pin) == LOW;
  interrupts();
  delayMicroseconds(RESET_REST);
  return is_there;
}

static void onewire_write_bit(int pin, bool bit) {
  noInterrupts();
  digitalWrite(pin, LOW);
  delayMicroseconds(bit ? SLOT_SHORT : SLOT_LONG);
  digitalWrite(pin, HIGH);
  interrupts();
  delayMicroseconds(bit ? SLOT_LONG : SLOT_REST);
}

static bool onewire_read_bit(int pin) {
  noInterrupts();
  digitalWrite(pin, LOW);
  delayMicroseconds(SLOT_SHORT);
  digitalWrite(pin, HIGH);
  delayMicroseconds(SAMPLE_AT);
  bool bit = digitalRead(pin) != LOW;
  interrupts();
  delayMicroseconds(SAMPLE_REST);
  return bit;
}

int board_onewire_transfer(int channel, const uint8_t *out, size_t out_size, uint8_t *in, size_t in_size) {
  int pin = pin_of(LINE_PIN, channel);
  if (pin == NO_PIN || out_size > PORT_TRANSFER_BYTES_MAX || in_size > PORT_TRANSFER_BYTES_MAX) return SHALLOT_E_DEVICE_FAULT;
  pinMode(pin, OUTPUT_OPEN_DRAIN);
  if (!onewire_reset(pin)) return SHALLOT_E_DEVICE_FAULT;
  for (size_t i = 0; i < 8 * out_size; i++) onewire_write_bit(pin, out[i / 8] >> i % 8 & 1);
  for (size_t i = 0; i < in_size; i++) in[i] = 0;
  for (size_t i = 0; i < 8 * in_size; i++) in[i / 8] = (uint8_t)(in[i / 8] | onewire_read_bit(pin) << i % 8);
  return 0;
}

/* ---- Wiegand ---- */

static volatile struct wiegand reader;

static void IRAM_ATTR on_zero() { wiegand_bit(&reader, 0, micros()); }
static void IRAM_ATTR on_one() { wiegand_bit(&reader, 1, micros()); }

int board_wiegand_read(uint64_t *bits) {
  noInterrupts();
  int count = wiegand_take(&reader, bits, micros());
  interrupts();
  return count;
}

/* ---- the start ---- */

/* Outputs are off before anything else happens. */
static void pins_begin() {
  for (const Pin &pin : pins) {
    if (pin.kind == OUTPUT_PIN || pin.kind == PULSE_PIN) digitalWrite(pin.gpio, LOW), pinMode(pin.gpio, OUTPUT);
    if (pin.kind == INPUT_PIN || pin.kind == WIEGAND_0_PIN || pin.kind == WIEGAND_1_PIN) pinMode(pin.gpio, INPUT_PULLUP);
    if (pin.kind == WIEGAND_0_PIN) attachInterrupt(digitalPinToInterrupt(pin.gpio), on_zero, FALLING);
    if (pin.kind == WIEGAND_1_PIN) attachInterrupt(digitalPinToInterrupt(pin.gpio), on_one, FALLING);
  }
  if (pin_of(SDA_PIN, 0) != NO_PIN) Wire.begin(pin_of(SDA_PIN, 0), pin_of(SCL_PIN, 0));
}

enum { CONSOLE_BAUD = 115200 };

/*
 * The radio is on before anything is drawn by chance, which both chips take from its noise, and before anybody listens: an ESP32 has no TCP
 * until then.
 */
void setup() {
  pins_begin();
  Serial.begin(CONSOLE_BAUD);
  board_radio_begin();
  if (!LittleFS.begin() && (!LittleFS.format() || !LittleFS.begin())) board_log("no storage");
  app_main(&board);
}

/* app_main comes back when a board has no chance that is fit for keys; there is nothing to be done then. */
void loop() { delay(1000); }
