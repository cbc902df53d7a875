// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Does what an ESP8266 cannot, on request, to show that the flash check sees it: without this program a check that
 * checks nothing would pass every test. One line on the console: word, byte, half, outside, store. Only the first is
 * allowed, and answered `word ok`; the others end the emulator with status 191 before they are answered. unaligned is
 * for the sanitize port: the emulator reads another word than it was told, and nobody can tell.
 */
#include <string.h>

#include "../port/port.h"

IN_FLASH(static const uint32_t table[2]) = {0x01020304, 0x05060708};
static uint32_t words[2];
static char line[32];

/* Just above the DRAM that port/qemu/lx106/lx106.ld hands out. */
#define OUTSIDE 0x3ffed000u

static void offend(const char *what) {
  uintptr_t flash = (uintptr_t)table;
  if (strcmp(what, "word") == 0) (void)*(const volatile uint32_t *)flash;
  if (strcmp(what, "byte") == 0) (void)*(const volatile uint8_t *)flash;
  if (strcmp(what, "half") == 0) (void)*(const volatile uint16_t *)flash;
  if (strcmp(what, "unaligned") == 0) (void)*(const volatile uint32_t *)((uintptr_t)words + 1);
  if (strcmp(what, "outside") == 0) (void)*(const volatile uint32_t *)(uintptr_t)OUTSIDE;
  if (strcmp(what, "store") == 0) *(volatile uint32_t *)flash = 0;
}

int app_main(const struct port *port) {
  int size = port->read_line(line, sizeof line, 10000);
  if (size < 0) return 1;
  offend(line);
  memcpy(line + size, " ok", 4);
  port->log(line);
  return 0;
}
