// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What somebody with a cable hands over (SPEC 17): a Wi-Fi network and an enrolment code, in lines of text on the console.
 * In: lines, from whoever holds the cable; out: one line for each of ours, and, when all has come, what was handed over.
 * What stays true: nothing of it is believed before its digest and its form were checked; a secret is in no answer; the room for it is
 * borrowed from the arena, wiped and given back.
 * Absent on purpose: a way to read anything back, and encryption: who holds the cable holds the device.
 */
#ifndef SHALLOT_PROVISION_H
#define SHALLOT_PROVISION_H

#include <stddef.h>
#include <stdint.h>

#include "../../schemas/gen/c/shallot_wire.h"
#include "wifi.h"

/* One line of ours with its NUL. */
typedef char provision_line[SHALLOT_SERIAL_LINE_CHARS_MAX + 1];

/* What a line asks; `piece` points into the line. */
struct provision_ask {
  uint8_t sequence;
  uint8_t kind; /* SHALLOT_SERIAL_WHO, _PART or _TAKE */
  size_t at;    /* of a part */
  size_t size;  /* of the piece, or of the whole */
  const uint8_t *piece; /* or the digest */
};

/*
 * Reads one line, `text` of `size` characters, which is scratch afterwards. 0, SHALLOT_E_MISSING: it is none of ours; or why it is
 * refused: SHALLOT_E_FRAME_TOO_LARGE, _SERIAL_DAMAGED, _CBOR_..., _BAD_PROVISION.
 */
int provision_ask_read(struct provision_ask *ask, char *text, size_t size);

/* All zero: nothing has come yet. */
struct provision {
  uint8_t *bytes; /* borrowed, SHALLOT_PROVISION_BYTES_MAX; NULL: not yet */
  size_t size;
};

/*
 * Takes a piece, or checks that the pieces are the whole that was announced. 0, SHALLOT_E_SERIAL_ORDER, _SERIAL_DAMAGED (another
 * digest) or _OUT_OF_SPACE. The first piece begins anew; the last one may come again, when its answer was lost.
 */
int provision_take_part(struct provision *provision, const struct provision_ask *ask);
int provision_is_whole(const struct provision *provision, const struct provision_ask *ask);

/* Wipes and gives back what was borrowed. */
void provision_drop(struct provision *provision);

/* What was handed over. Texts point into the bytes; size 0: none. */
struct provision_orders {
  struct wifi wifi; /* name "": none */
  char *code;
  size_t code_size;
};

/* 0 or SHALLOT_E_BAD_PROVISION; SHALLOT_E_CODE_VERSION: of a later version. */
int provision_read(struct provision_orders *orders, uint8_t *bytes, size_t size);

/* What the device is, for SHALLOT_SERIAL_WHO. board and firmware: 1 to SHALLOT_LABEL_BYTES_MAX characters. */
struct provision_self {
  const char *board;
  const char *firmware;
  unsigned facts; /* SHALLOT_SERIAL_IS_ENROLLED, _HAS_WIFI, _KNOWS_WIFI */
};

/* Lines to say. code: 0 or negative. */
void provision_say_self(provision_line out, uint8_t sequence, const struct provision_self *self);
void provision_say_code(provision_line out, uint8_t sequence, int code);
void provision_say_stage(provision_line out, unsigned stage, int code);

#endif
