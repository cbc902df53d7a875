// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * qemu-system-xtensa -M sim -cpu lx106: the ESP8266's instructions, no board around them. The outside is reached by simcalls, which act
 * in the emulator's process: its descriptors are ours.
 */
#include "../sim.h"

enum { CALL_EXIT = 1, CALL_READ = 3, CALL_WRITE = 4, CALL_OPEN = 5, CALL_CLOSE = 6, CALL_SEEK = 19, CALL_SELECT = 29 };
/* open(2) as Linux numbers it, for which our three are 0, 1 and 2 too: the emulator passes it on. */
enum { LINUX_CREATE = 0100, MODE = 0600 };

const char sim_board[] = "esp8266-emulated";

void sim_begin(void) {}

static int simcall(int number, uintptr_t a, uintptr_t b, uintptr_t c) {
  register int r2 __asm__("a2") = number;
  register uintptr_t r3 __asm__("a3") = a;
  register uintptr_t r4 __asm__("a4") = b;
  register uintptr_t r5 __asm__("a5") = c;
  __asm__ volatile("simcall" : "+r"(r2), "+r"(r3) : "r"(r4), "r"(r5) : "memory");
  return r2;
}

int sim_open(const char *path, int how) {
  return simcall(CALL_OPEN, (uintptr_t)path, how == READ_ONLY ? 0 : (uintptr_t)(LINUX_CREATE | how), MODE);
}

int sim_read(int fd, void *out, size_t capacity) { return simcall(CALL_READ, (uintptr_t)fd, (uintptr_t)out, capacity); }

int sim_write(int fd, const void *data, size_t size) { return simcall(CALL_WRITE, (uintptr_t)fd, (uintptr_t)data, size); }

void sim_seek(int fd, uint32_t at) { simcall(CALL_SEEK, (uintptr_t)fd, at, 0); }

void sim_close(int fd) { simcall(CALL_CLOSE, (uintptr_t)fd, 0, 0); }

int is_ready(int fd, int direction, uint32_t timeout_ms) {
  uint32_t time[2] = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
  return simcall(CALL_SELECT, (uintptr_t)fd, (uintptr_t)direction, (uintptr_t)time) > 0;
}

/* The host's uptime, "12345.67 …" seconds: the one clock that a simcall can read, hundredths of a second fine. */
uint64_t now_ms(void) {
  static int uptime = -1;
  char text[24];
  if (uptime < 0) uptime = sim_open("/proc/uptime", READ_ONLY);
  sim_seek(uptime, 0);
  int size = sim_read(uptime, text, sizeof text);
  uint64_t hundredths = 0;
  for (int i = 0; i < size && text[i] != ' '; i++)
    if (text[i] != '.') hundredths = hundredths * 10 + (uint64_t)(text[i] - '0');
  if (size <= 0 || hundredths == 0) sim_exit(1);
  return hundredths * 10;
}

/* CCOUNT runs at 40 MHz of emulated time; with -icount shift=5 an instruction takes 32 ns of it. */
uint64_t cycles(void) {
  static uint32_t last;
  static uint64_t total;
  uint32_t now;
  __asm__ volatile("rsr.ccount %0" : "=r"(now) : : "memory");
  total += (uint32_t)(now - last);
  last = now;
  return total * 25 / 32;
}

void sim_exit(int status) {
  for (;;) simcall(CALL_EXIT, (uintptr_t)status, 0, 0);
}
