// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the files of this port share: the device's directory, its blobs, and the power that tests can cut.
 * In: SHALLOT_CUT=N in the environment, the N-th write from the start, restarts included, gets half of its bytes to the disk and is
 * the last thing that happens (status 77).
 */
#ifndef SHALLOT_HOST_H
#define SHALLOT_HOST_H

#include <stdbool.h>

#include "../port.h"

enum { HOST_CUT_STATUS = 77 };

/* Of the device; -1 before it was opened. */
int host_directory(void);
int host_blob_read(const char *name, uint8_t *out, size_t capacity);
int host_blob_write(const char *name, const uint8_t *data, size_t size);
int host_write_whole(int file, const uint8_t *data, size_t size);

/* How many writes are still to come, counting from SHALLOT_CUT. */
void host_power_restore(void);
/* Counts one write. How much of it happens: all, or the half of it that happens before host_power_end. */
bool host_power_lasts(void);
void host_power_end(void);
/* Before another program takes this one's place. */
void host_power_hand_on(void);

extern const struct slots host_slots;
/*
 * The boot loader: runs the slot that is due, which may be this program itself, as the image that the device was made with. Returns in
 * the image. arguments: as main has them.
 */
void host_boot(char **arguments);

#endif
