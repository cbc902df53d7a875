// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Declarations of what the board ports use of Arduino's cores for the ESP8266 (3.1.2) and the ESP32 (2.0.17), written from their
 * documentation: their own headers are not to be had where our tests run. They let a compiler check the ports against the shapes of these
 * calls, and nothing more: no board has run what was compiled against them.
 */
#ifndef SHIM_ARDUINO_H
#define SHIM_ARDUINO_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LOW 0x0
#define HIGH 0x1
#define INPUT 0x01
#define OUTPUT 0x03
#define INPUT_PULLUP 0x05
#define OUTPUT_OPEN_DRAIN 0x13
#define FALLING 0x02
#define IRAM_ATTR __attribute__((section(".iram1.shim")))
#define digitalPinToInterrupt(pin) (pin)

extern "C" {
void setup(void);
void loop(void);
void delay(unsigned long ms);
void delayMicroseconds(uint32_t us);
unsigned long micros(void);
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
int digitalRead(uint8_t pin);
void attachInterrupt(uint8_t pin, void (*handler)(void), int mode);
void noInterrupts(void);
void interrupts(void);
unsigned long pulseIn(uint8_t pin, uint8_t state, unsigned long timeout_us);
#if defined(ESP8266)
uint64_t micros64(void);
void optimistic_yield(uint32_t interval_us);
#else
uint32_t ledcSetup(uint8_t channel, uint32_t frequency, uint8_t resolution_bits);
void ledcAttachPin(uint8_t pin, uint8_t channel);
void ledcWrite(uint8_t channel, uint32_t duty);
bool psramFound(void);
#endif
}

class IPAddress {
 public:
  IPAddress();
  IPAddress(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
  bool fromString(const char *text);
  operator uint32_t() const;
};

class HardwareSerial {
 public:
  void begin(unsigned long baud);
  int read();
  size_t println(const char *line);
};
extern HardwareSerial Serial;

class EspClass {
 public:
  uint32_t getCycleCount();
#if defined(ESP8266)
  void restart();
  static uint32_t getFlashChipRealSize();
  static uint32_t getFlashChipSize();
  static bool flashEraseSector(uint32_t sector);
  static bool flashWrite(uint32_t address, const uint8_t *data, size_t size);
  static bool flashRead(uint32_t address, uint32_t *data, size_t size);
#endif
};
extern EspClass ESP;

#endif
