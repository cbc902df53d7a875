// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An ESP8266 with our boot loader, over a flash whose power ends (flash.h): the port's own slots.c and chooser.c, and the start that boot/boot.c
 * makes of them. The two sectors of state are erased and written by turns, each an operation that power may end in.
 * Absent on purpose: what an image is made of (check/boot-check.c).
 */
#ifndef SHALLOT_TWIN_ESP8266_H
#define SHALLOT_TWIN_ESP8266_H

#include <stdbool.h>

/* is_sound: whether the boot loader would run what lies in a slot. */
struct esp8266_twin {
  bool (*is_sound)(int slot);
  int running;
  bool is_restarting; /* board_restart was called */
};
extern struct esp8266_twin esp8266_twin;

/* State as it is after flashing by the serial line, or after an update to slot `kept`. */
void esp8266_twin_new(int kept);

/* What the boot loader does at each start: the slot that runs then, which is -1 when there is none. */
int esp8266_twin_boot(void);

#endif
