// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A whole device: port, TLS, session and app tied together in one loop that does not end.
 * In: an enrolment code, pasted at the console or stored as the blob `code`; after that what the hub says. Out: what the app does, and
 * one line on the console for each thing that happened.
 * What stays true: one identity in storage, replaced as a whole; keys that are replaced are wiped; the link is tried for ever, with growing
 * and uneven pauses, and the app goes on in between.
 * Absent on purpose: a way to get a key out, and a reset by the network.
 */
#ifndef SHALLOT_DEVICE_H
#define SHALLOT_DEVICE_H

#include "../port/port.h"
#include "app.h"

/* Does not return, unless the port has no randomness fit for keys: then a negative code. */
int device_run(const struct port *port, const struct app *app);

#endif
