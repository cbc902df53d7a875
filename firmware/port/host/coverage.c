// SPDX-License-Identifier: GPL-3.0-or-later
/* Part of the coverage build alone: a process that is told to end keeps its counts, which are written at a proper exit. */
#include <signal.h>
#include <stdlib.h>

static void leave(int number) { exit(128 + number); }

static void __attribute__((constructor)) listen(void) { signal(SIGTERM, leave); }
