// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A door to the LAN: a TLS 1.3 server for pages, beside the link to the hub (SPEC 18). Only where a board has the room: built with
 * SHALLOT_DIRECT, and opened where the port can listen.
 * In: what strangers send, in any pieces and at any pace; out: sealed commands, one at a time, to `answer`, and its answers.
 *
 * What stays true: nothing here waits, so the link and the app go on whoever stands before the door; its memory is a block of its own
 * (core/arena.h), so that no stranger can take the link's; after each piece of work it rests as long as that took, so that it never has more than
 * half of the time; who says nothing makes way for who comes; a request is read whole and answered once, and one that cannot be
 * understood ends its connection.
 * A handshake that resumes an older one (its ticket is the device's own, sealed with a key that no flash has) costs no signature.
 * Absent on purpose: client certificates (who asks is who sealed the command), early data, TLS 1.2, names (the leaf has one).
 */
#ifndef SHALLOT_DOOR_H
#define SHALLOT_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "http.h"

enum {
  DOOR_VISITORS_MAX = 2,
  DOOR_LEAF_BYTES_MAX = 640,
  DOOR_KEY_BYTES = 32,
  DOOR_HANDSHAKE_MS_MAX = 5000,
  DOOR_HANDSHAKE_BYTES_MAX = 8192,
  DOOR_IDLE_MS_MAX = 15000,
  /* Of one connection; then it is closed, so that nobody stands here for ever. */
  DOOR_REQUESTS_MAX = 100,
  /* How long somebody who says nothing keeps a place that another one wants: before the first byte, and after it. */
  DOOR_SILENT_MS = 50,
  DOOR_STALLED_MS = 1000,
  /* After a refusal: time for the other side to read it, before what it still sends is cut off. */
  DOOR_PARTING_MS = 300,
  /* In front of a body: an answer's head, and what core/envelope.h wants there. */
  DOOR_BEFORE_BODY = HTTP_ANSWER_HEAD_BYTES_MAX,
  DOOR_ROOM_BYTES = DOOR_BEFORE_BODY + SHALLOT_DEVICE_ENVELOPE_BYTES_MAX
};

/* Everything pointed to stays as long as the door is open. */
struct door_config {
  const struct port *port;
  const uint8_t *leaf; /* DER, at most DOOR_LEAF_BYTES_MAX */
  size_t leaf_size;
  const uint8_t *key; /* DOOR_KEY_BYTES: the P-256 number, or the reference of a chip's (core/signer.h) */
  /*
   * Judges one sealed command of `size` bytes at `bytes`, in front of which DOOR_BEFORE_BODY may be overwritten, and puts the sealed receipt in its
   * place, at most SHALLOT_DEVICE_ENVELOPE_BYTES_MAX. The receipt's size, or a negative code: who sealed it is not proven.
   */
  int (*answer)(uint8_t *bytes, size_t size);
  /* Whether a page of this origin may ask. */
  bool (*is_origin)(const char *origin);
};

struct door_counts {
  uint32_t came;       /* connections */
  uint32_t handshakes; /* that succeeded */
  uint32_t resumed;    /* of them */
  uint32_t receipts;
  uint32_t refused; /* requests */
  uint32_t gone;    /* connections that are over */
};

/* 0, SHALLOT_E_TLS_OUT_OF_MEMORY or SHALLOT_E_TLS_FAILED: a leaf or key that cannot be used. An older door is closed before. */
int door_open(const struct door_config *config);
void door_close(void);
bool door_is_open(void);

/* Does what can be done without waiting. In how many milliseconds to call again, at most, or sooner when the port says that somebody is there. */
uint32_t door_step(void);
/* Waits at most this long, until the hub or somebody here has said something that can be dealt with. */
void door_wait(uint32_t ms);

void door_count(struct door_counts *counts);

#endif
