// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * qemu-system-riscv32 -M virt: the instructions of the ESP32-C3, no board around them. Files are reached by semihosting, which acts in the
 * emulator's process. It cannot wait for a stream, so each stream is a serial line: the machine's own is the console, the two on a card
 * in its PCI slot 1 (pci-serial-2x) are the network and the control.
 */
#include "../sim.h"

#include <string.h>

/* The assembler wants to hear that there are such registers. */
__asm__(".option arch, +zicsr");

enum { CALL_OPEN = 0x01, CALL_CLOSE = 0x02, CALL_WRITE = 0x05, CALL_READ = 0x06, CALL_SEEK = 0x0a, CALL_EXIT = 0x20 };
/* fopen's "rb", "r+b" and "w+b" as semihosting numbers them, and its reason for an end that was wanted. */
enum { MODE_READ = 1, MODE_UPDATE = 3, MODE_CREATE = 7, REASON_EXIT = 0x20026 };
/* Semihosting counts from 0 too. */
enum { FILES_FROM = 16 };

/* A 16550's registers, one byte each. */
enum { DATA = 0, INTERRUPTS = 1, FIFO_CONTROL = 2, LINE_STATUS = 5 };
enum { BYTE_INTERRUPTS = 0x01, FIFO_ON = 0x01, HAS_BYTE = 0x01, HAS_ROOM = 0x20 };

static volatile uint8_t *const console_line = (volatile uint8_t *)0x10000000;
/* Where the card's lines are put within the window of PCI's ports. */
static volatile uint8_t *const network_line = (volatile uint8_t *)0x03001000;
static volatile uint8_t *const control_line = (volatile uint8_t *)0x03001008;
static volatile uint32_t *const card = (volatile uint32_t *)0x30008000;
enum { CARD_COMMAND = 1, CARD_FIRST_BASE = 4, PORTS_ON = 1, PORT_BASE = 0x1000 };

/* The machine's timer: 10 MHz, 64 bits in two halves. */
static volatile uint32_t *const timer = (volatile uint32_t *)0x0200bff8;
static volatile uint32_t *const alarm = (volatile uint32_t *)0x02004000;
enum { TICKS_PER_MS = 10000 };

/* The interrupt controller, where the console's line is source 10 and a card in slot 1 source 33; priorities are words from its start. */
static volatile uint32_t *const interrupts = (volatile uint32_t *)0x0c000000;
static volatile uint32_t *const enabled = (volatile uint32_t *)0x0c002000;
static volatile uint32_t *const claimed = (volatile uint32_t *)0x0c200004;
enum { CONSOLE_SOURCE = 10, CARD_SOURCE = 33 };
enum { TIMER_INTERRUPT = 1 << 7, EXTERNAL_INTERRUPT = 1 << 11 };

const char sim_board[] = "esp32c3-emulated";

void sim_begin(void) {
  card[CARD_FIRST_BASE] = PORT_BASE;
  card[CARD_COMMAND] = PORTS_ON;
  console_line[FIFO_CONTROL] = network_line[FIFO_CONTROL] = control_line[FIFO_CONTROL] = FIFO_ON;
  interrupts[CONSOLE_SOURCE] = interrupts[CARD_SOURCE] = 1;
  enabled[0] = 1u << CONSOLE_SOURCE;
  enabled[1] = 1u << (CARD_SOURCE - 32);
  /* They wake from a nap and do no more than that. */
  __asm__ volatile("csrs mie, %0" : : "r"(TIMER_INTERRUPT | EXTERNAL_INTERRUPT));
}

/* ---- time ---- */

static uint64_t now_ticks(void) {
  uint32_t high;
  uint32_t low;
  do {
    high = timer[1];
    low = timer[0];
  } while (high != timer[1]);
  return (uint64_t)high << 32 | low;
}

uint64_t now_ms(void) { return now_ticks() / TICKS_PER_MS; }

/* ---- files ---- */

static intptr_t semihost(uintptr_t number, const void *block) {
  register uintptr_t a0 __asm__("a0") = number;
  register const void *a1 __asm__("a1") = block;
  /* These three, uncompressed and within one page, are the call. */
  __asm__ volatile(
      ".option push\n.option norvc\n.balign 16\nslli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
  return (intptr_t)a0;
}

static int file_open(const char *path, uintptr_t mode) {
  const uintptr_t block[] = {(uintptr_t)path, mode, strlen(path)};
  intptr_t file = semihost(CALL_OPEN, block);
  return file < 0 ? -1 : (int)file + FILES_FROM;
}

/* What is there is not emptied first: nobody sees half of it. */
int sim_open(const char *path, int how) {
  if (how == READ_ONLY) return file_open(path, MODE_READ);
  int file = file_open(path, MODE_UPDATE);
  return file < 0 ? file_open(path, MODE_CREATE) : file;
}

/* Semihosting tells what was left over. */
static int file_transfer(uintptr_t number, int fd, const void *data, size_t size) {
  const uintptr_t block[] = {(uintptr_t)(fd - FILES_FROM), (uintptr_t)data, size};
  intptr_t left = semihost(number, block);
  return left < 0 || (size_t)left > size ? -1 : (int)(size - (size_t)left);
}

void sim_seek(int fd, uint32_t at) {
  const uintptr_t block[] = {(uintptr_t)(fd - FILES_FROM), at};
  semihost(CALL_SEEK, block);
}

void sim_close(int fd) {
  const uintptr_t block[] = {(uintptr_t)(fd - FILES_FROM)};
  semihost(CALL_CLOSE, block);
}

/* ---- streams ---- */

static volatile uint8_t *line_of(int fd) {
  if (fd == NETWORK) return network_line;
  return fd == CONTROL ? control_line : console_line;
}

enum { NAP_MS = 1000 };

static int has_byte(const volatile uint8_t *line) { return (line[LINE_STATUS] & HAS_BYTE) != 0; }

/* Sleeps until this line has a byte, or for that long; other lines disturb nobody. */
static void nap(volatile uint8_t *line, uint32_t ms) {
  uint64_t until = now_ticks() + (uint64_t)ms * TICKS_PER_MS;
  alarm[1] = UINT32_MAX;
  alarm[0] = (uint32_t)until;
  alarm[1] = (uint32_t)(until >> 32);
  line[INTERRUPTS] = BYTE_INTERRUPTS;
  __asm__ volatile("wfi" : : : "memory");
  line[INTERRUPTS] = 0;
  uint32_t source = *claimed;
  if (source != 0) *claimed = source;
}

int is_ready(int fd, int direction, uint32_t timeout_ms) {
  volatile uint8_t *line = line_of(fd);
  if (direction == WRITABLE || has_byte(line)) return 1;
  uint64_t deadline = now_ms() + timeout_ms;
  for (uint64_t now; (now = now_ms()) < deadline && !has_byte(line);) nap(line, (uint32_t)(deadline - now));
  return has_byte(line);
}

int sim_read(int fd, void *out, size_t capacity) {
  if (fd >= FILES_FROM) return file_transfer(CALL_READ, fd, out, capacity);
  volatile uint8_t *line = line_of(fd);
  uint8_t *at = out;
  while (!has_byte(line)) nap(line, NAP_MS);
  while (at < (uint8_t *)out + capacity && has_byte(line)) *at++ = line[DATA];
  return (int)(at - (uint8_t *)out);
}

int sim_write(int fd, const void *data, size_t size) {
  if (fd >= FILES_FROM) return file_transfer(CALL_WRITE, fd, data, size);
  volatile uint8_t *line = line_of(fd);
  const uint8_t *bytes = data;
  for (size_t i = 0; i < size; i++) {
    while ((line[LINE_STATUS] & HAS_ROOM) == 0) {}
    line[DATA] = bytes[i];
  }
  return (int)size;
}

/* ---- measuring, and the end ---- */

/* With -icount shift=5 the machine counts 32 ns for each instruction. */
uint64_t cycles(void) {
  uint32_t high;
  uint32_t low;
  uint32_t again;
  do __asm__ volatile("csrr %0, instreth\ncsrr %1, instret\ncsrr %2, instreth" : "=&r"(high), "=&r"(low), "=&r"(again));
  while (high != again);
  return ((uint64_t)high << 32 | low) / 32;
}

void sim_exit(int status) {
  const uintptr_t block[] = {REASON_EXIT, (uintptr_t)status};
  for (;;) semihost(CALL_EXIT, block);
}
