// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * As much of an ESP8266 as its boot loader and an image's first steps see: a flash in a file, the ROM's calls, its loading of the first sector, one
 * megabyte of flash that is mapped. The emulator has the chip's memory at the chip's addresses, RTC memory too.
 * In: `flash` in the working directory; `power`, if it is there: after how many erasures and writes the power goes, in the middle of the next. What
 * the real ROM would not do (addresses that are not of words, memory that is none) ends the run.
 * Absent on purpose: time, the watchdog, what SPI does while code is run from flash.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../port/qemu/sim.h"

enum { ENDED_POWER = 99, ENDED_OFFENCE = 98, ENDED_IDLE = 97, ENDED_NO_BOOT = 96 };
enum { SECTOR = 4096, MEGABYTE = 0x100000, MAGIC = 0xe9, WAITS_MAX = 2, GONE = -1, NO_CUT = -2, UNREAD = -3 };
#define MAPPED ((uint8_t *)0x40200000u)

static int flash = UNREAD;
static int power = UNREAD; /* operations that are left, NO_CUT, or GONE in the middle of one */
static int operations;
static int waits;
static bool has_watchdog = true;
static bool is_mapped;

static void say(const char *text) {
  size_t size = 0;
  while (text[size] != '\0') size++;
  sim_write(CONSOLE_OUT, text, size);
}

static void say_number(uint32_t number) {
  char text[11];
  char *at = text + sizeof text - 1;
  *at = '\0';
  do *--at = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  say(at);
}

static _Noreturn void offence(const char *what) {
  say("offence: ");
  say(what);
  say("\n");
  sim_exit(ENDED_OFFENCE);
}

/* ---- flash ---- */

static int file(void) {
  if (flash < 0) flash = sim_open("flash", READ_WRITE_AND_CREATE);
  if (flash < 0) offence("no flash");
  return flash;
}

static int power_read(void) {
  char text[8];
  int fd = sim_open("power", READ_ONLY);
  if (fd < 0) return NO_CUT;
  int size = sim_read(fd, text, sizeof text);
  int number = 0;
  for (int i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++) number = number * 10 + (text[i] - '0');
  sim_close(fd);
  return number;
}

/* How many bytes of an operation still happen. */
static uint32_t power_for(uint32_t size) {
  if (power == UNREAD) power = power_read();
  operations++;
  if (power == NO_CUT) return size;
  return power-- > 0 ? size : size / 2;
}

static void power_check(void) {
  if (power == GONE) sim_exit(ENDED_POWER);
}

static void aligned(uint32_t at, const void *memory, uint32_t size) {
  if (at % 4 != 0 || (uintptr_t)memory % 4 != 0 || size % 4 != 0) offence("not words");
}

int chip_read(uint32_t at, void *out, uint32_t size);
int chip_read(uint32_t at, void *out, uint32_t size) {
  aligned(at, out, size);
  sim_seek(file(), at);
  return sim_read(file(), out, size) == (int)size ? 0 : 1;
}

/* As flash does it: bits only fall. */
int chip_write(uint32_t at, const void *data, uint32_t size);
int chip_write(uint32_t at, const void *data, uint32_t size) {
  const uint8_t *from = data;
  uint32_t step;
  aligned(at, data, size);
  uint32_t done = power_for(size);
  for (uint32_t i = 0; i < done; i += step) {
    uint8_t bytes[64];
    step = done - i < sizeof bytes ? done - i : (uint32_t)sizeof bytes;
    sim_seek(file(), at + i);
    if (sim_read(file(), bytes, step) != (int)step) return 1;
    for (uint32_t k = 0; k < step; k++) bytes[k] &= from[i + k];
    sim_seek(file(), at + i);
    sim_write(file(), bytes, step);
  }
  power_check();
  return 0;
}

int chip_erase(uint32_t sector);
int chip_erase(uint32_t sector) {
  uint8_t erased[64];
  for (size_t i = 0; i < sizeof erased; i++) erased[i] = 0xff;
  uint32_t done = power_for(SECTOR);
  if (sector == 0) offence("the boot loader's own sector");
  sim_seek(file(), sector * SECTOR);
  for (uint32_t i = 0; i < done; i += sizeof erased) sim_write(file(), erased, sizeof erased);
  power_check();
  return 0;
}

void chip_cache(uint8_t odd, uint8_t pair, uint8_t size);
void chip_cache(uint8_t odd, uint8_t pair, uint8_t size) {
  (void)size;
  for (uint32_t i = 0; i < MEGABYTE && !is_mapped; i += 4)
    if (*(volatile uint32_t *)(MAPPED + i) != 0) offence("a write to where flash will be");
  if (!has_watchdog) offence("an image without a watchdog");
  is_mapped = true;
  sim_seek(file(), (uint32_t)(pair * 2 + odd) * MEGABYTE);
  sim_read(file(), MAPPED, MEGABYTE);
}

/* ---- the rest of the ROM ---- */

int chip_printf(const char *format, ...);
int chip_printf(const char *format, ...) {
  va_list values;
  va_start(values, format);
  for (; *format != '\0'; format++) {
    if (*format != '%') sim_write(CONSOLE_OUT, format, 1);
    else if (*++format == 'd') say_number(va_arg(values, uint32_t));
    else offence("a format that this ROM does not know");
  }
  va_end(values);
  return 0;
}

void chip_delay(uint32_t us);
void chip_delay(uint32_t us) {
  (void)us;
  if (has_watchdog) offence("waits with a watchdog");
  if (++waits < WAITS_MAX) return;
  say("operations ");
  say_number((uint32_t)operations);
  say("\n");
  sim_exit(ENDED_IDLE);
}

void chip_wdt_enable(uint32_t mode, uint32_t first, uint32_t second);
void chip_wdt_enable(uint32_t mode, uint32_t first, uint32_t second) { has_watchdog = mode == 4 && first == 12 && second == 12; }

uint32_t chip_wdt_disable(void);
uint32_t chip_wdt_disable(void) {
  has_watchdog = false;
  return 0;
}

void *chip_memcpy(void *to, const void *from, size_t size);
void *chip_memcpy(void *to, const void *from, size_t size) {
  for (size_t i = 0; i < size; i++) ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
  return to;
}

void *chip_memset(void *to, int byte, size_t size);
void *chip_memset(void *to, int byte, size_t size) {
  for (size_t i = 0; i < size; i++) ((volatile uint8_t *)to)[i] = (uint8_t)byte;
  return to;
}

static uint32_t word_at(const uint8_t *bytes) {
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* What the ROM does with the first sector, checksum included. */
void chip_start(void);
void chip_start(void) {
  static uint8_t sector[SECTOR] __attribute__((aligned(4)));
  uint8_t checksum = 0xef;
  uint32_t at = 8;
  has_watchdog = true;
  is_mapped = false;
  for (uint32_t i = 0; i < MEGABYTE; i += 4) *(volatile uint32_t *)(MAPPED + i) = 0;
  if (chip_read(0, sector, sizeof sector) != 0 || sector[0] != MAGIC) sim_exit(ENDED_NO_BOOT);
  for (unsigned segment = 0; segment < sector[1]; segment++) {
    volatile uint32_t *to = (volatile uint32_t *)word_at(sector + at);
    uint32_t size = word_at(sector + at + 4);
    at += 8;
    if (size > SECTOR - at) sim_exit(ENDED_NO_BOOT);
    for (uint32_t i = 0; i < size; i += 4) to[i / 4] = word_at(sector + at + i);
    for (uint32_t i = 0; i < size; i++) checksum ^= sector[at + i];
    at += size;
  }
  if (sector[at / 16 * 16 + 15] != checksum) sim_exit(ENDED_NO_BOOT);
  ((void (*)(void))word_at(sector + 4))();
  sim_exit(ENDED_NO_BOOT);
}
