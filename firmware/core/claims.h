// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The shapes of wire/messages.cddl, grants.cddl, mesh.cddl and firmware.cddl: which claims and body members each type has, and of what kind (SPEC 2.3, 4, 12 to 15).
 * In: a payload that may hold anything; out: its claims as pointers into it, or one code. All types are checked, so that
 * the vectors give the same answers here as in the daemon; only those a device receives can be read further.
 * Absent on purpose: who sealed it, for whom and when (gate.h).
 */
#ifndef SHALLOT_CLAIMS_H
#define SHALLOT_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cbor.h"

enum message_type {
  MESSAGE_OWNER,
  MESSAGE_MEMBER,
  MESSAGE_PERMIT,
  MESSAGE_ENROLMENT,
  MESSAGE_ENROL,
  MESSAGE_ENROLLED,
  MESSAGE_HELLO,
  MESSAGE_WELCOME,
  MESSAGE_READING,
  MESSAGE_COMMAND,
  MESSAGE_RECEIPT,
  MESSAGE_REQUEST,
  MESSAGE_BEACON,
  MESSAGE_PERSON,
  MESSAGE_HOLDER,
  MESSAGE_GRANT,
  MESSAGE_LEASE,
  MESSAGE_REVOCATION,
  MESSAGE_ACT,
  MESSAGE_PAIRING,
  MESSAGE_PAIR,
  MESSAGE_MANIFEST,
  MESSAGE_PINS,
  MESSAGE_DIRECT,
  MESSAGE_STILL,
  MESSAGE_TYPES
};

/* The longest `typ` text, in bytes. */
#define MESSAGE_TYPE_TEXT_MAX 40

/* NULL, 0 and false stand for claims that are not there. `body` is the checked map of the type's members. */
struct claims {
  const uint8_t *subject;
  size_t subject_size;
  const uint8_t *audience; /* SHALLOT_TEXT_ID_CHARS bytes */
  bool has_deadline;
  int64_t expires_s;
  bool has_not_before;
  int64_t not_before_s;
  int64_t issued_s;
  const uint8_t *epoch; /* the first half of cti, SHALLOT_EPOCH_BYTES */
  uint64_t sequence;    /* the second */
  const uint8_t *key;   /* cnf, SHALLOT_KEY_BYTES */
  const uint8_t *nonce; /* SHALLOT_EPOCH_BYTES */
  struct cbor_reader body;
};

/* One value of an affordance (SPEC 4.13), scaled as the capability list says. */
struct value {
  int32_t number; /* false and true are 0 and 1 */
  bool present;
  bool is_boolean;
};

struct sample {
  int64_t time_ms; /* 0: not known */
  int32_t number;
  uint16_t affordance;
  bool is_boolean;
};

struct enrolled_body {
  const uint8_t *certificate;
  size_t certificate_size;
  const uint8_t *name;
  size_t name_size;
};

/* The home's zone (SPEC 12.6): minutes east of UTC, until `changes_s` (0: not known) and from then on. */
struct zone {
  int32_t east_min;
  int32_t then_east_min;
  int64_t changes_s;
};

/* `count` items that follow one another in `reader`, each of the shape that its type gives. */
struct cbor_list {
  struct cbor_reader reader;
  size_t count;
};

struct welcome_body {
  int64_t time_ms;
  bool wants_record;
  struct zone zone; /* all 0 when the hub does not say */
  struct cbor_list places; /* `[address, port]` for each; none when the hub does not say */
};

struct place {
  const uint8_t *address; /* text, at most SHALLOT_PLACE_ADDRESS_CHARS_MAX */
  size_t address_size;
  uint16_t tcp_port;
};

/* SPEC 16.1 */
struct pins_body {
  const uint8_t *current; /* SHALLOT_KEY_BYTES */
  const uint8_t *next;    /* the same */
};

/* SPEC 18.2 */
struct direct_body {
  const uint8_t *certificate;
  size_t certificate_size;
  struct cbor_list origins; /* texts, each at most SHALLOT_DIRECT_ORIGIN_BYTES_MAX */
};

struct command_body {
  unsigned operation; /* SHALLOT_OPERATION_... */
  unsigned affordance;
  struct value value;   /* a number that does not fit is held at the nearest end, which no affordance allows */
  const uint8_t *grant; /* SHALLOT_GRANT_ID_BYTES, or NULL: as an owner */
};

/* SPEC 12.1. NULL, 0 and an empty list stand for members that are not there. */
struct grant_body {
  const uint8_t *id;     /* SHALLOT_GRANT_ID_BYTES */
  const uint8_t *parent; /* the same */
  struct cbor_list devices;
  struct cbor_list what;
  struct cbor_list hours;
  uint32_t lease_s;
  uint32_t share;
  uint32_t uses;
  const uint8_t *pin_salt; /* SHALLOT_PIN_SALT_BYTES; NULL: for a key */
  const uint8_t *pin_key;  /* SHALLOT_PIN_KEY_BYTES */
  uint32_t pin_rounds;
};

/* SPEC 15.2. Text is not NUL-terminated. */
struct manifest_body {
  uint64_t sequence;
  const uint8_t *vendor;
  size_t vendor_size;
  const uint8_t *image_class;
  size_t class_size;
  const uint8_t *digest; /* SHALLOT_DIGEST_BYTES */
  uint32_t size;
  uint32_t wire; /* 0: any */
  uint64_t from; /* 0: any */
};

struct revocation_body {
  struct cbor_list entries;
  int64_t floor_s; /* 0: none */
};

/* The type with this `typ` text, or SHALLOT_E_UNKNOWN_TYPE. */
int message_type_of(const uint8_t *text, size_t size);

/* Writes the `typ` text of a type; returns its length. */
size_t message_type_text(char out[MESSAGE_TYPE_TEXT_MAX], enum message_type type);

/* Checks a payload that is any bytes: SHALLOT_E_CBOR_..., then SHALLOT_E_BAD_CLAIMS, or 0 and the claims. */
int claims_read(struct claims *claims, enum message_type type, const uint8_t *payload, size_t size);

/* The body of claims that claims_read has accepted for this type. */
struct enrolled_body claims_enrolled(const struct claims *claims);
struct welcome_body claims_welcome(const struct claims *claims);
struct command_body claims_command(const struct claims *claims);
struct grant_body claims_grant(const struct claims *claims);
struct revocation_body claims_revocation(const struct claims *claims);
struct pins_body claims_pins(const struct claims *claims);
struct direct_body claims_direct(const struct claims *claims);
/* The ids of a lease; the names of an enrolment's groups. */
struct cbor_list claims_lease(const struct claims *claims);
struct cbor_list claims_groups(const struct claims *claims);
/* The release key that an enrolment names, SHALLOT_KEY_BYTES, or NULL. */
const uint8_t *claims_release(const struct claims *claims);
struct manifest_body claims_manifest(const struct claims *claims);
/* Of an enrolment: the key of the daemon that has charge of the device, SHALLOT_KEY_BYTES; NULL: it names none. */
const uint8_t *claims_hub(const struct claims *claims);

/* Whether what follows is one array of places as the welcome has it (SPEC 16.5), `list` its items. Canonical CBOR is taken for granted. */
bool claims_places_read(struct cbor_reader reader, struct cbor_list *list);
/* The next of a list that was checked. */
struct place claims_place_next(struct cbor_list *list);

/* What the maps of wire/code.cddl share with message bodies: a code's map, read by the same rules. 0 or SHALLOT_E_BAD_CLAIMS. */
int claims_check_enrol_code(struct cbor_reader reader);

/* `[affordance, time-ms, value]` for each. */
void samples_put(struct cbor_writer *writer, const struct sample *samples, size_t count);

#endif
