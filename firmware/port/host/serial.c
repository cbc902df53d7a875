// SPDX-License-Identifier: GPL-3.0-or-later
#include "serial.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int line_end = -1;

/* The other end stays open here too: a line does not hang up because nobody listens. */
static int far_end_open(const char *name) {
  struct termios settings;
  int far_end = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (far_end < 0 || tcgetattr(far_end, &settings) != 0) return -1;
  cfmakeraw(&settings);
  return tcsetattr(far_end, TCSANOW, &settings);
}

int serial_open(void) {
  int end = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  const char *name = end < 0 || grantpt(end) != 0 || unlockpt(end) != 0 ? NULL : ptsname(end);
  if (name == NULL || far_end_open(name) != 0) {
    perror("pseudo-terminal");
    return -1;
  }
  line_end = end;
  printf("serial %s\n", name);
  fflush(stdout);
  return 0;
}

int serial_input(void) { return line_end >= 0 ? line_end : STDIN_FILENO; }

static void put(const char *bytes, size_t size) {
  /* A short write is what a line without a listener does: the rest is gone. */
  ssize_t count = write(line_end, bytes, size);
  (void)count;
}

void serial_write(const char *line) {
  if (line_end < 0) return;
  put(line, strlen(line));
  put("\r\n", 2);
}
