// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One image on its way to the other slot, its trial, and the way back (SPEC 15).
 * In: manifests that were opened, whose signer is the release key; chunks; whether a hub has welcomed the image that runs. Out: what
 * the hub is to be told, and a boot of the other slot.
 * What stays true: nothing is erased or written before the whole manifest was judged; nothing boots before the slot, read back, has the
 * digest of the manifest; a sequence that was ever booted is never taken again, nor a lower one; after a power cut at any write the
 * device runs a whole image, the old one or the new; the state is written to two blobs by turns, so that one that is torn or
 * has a flipped bit leaves the one before it.
 * Absent on purpose: memory for the image (chunks go to the slot as they come), and who sealed the manifest (core/gate.h).
 */
#ifndef SHALLOT_UPDATE_H
#define SHALLOT_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "claims.h"
#include "frame.h"
#include "image.h"

/* What lies in the slot is remembered on flash each time so many more bytes are there: at most this comes again after a power cut. */
#define UPDATE_KEEP_BYTES 16384

enum update_phase {
  UPDATE_NONE,
  UPDATE_RECEIVING,
  UPDATE_TRIAL,    /* the other slot is to be booted, or was */
  UPDATE_RETURNED, /* it did not report healthy */
};

/* As it lies on flash, 88 bytes. */
struct update_state {
  uint8_t sum[4]; /* core/crypto.h, of all that follows */
  uint32_t serial;
  uint8_t layout;
  uint8_t phase;
  uint8_t slot;  /* that the image is for */
  uint8_t boots; /* of the trial, counted before each */
  uint32_t kept; /* bytes of the image that are in the slot */
  uint32_t size; /* of the image */
  uint32_t spare;
  uint64_t sequence; /* of the manifest under way, on trial, or last over */
  uint64_t running;  /* of the image that runs unless one is on trial */
  uint64_t floor;    /* the highest that was ever booted */
  uint8_t manifest[SHALLOT_GOT_DIGEST_BYTES];
  uint8_t image[SHALLOT_DIGEST_BYTES];
};

struct update {
  const struct port *port;
  const struct image *image; /* that runs */
  struct update_state state;
  uint32_t got;            /* bytes of the image that are in the slot, as far as this life knows */
  uint64_t trial_until_ms; /* 0: the image that runs is not on trial */
  int16_t code;            /* why it is over: negative */
  bool is_wanted_due;      /* the hub is to be told how far it is */
};

/*
 * Begins a life: ends what a power cut interrupted, which may be a boot of the other slot; then it does not return on a board.
 * A port without slots has no updates. image: what runs here, own_image but for tests; it stays.
 */
void update_open(struct update *update, const struct port *port, const struct image *image);

/* The release key that the owner's record on flash names: 0 and the key, SHALLOT_E_NO_RELEASE_KEY, or what storage says. */
int update_release_key(const struct port *port, uint8_t key[SHALLOT_KEY_BYTES]);

/* True when the manifest with this digest was verified and is under way: its bytes need no second look. */
bool update_knows(const struct update *update, const uint8_t digest[SHALLOT_DIGEST_BYTES]);

/*
 * A manifest of the release key. 0: it is under way, from where it was; or, with nothing written, SHALLOT_E_NO_SLOT, _WRONG_VENDOR,
 * _WRONG_CLASS, _DOWNGRADE, _REPLAYED, _UPDATE_CONDITION, _IMAGE_TOO_LARGE, _BUSY, or what storage says.
 */
int update_offer(struct update *update, const struct manifest_body *manifest, const uint8_t digest[SHALLOT_DIGEST_BYTES]);

/*
 * The next bytes of the image. 0; 1 when that was the last and the slot holds the image: update_boot; SHALLOT_E_UNEXPECTED_MESSAGE or
 * _BAD_NOTE: the hub is out of step. What goes wrong here is told to the hub and ends the update, not the link.
 */
int update_chunk(struct update *update, const struct note *chunk);

/* The note that is due, as a frame; 0 when none is. */
size_t update_wanted(struct update *update, uint8_t out[NOTE_WANTED_FRAME_BYTES]);

/* Boots the other slot on trial. Returns only when that could not be: a negative code. */
int update_boot(struct update *update);

/* A hub has welcomed this image: the trial is over. 1; 0: it was on none; or a negative code: it still is. */
int update_healthy(struct update *update);

/* When the trial has lasted too long: back to the old slot, which does not return on a board. */
void update_watch(struct update *update, uint64_t now_ms);

/* What a hello says (SPEC 15.6). */
struct update_standing {
  uint64_t running;
  unsigned standing; /* SHALLOT_STANDING_... */
  uint64_t tried;    /* 0: none */
};
struct update_standing update_standing(const struct update *update);

#endif
