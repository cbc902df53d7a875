// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How often grants with a number of uses were used on this device (SPEC 12.3), on flash, by id, until they end.
 * What stays true: a count is on flash before the device acts, so a power cut at any point gives nothing back; a count that was dropped
 * because its grant had ended stays spent when the clock is set back.
 */
#ifndef SHALLOT_USES_H
#define SHALLOT_USES_H

#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"

struct grant;

/* 0, SHALLOT_E_USES_SPENT, SHALLOT_E_GRANT_EXPIRED (its count may be gone), or what storage says. */
int uses_check(const struct port *port, const struct grant *link);

/*
 * Counts one use of each of these links that has a number of them, in one write. now_s makes room, when there is none, of what has ended.
 * 0, SHALLOT_E_USES_SPENT, SHALLOT_E_GRANTS_FULL (too many are counted), or what storage says: then nothing was counted.
 */
int uses_count(const struct port *port, struct grant *const *links, size_t links_count, uint32_t now_s);

/* The latest time at which a use was counted, seconds; 0: not known. */
uint32_t uses_latest_s(const struct port *port);

/* Another home: its grants have other ids. */
void uses_forget(const struct port *port);

#endif
