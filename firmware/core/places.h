// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where else the hub may be found, as it told itself in its last welcome (SPEC 16.5): a short list of numeric addresses on flash.
 * In: the list of a welcome that was admitted; out: its places, one by one. What stays true: it is written only when it changed, replaced
 * as a whole, and bytes that are not what was written are no list. A place is a hint: whoever is there must prove a pinned CA and seal a
 * welcome. Absent on purpose: names, which somebody would have to be asked about.
 */
#ifndef SHALLOT_PLACES_H
#define SHALLOT_PLACES_H

#include "../port/port.h"
#include "claims.h"
#include "discovery.h"

/* Keeps the list; nothing happens when it is empty or the one that is kept already. */
void places_keep(const struct port *port, const struct cbor_list *places);

/* The place of this number, from 0. 0, or SHALLOT_E_MISSING: there is none, and `found` names none. */
int places_read(const struct port *port, unsigned number, struct discovery *found);

void places_forget(const struct port *port);

#endif
