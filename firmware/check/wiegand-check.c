// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How the board ports gather a Wiegand reader's bursts (port/wiegand.h), with interrupts and a clock of this program's own.
 * Prints a line `ok CLAIM` or `FAILED CLAIM` for each; the status is the number that failed.
 */
#include <stdbool.h>
#include <string.h>

#include "../core/line.h"
#include "../port/wiegand.h"

static const struct port *console;
static int failed;
static struct wiegand reader;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

enum { BIT_US = 2000 };

/* The lowest `count` bits of a burst, the first one highest; when the last came. */
static uint32_t swipe(uint64_t bits, int count, uint32_t at_us) {
  for (int i = count - 1; i >= 0; i--, at_us += BIT_US) wiegand_bit(&reader, bits >> i & 1, at_us);
  return at_us - BIT_US;
}

static bool takes(int count, uint64_t wanted, uint32_t now_us) {
  uint64_t bits = 0;
  return wiegand_take(&reader, &bits, now_us) == count && bits == wanted;
}

static void bursts_claims(void) {
  uint32_t end = swipe(0x2345678, 26, 1000);
  claim(takes(0, 0, end + WIEGAND_PAUSE_US - 1), "a burst may still grow until its pause is over");
  claim(takes(26, 0x2345678, end + WIEGAND_PAUSE_US), "then it is there, its first bit highest");
  claim(takes(0, 0, end + WIEGAND_PAUSE_US), "and once");
  end = swipe(5, 4, 1000000);
  end = swipe(9, 4, end + WIEGAND_PAUSE_US);
  claim(takes(4, 5, end), "a burst has ended when the next began");
  claim(takes(4, 9, end + WIEGAND_PAUSE_US), "which comes after it");
  end = swipe(3, 2, UINT32_MAX - 1000);
  claim(takes(2, 3, end + WIEGAND_PAUSE_US), "a clock that wraps changes nothing");
}

static void limits_claims(void) {
  uint32_t at = swipe(1, 64, 0);
  claim(takes(64, 1, at + WIEGAND_PAUSE_US), "64 bits are a burst");
  at = swipe(1, 64, at + WIEGAND_PAUSE_US);
  wiegand_bit(&reader, 1, at + BIT_US);
  claim(takes(0, 0, at + BIT_US + WIEGAND_PAUSE_US), "65 are none");
  for (unsigned i = 0; i < 3 * WIEGAND_BURSTS; i++) at = swipe(i, 8, at + 2 * WIEGAND_PAUSE_US);
  unsigned count = 0;
  while (takes(8, count, at + WIEGAND_PAUSE_US)) count++;
  claim(count == WIEGAND_BURSTS, "the oldest of too many are kept, in order");
  at = swipe(7, 4, at + 2 * WIEGAND_PAUSE_US);
  claim(takes(4, 7, at + WIEGAND_PAUSE_US), "and there is room again");
}

/* A code that was typed is one burst for each key. */
static void traces_claims(void) {
  uint64_t traces = 0;
  for (unsigned i = 0; i < WIEGAND_BURSTS; i++) traces |= reader.bursts[i].bits;
  claim(traces == 0, "nothing of what was taken stays");
}

int app_main(const struct port *port) {
  console = port;
  bursts_claims();
  limits_claims();
  traces_claims();
  log_text(port, "end");
  return failed;
}
