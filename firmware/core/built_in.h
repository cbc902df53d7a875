// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What `shallot provision --header` wrote, compiled in for a board whose serial line nobody can reach: SHALLOT_PROVISION names the header.
 * Out: those bytes, as they would have come over the line, and trusted no more. Without the header: nothing.
 */
#ifndef SHALLOT_BUILT_IN_H
#define SHALLOT_BUILT_IN_H

#include <stddef.h>
#include <stdint.h>

/* Copies them; their size, or 0: there are none, or more than `capacity`. */
size_t built_in_copy(uint8_t *out, size_t capacity);

#endif
