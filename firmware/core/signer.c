// SPDX-License-Identifier: GPL-3.0-or-later
#include "signer.h"

#include <string.h>

#include "crypto.h"

/* A seed begins so once in 2^80; what follows must be a name, zeros and a place besides. */
static const char mark[] = "in a chip";

enum { NAME_AT = sizeof mark, PLACE_AT = SIGNER_KEY_BYTES - 1, PLACES = 2 };

/* The library signs without saying for whom; there is one port. */
static const struct port *board;

void signer_use(const struct port *port) { board = port; }

static void reference_write(uint8_t out[SIGNER_KEY_BYTES], const char *name, unsigned place) {
  memset(out, 0, SIGNER_KEY_BYTES);
  memcpy(out, mark, sizeof mark);
  for (size_t at = 0; at < SIGNER_NAME_CHARS_MAX && name[at] != '\0'; at++) out[NAME_AT + at] = (uint8_t)name[at];
  out[PLACE_AT] = (uint8_t)place;
}

bool signer_is_reference(const uint8_t seed[SIGNER_KEY_BYTES]) {
  if (memcmp(seed, mark, sizeof mark) != 0 || seed[PLACE_AT] >= PLACES) return false;
  for (size_t at = NAME_AT + SIGNER_NAME_CHARS_MAX; at < PLACE_AT; at++)
    if (seed[at] != 0) return false;
  return true;
}

static int key_of_chip_make(const struct port *port, uint8_t seed[SIGNER_KEY_BYTES], uint8_t public_key[SIGNER_KEY_BYTES]) {
  unsigned place = signer_is_reference(seed) ? 1 - seed[PLACE_AT] : 0;
  int fault = port->signer->make(port, place, public_key);
  /* What a chip says is a key must be one before it goes to an owner. */
  if (fault == 0) fault = crypto_check_public(public_key);
  if (fault == 0) reference_write(seed, port->signer->name, place);
  return fault;
}

int signer_make_key(const struct port *port, uint8_t seed[SIGNER_KEY_BYTES], uint8_t public_key[SIGNER_KEY_BYTES]) {
  if (port->signer != NULL) return key_of_chip_make(port, seed, public_key);
  int fault = port->random(seed, SIGNER_KEY_BYTES);
  return fault ? fault : crypto_public(public_key, seed);
}

int signer_sign(uint8_t signature[SIGNER_SIGNATURE_BYTES], const uint8_t *message, size_t size, const uint8_t reference[SIGNER_KEY_BYTES]) {
  uint8_t ours[SIGNER_KEY_BYTES];
  if (board == NULL || board->signer == NULL) return SHALLOT_E_DEVICE_FAULT;
  reference_write(ours, board->signer->name, reference[PLACE_AT]);
  if (memcmp(ours, reference, sizeof ours) != 0) return SHALLOT_E_DEVICE_FAULT;
  return board->signer->sign(board, reference[PLACE_AT], signature, message, size);
}

/* ---- the key of a door to the LAN ---- */

#ifdef SHALLOT_DIRECT

int signer_make_point(const struct port *port, uint8_t key[SIGNER_KEY_BYTES], uint8_t point[SIGNER_POINT_BYTES]) {
  if (port->point_signer == NULL) return crypto_point_make(key, point);
  unsigned place = signer_is_reference(key) ? 1 - key[PLACE_AT] : 0;
  int fault = port->point_signer->make(port, place, point + 1);
  point[0] = 4; /* the hub makes no leaf for what is no point */
  if (fault == 0) reference_write(key, port->point_signer->name, place);
  return fault;
}

int signer_sign_digest(uint8_t signature[SIGNER_SIGNATURE_BYTES], const uint8_t digest[SIGNER_DIGEST_BYTES], const uint8_t reference[SIGNER_KEY_BYTES]) {
  uint8_t ours[SIGNER_KEY_BYTES];
  if (board == NULL || board->point_signer == NULL) return SHALLOT_E_DEVICE_FAULT;
  reference_write(ours, board->point_signer->name, reference[PLACE_AT]);
  if (memcmp(ours, reference, sizeof ours) != 0) return SHALLOT_E_DEVICE_FAULT;
  return board->point_signer->sign(board, reference[PLACE_AT], signature, digest);
}

#endif
