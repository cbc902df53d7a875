// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where this home's hub is now, when it is not where it was (SPEC 6.8): one DNS question to the LAN's multicast group, and answers that
 * anybody may have made up. In: the root's key, and a datagram; out: a question, or an address and a port to try.
 * What stays true: every length is checked before it is followed, a name is followed backwards only and not for ever; an answer is
 * a hint, for whoever is found must still prove a pinned CA. Absent on purpose: IPv6, caching, speaking unasked.
 */
#ifndef SHALLOT_DISCOVERY_H
#define SHALLOT_DISCOVERY_H

#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "../../schemas/gen/c/shallot_wire.h"

enum { DISCOVERY_SERVICE_BYTES = 21 /* _shallot._tcp.local, as DNS has it */ };
enum { DISCOVERY_QUESTION_BYTES = 12 + 1 + SHALLOT_DISCOVERY_LABEL_CHARS + DISCOVERY_SERVICE_BYTES + 4, DISCOVERY_ANSWER_BYTES_MAX = 512 };

struct discovery {
  char host[PORT_ADDRESS_CHARS_MAX + 1];
  uint16_t tcp_port; /* 0: nothing was found */
};

/* Writes the question for the hub of this home; DISCOVERY_QUESTION_BYTES, or what the arithmetic says. */
int discovery_question(uint8_t out[DISCOVERY_QUESTION_BYTES], const uint8_t root[SHALLOT_KEY_BYTES]);

/* Reads an answer to this question: 0 and a place, or SHALLOT_E_NO_ANSWER. */
int discovery_read(struct discovery *found, const uint8_t *question, const uint8_t *answer, size_t size);

/* Asks, and waits up to timeout_ms for an answer in `room` of DISCOVERY_ANSWER_BYTES_MAX. 0, or SHALLOT_E_NO_ANSWER. */
int discovery_ask(struct discovery *found, const struct port *port, const uint8_t root[SHALLOT_KEY_BYTES], uint8_t *room, uint32_t timeout_ms);

#endif
