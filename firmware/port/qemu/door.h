// SPDX-License-Identifier: GPL-3.0-or-later
/* What door.c and qemu.c have of one another. */
#ifndef SHALLOT_QEMU_DOOR_H
#define SHALLOT_QEMU_DOOR_H

#include "../port.h"

#ifdef SHALLOT_DIRECT
extern const struct listener sim_listener;
#define SIM_LISTENER (&sim_listener)
#else
#define SIM_LISTENER NULL
#endif

/* Asks the runner; the answer's size, or SHALLOT_E_PORT_TIMEOUT: it says no. */
int door_ask(const uint8_t *question, size_t size, uint8_t *answer, size_t capacity);

#endif
