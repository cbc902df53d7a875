// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The name of a device's own server on the LAN (SPEC 18.1): mDNS questions of type A, from whoever is on the same network, and the answer to
 * them. In: a datagram that may be anything, and who sent it; out: a datagram, and to whom.
 * What stays true: it never speaks first, answers private networks alone, and for this one name; every length is checked before it is
 * followed. Absent on purpose: probing for others of the name, which is half of a digest; announcements, services, IPv6, known answers.
 */
#ifndef SHALLOT_NAMEPLATE_H
#define SHALLOT_NAMEPLATE_H

#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "../../schemas/gen/c/shallot_wire.h"

enum {
  NAMEPLATE_QUESTION_BYTES_MAX = 512,
  NAMEPLATE_NAME_BYTES = 1 + SHALLOT_DIRECT_LABEL_CHARS + 7, /* label, `local`, the root */
  NAMEPLATE_ANSWER_BYTES_MAX = 12 + NAMEPLATE_NAME_BYTES + 4 + NAMEPLATE_NAME_BYTES + 14
};

/* The name as DNS has it, of a device's key. 0 or a negative code. */
int nameplate_name(uint8_t name[NAMEPLATE_NAME_BYTES], const uint8_t device[SHALLOT_KEY_BYTES]);

/*
 * The answer's size, and in `asker` where it goes; or SHALLOT_E_NO_ANSWER: this asks nothing of us.
 */
int nameplate_answer(uint8_t out[NAMEPLATE_ANSWER_BYTES_MAX], const uint8_t *question, size_t size, const uint8_t name[NAMEPLATE_NAME_BYTES],
                     struct asker *asker);

#endif
