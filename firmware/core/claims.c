// SPDX-License-Identifier: GPL-3.0-or-later
#include "claims.h"

#include <string.h>

#include "../port/port.h"
#include "../../schemas/gen/c/shallot_codes.h"
#include "../../schemas/gen/c/shallot_wire.h"

enum form {
  FORM_UNSIGNED,
  FORM_BYTES,
  FORM_TEXT,
  FORM_BOOL,
  FORM_VALUE,
  FORM_ZONE,
  FORM_PIN,
  FORM_STANDING,
  FORM_DIRECT,
  FORM_AFFORDANCES, /* from here on arrays of one kind */
  FORM_SAMPLES,
  FORM_KEYS,
  FORM_IDS,
  FORM_GROUPS,
  FORM_GRANT_DEVICES,
  FORM_REVOCATION_ENTRIES,
  FORM_PERMISSIONS,
  FORM_HOURS,
  FORM_PLACES,
  FORM_ORIGINS
};

/* One member of a body. `least` and `most` bound a number, a string's bytes or an array's items; ANY_NUMBER is the wire's own bound. */
struct rule {
  uint32_t label;
  uint32_t form;
  uint32_t least;
  uint32_t most;
  uint32_t may_be_absent;
};

/* The same in two whole words, because the table lies in flash: label, form, may_be_absent and least share the first. */
struct packed_rule {
  uint32_t head;
  uint32_t most;
};

enum { FORM_AT = 8, ABSENT_AT = 15, LEAST_AT = 16 };

enum { EVERY_DAY = 127, ANY_NUMBER = 0x7fffffff, BODY_RULES_MAX = 9 };

/* Claims in the order of their labels, which is also the order of their encodings. */
enum claim {
  HAS_SUBJECT = 1,
  HAS_AUDIENCE = 2,
  HAS_DEADLINE = 4,
  HAS_NOT_BEFORE = 8,
  HAS_ISSUED = 16,
  HAS_CTI = 32,
  HAS_KEY = 64,
  HAS_NONCE = 128,
  HAS_BODY = 256,
  HAS_ALWAYS = HAS_AUDIENCE | HAS_ISSUED | HAS_CTI
};

struct shape {
  uint32_t claims;
  uint32_t claims_optional; /* of these */
  uint32_t lifetime_s_max;  /* 0: any */
  struct packed_rule body[BODY_RULES_MAX];
};

#define RULE(label, form, least, most, absent) \
  {(uint32_t)(label) | (uint32_t)(form) << FORM_AT | (uint32_t)(absent) << ABSENT_AT | (uint32_t)(least) << LEAST_AT, most}
#define BYTES(label, least, most) RULE(label, FORM_BYTES, least, most, 0)
#define TEXT(label, least, most) RULE(label, FORM_TEXT, least, most, 0)
#define NUMBER(label, least, most) RULE(label, FORM_UNSIGNED, least, most, 0)
#define SHORT(label) BYTES(label, SHALLOT_GRANT_ID_BYTES, SHALLOT_GRANT_ID_BYTES)
#define OPTIONAL(label, form, least, most) RULE(label, form, least, most, 1)
#define LABEL_TEXT(label) TEXT(label, 1, SHALLOT_LABEL_BYTES_MAX)
#define AFFORDANCES(label) RULE(label, FORM_AFFORDANCES, 1, SHALLOT_AFFORDANCES_MAX, 0)
#define SAMPLES(label, least) RULE(label, FORM_SAMPLES, least, SHALLOT_VALUES_PER_READING_MAX, 0)

IN_FLASH(static const struct shape shapes[MESSAGE_TYPES]) = {
  [MESSAGE_OWNER] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_KEY},
  [MESSAGE_MEMBER] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_KEY},
  [MESSAGE_PERMIT] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_DEADLINE | HAS_BODY,
                      .lifetime_s_max = SHALLOT_PERMIT_LIFETIME_S_MAX,
                      .body = {BYTES(SHALLOT_PERMIT_ID, SHALLOT_PERMIT_ID_BYTES, SHALLOT_PERMIT_ID_BYTES)}},
  [MESSAGE_ENROLMENT] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_KEY | HAS_BODY,
                         .body = {BYTES(SHALLOT_ENROLMENT_PERMIT, SHALLOT_PERMIT_ID_BYTES, SHALLOT_PERMIT_ID_BYTES),
                                  OPTIONAL(SHALLOT_ENROLMENT_GROUPS, FORM_GROUPS, 1, SHALLOT_GROUPS_MAX),
                                  OPTIONAL(SHALLOT_ENROLMENT_RELEASE, FORM_BYTES, SHALLOT_KEY_BYTES, SHALLOT_KEY_BYTES),
                                  OPTIONAL(SHALLOT_ENROLMENT_HUB, FORM_BYTES, SHALLOT_KEY_BYTES, SHALLOT_KEY_BYTES)}},
  [MESSAGE_ENROL] = {.claims = HAS_ALWAYS | HAS_BODY,
                     .body = {BYTES(SHALLOT_ENROL_PERMIT, SHALLOT_PERMIT_ID_BYTES, SHALLOT_PERMIT_ID_BYTES),
                              BYTES(SHALLOT_ENROL_CSR, 1, SHALLOT_CSR_BYTES_MAX),
                              BYTES(SHALLOT_ENROL_PROOF_HUB, SHALLOT_PROOF_BYTES, SHALLOT_PROOF_BYTES),
                              BYTES(SHALLOT_ENROL_PROOF_OWNER, SHALLOT_PROOF_BYTES, SHALLOT_PROOF_BYTES),
                              LABEL_TEXT(SHALLOT_ENROL_BOARD), LABEL_TEXT(SHALLOT_ENROL_FIRMWARE),
                              AFFORDANCES(SHALLOT_ENROL_AFFORDANCES)}},
  [MESSAGE_ENROLLED] = {.claims = HAS_ALWAYS | HAS_NONCE | HAS_BODY,
                        .body = {BYTES(SHALLOT_ENROLLED_CERTIFICATE, 1, SHALLOT_CERTIFICATE_BYTES_MAX),
                                 TEXT(SHALLOT_ENROLLED_NAME, 1, SHALLOT_NAME_BYTES_MAX)}},
  [MESSAGE_HELLO] = {.claims = HAS_ALWAYS | HAS_BODY,
                     .body = {LABEL_TEXT(SHALLOT_HELLO_BOARD), LABEL_TEXT(SHALLOT_HELLO_FIRMWARE),
                              AFFORDANCES(SHALLOT_HELLO_AFFORDANCES), NUMBER(SHALLOT_HELLO_LOST, 0, ANY_NUMBER),
                              OPTIONAL(SHALLOT_HELLO_IMAGE, FORM_STANDING, 0, 0), OPTIONAL(SHALLOT_HELLO_DIRECT, FORM_DIRECT, 0, 0)}},
  [MESSAGE_WELCOME] = {.claims = HAS_ALWAYS | HAS_NONCE | HAS_BODY,
                       .body = {NUMBER(SHALLOT_WELCOME_TIME_MS, 0, ANY_NUMBER), RULE(SHALLOT_WELCOME_WANTS_RECORD, FORM_BOOL, 0, 0, 0),
                                OPTIONAL(SHALLOT_WELCOME_ZONE, FORM_ZONE, 0, 0),
                                OPTIONAL(SHALLOT_WELCOME_PLACES, FORM_PLACES, 1, SHALLOT_PLACES_MAX)}},
  [MESSAGE_READING] = {.claims = HAS_ALWAYS | HAS_BODY, .body = {SAMPLES(SHALLOT_READING_VALUES, 1)}},
  [MESSAGE_COMMAND] = {.claims = HAS_ALWAYS | HAS_DEADLINE | HAS_NONCE | HAS_BODY,
                       .lifetime_s_max = SHALLOT_COMMAND_LIFETIME_S_MAX,
                       .body = {NUMBER(SHALLOT_COMMAND_OPERATION, SHALLOT_OPERATION_WRITE, SHALLOT_OPERATION_READ),
                                NUMBER(SHALLOT_COMMAND_AFFORDANCE, 0, SHALLOT_AFFORDANCE_MAX), OPTIONAL(SHALLOT_COMMAND_VALUE, FORM_VALUE, 0, 0),
                                OPTIONAL(SHALLOT_COMMAND_GRANT, FORM_BYTES, SHALLOT_GRANT_ID_BYTES, SHALLOT_GRANT_ID_BYTES)}},
  [MESSAGE_RECEIPT] = {.claims = HAS_ALWAYS | HAS_BODY,
                       .body = {BYTES(SHALLOT_RECEIPT_COMMAND, SHALLOT_DIGEST_BYTES, SHALLOT_DIGEST_BYTES),
                                NUMBER(SHALLOT_RECEIPT_CODE, 0, ANY_NUMBER), SAMPLES(SHALLOT_RECEIPT_VALUES, 0)}},
  [MESSAGE_REQUEST] = {.claims = HAS_ALWAYS | HAS_DEADLINE | HAS_BODY,
                       .lifetime_s_max = SHALLOT_REQUEST_LIFETIME_S_MAX,
                       .body = {TEXT(SHALLOT_REQUEST_METHOD, 3, 7), TEXT(SHALLOT_REQUEST_PATH, 1, SHALLOT_REQUEST_PATH_BYTES_MAX),
                                BYTES(SHALLOT_REQUEST_DIGEST, SHALLOT_DIGEST_BYTES, SHALLOT_DIGEST_BYTES)}},
  [MESSAGE_BEACON] = {.claims = HAS_ALWAYS | HAS_BODY,
                      .body = {NUMBER(SHALLOT_BEACON_POSITION, 0, ANY_NUMBER),
                               BYTES(SHALLOT_BEACON_HASH, SHALLOT_DIGEST_BYTES, SHALLOT_DIGEST_BYTES),
                               BYTES(SHALLOT_BEACON_CLIENT, SHALLOT_KEY_BYTES, SHALLOT_KEY_BYTES),
                               BYTES(SHALLOT_BEACON_WAYS, 0, SHALLOT_BEACON_WAYS_BYTES_MAX)}},
  [MESSAGE_PERSON] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_BODY, .body = {SHORT(SHALLOT_PERSON_ID)}},
  [MESSAGE_HOLDER] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_KEY | HAS_BODY,
                      .body = {SHORT(SHALLOT_HOLDER_PERSON), NUMBER(SHALLOT_HOLDER_KIND, SHALLOT_HOLDER_PHONE, SHALLOT_HOLDER_SCRIPT)}},
  [MESSAGE_GRANT] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_DEADLINE | HAS_NOT_BEFORE | HAS_KEY | HAS_BODY,
                     .claims_optional = HAS_DEADLINE | HAS_NOT_BEFORE | HAS_KEY,
                     .body = {SHORT(SHALLOT_GRANT_ID),
                              RULE(SHALLOT_GRANT_DEVICES, FORM_GRANT_DEVICES, 0, SHALLOT_GRANT_DEVICES_MAX, 0),
                              RULE(SHALLOT_GRANT_WHAT, FORM_PERMISSIONS, 1, SHALLOT_GRANT_PERMISSIONS_MAX, 0),
                              NUMBER(SHALLOT_GRANT_LEASE, 0, SHALLOT_GRANT_LEASE_S_MAX),
                              OPTIONAL(SHALLOT_GRANT_PARENT, FORM_BYTES, SHALLOT_GRANT_ID_BYTES, SHALLOT_GRANT_ID_BYTES),
                              OPTIONAL(SHALLOT_GRANT_SHARE, FORM_UNSIGNED, 1, SHALLOT_GRANT_SHARE_MAX),
                              OPTIONAL(SHALLOT_GRANT_HOURS, FORM_HOURS, 1, SHALLOT_GRANT_HOURS_MAX),
                              OPTIONAL(SHALLOT_GRANT_USES, FORM_UNSIGNED, 1, SHALLOT_GRANT_USES_MAX),
                              OPTIONAL(SHALLOT_GRANT_PIN, FORM_PIN, 0, 0)}},
  [MESSAGE_LEASE] = {.claims = HAS_ALWAYS | HAS_DEADLINE | HAS_BODY,
                     .lifetime_s_max = SHALLOT_GRANT_LEASE_S_MAX,
                     .body = {RULE(SHALLOT_LEASE_GRANTS, FORM_IDS, 0, SHALLOT_LEASE_GRANTS_MAX, 0)}},
  [MESSAGE_REVOCATION] = {.claims = HAS_ALWAYS | HAS_BODY,
                          .body = {RULE(SHALLOT_REVOCATION_ENTRIES, FORM_REVOCATION_ENTRIES, 0, SHALLOT_REVOCATION_ENTRIES_MAX, 0),
                                   OPTIONAL(SHALLOT_REVOCATION_FLOOR, FORM_UNSIGNED, 0, ANY_NUMBER)}},
  [MESSAGE_ACT] = {.claims = HAS_ALWAYS | HAS_BODY,
                   .body = {NUMBER(SHALLOT_ACT_SOURCE, SHALLOT_ACT_KEYPAD, SHALLOT_ACT_DIRECT),
                            NUMBER(SHALLOT_ACT_AFFORDANCE, 0, SHALLOT_AFFORDANCE_MAX), NUMBER(SHALLOT_ACT_AT, 0, ANY_NUMBER),
                            NUMBER(SHALLOT_ACT_CODE, 0, ANY_NUMBER), SAMPLES(SHALLOT_ACT_VALUES, 0),
                            OPTIONAL(SHALLOT_ACT_GRANT, FORM_BYTES, SHALLOT_GRANT_ID_BYTES, SHALLOT_GRANT_ID_BYTES),
                            OPTIONAL(SHALLOT_ACT_SIGNER, FORM_BYTES, SHALLOT_KEY_BYTES, SHALLOT_KEY_BYTES),
                            OPTIONAL(SHALLOT_ACT_COMMAND, FORM_BYTES, SHALLOT_DIGEST_BYTES, SHALLOT_DIGEST_BYTES)}},
  [MESSAGE_PAIRING] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_DEADLINE | HAS_BODY,
                       .lifetime_s_max = SHALLOT_PAIRING_LIFETIME_S_MAX,
                       .body = {SHORT(SHALLOT_PAIRING_ID), SHORT(SHALLOT_PAIRING_PERSON),
                                NUMBER(SHALLOT_PAIRING_KIND, SHALLOT_HOLDER_PHONE, SHALLOT_HOLDER_SCRIPT)}},
  [MESSAGE_PAIR] = {.claims = HAS_ALWAYS | HAS_BODY,
                    .body = {SHORT(SHALLOT_PAIR_ID), BYTES(SHALLOT_PAIR_PROOF_HUB, SHALLOT_PROOF_BYTES, SHALLOT_PROOF_BYTES),
                             BYTES(SHALLOT_PAIR_PROOF_OWNER, SHALLOT_PROOF_BYTES, SHALLOT_PROOF_BYTES)}},
  [MESSAGE_MANIFEST] = {.claims = HAS_ALWAYS | HAS_BODY,
                        .body = {NUMBER(SHALLOT_MANIFEST_SEQUENCE, 1, ANY_NUMBER), TEXT(SHALLOT_MANIFEST_VENDOR, 1, SHALLOT_VENDOR_BYTES_MAX),
                                 TEXT(SHALLOT_MANIFEST_CLASS, 1, SHALLOT_CLASS_BYTES_MAX),
                                 BYTES(SHALLOT_MANIFEST_DIGEST, SHALLOT_DIGEST_BYTES, SHALLOT_DIGEST_BYTES),
                                 NUMBER(SHALLOT_MANIFEST_SIZE, 1, SHALLOT_IMAGE_BYTES_MAX), LABEL_TEXT(SHALLOT_MANIFEST_FIRMWARE),
                                 OPTIONAL(SHALLOT_MANIFEST_WIRE, FORM_UNSIGNED, 1, SHALLOT_WIRE_VERSION_MAX),
                                 OPTIONAL(SHALLOT_MANIFEST_FROM, FORM_UNSIGNED, 1, ANY_NUMBER)}},
  [MESSAGE_PINS] = {.claims = HAS_ALWAYS | HAS_BODY,
                    .body = {NUMBER(SHALLOT_PINS_GENERATION, 0, SHALLOT_GENERATION_MAX), RULE(SHALLOT_PINS_HUB_CA, FORM_KEYS, 2, 2, 0)}},
  [MESSAGE_DIRECT] = {.claims = HAS_ALWAYS | HAS_NONCE | HAS_BODY,
                      .body = {BYTES(SHALLOT_DIRECT_CERTIFICATE, 1, SHALLOT_CERTIFICATE_BYTES_MAX),
                               RULE(SHALLOT_DIRECT_ORIGINS, FORM_ORIGINS, 0, SHALLOT_DIRECT_ORIGINS_MAX, 0)}},
  [MESSAGE_STILL] = {.claims = HAS_ALWAYS | HAS_BODY,
                     .body = {NUMBER(SHALLOT_STILL_AFFORDANCE, 0, SHALLOT_AFFORDANCE_MAX),
                              BYTES(SHALLOT_STILL_COMMAND, SHALLOT_DIGEST_BYTES, SHALLOT_DIGEST_BYTES),
                              BYTES(SHALLOT_STILL_DIGEST, SHALLOT_DIGEST_BYTES, SHALLOT_DIGEST_BYTES),
                              NUMBER(SHALLOT_STILL_SIZE, 1, ANY_NUMBER), NUMBER(SHALLOT_STILL_AT, 0, ANY_NUMBER)}},
};

IN_FLASH(static const struct packed_rule enrol_code_rules[]) = {
  NUMBER(SHALLOT_CODE_VERSION, SHALLOT_CODE_VERSION_NOW, SHALLOT_CODE_VERSION_NOW),
  TEXT(SHALLOT_CODE_HOST, 1, SHALLOT_NAME_BYTES_MAX),
  NUMBER(SHALLOT_CODE_PORT, 0, ANY_NUMBER),
  BYTES(SHALLOT_CODE_ROOT, SHALLOT_KEY_BYTES, SHALLOT_KEY_BYTES),
  RULE(SHALLOT_CODE_HUB_CA, FORM_KEYS, 1, 2, 0),
  BYTES(SHALLOT_CODE_SECRET, SHALLOT_ENROL_SECRET_BYTES, SHALLOT_ENROL_SECRET_BYTES),
};

IN_FLASH(static const char type_texts[MESSAGE_TYPES][MESSAGE_TYPE_TEXT_MAX]) = {
  [MESSAGE_OWNER] = SHALLOT_TYPE_OWNER,       [MESSAGE_MEMBER] = SHALLOT_TYPE_MEMBER,   [MESSAGE_PERMIT] = SHALLOT_TYPE_PERMIT,
  [MESSAGE_ENROLMENT] = SHALLOT_TYPE_ENROLMENT, [MESSAGE_ENROL] = SHALLOT_TYPE_ENROL,   [MESSAGE_ENROLLED] = SHALLOT_TYPE_ENROLLED,
  [MESSAGE_HELLO] = SHALLOT_TYPE_HELLO,       [MESSAGE_WELCOME] = SHALLOT_TYPE_WELCOME, [MESSAGE_READING] = SHALLOT_TYPE_READING,
  [MESSAGE_COMMAND] = SHALLOT_TYPE_COMMAND,   [MESSAGE_RECEIPT] = SHALLOT_TYPE_RECEIPT, [MESSAGE_REQUEST] = SHALLOT_TYPE_REQUEST,
  [MESSAGE_BEACON] = SHALLOT_TYPE_BEACON,
  [MESSAGE_PERSON] = SHALLOT_TYPE_PERSON,     [MESSAGE_HOLDER] = SHALLOT_TYPE_HOLDER,   [MESSAGE_GRANT] = SHALLOT_TYPE_GRANT,
  [MESSAGE_LEASE] = SHALLOT_TYPE_LEASE,       [MESSAGE_REVOCATION] = SHALLOT_TYPE_REVOCATION, [MESSAGE_ACT] = SHALLOT_TYPE_ACT,
  [MESSAGE_PAIRING] = SHALLOT_TYPE_PAIRING,   [MESSAGE_PAIR] = SHALLOT_TYPE_PAIR,
  [MESSAGE_MANIFEST] = SHALLOT_TYPE_MANIFEST,
  [MESSAGE_PINS] = SHALLOT_TYPE_PINS,         [MESSAGE_DIRECT] = SHALLOT_TYPE_DIRECT,
  [MESSAGE_STILL] = SHALLOT_TYPE_STILL,
};

size_t message_type_text(char out[MESSAGE_TYPE_TEXT_MAX], enum message_type type) {
  flash_copy(out, type_texts[type], MESSAGE_TYPE_TEXT_MAX);
  return strlen(out);
}

int message_type_of(const uint8_t *text, size_t size) {
  char known[MESSAGE_TYPE_TEXT_MAX];
  for (int type = 0; type < MESSAGE_TYPES; type++) {
    if (message_type_text(known, (enum message_type)type) == size && memcmp(known, text, size) == 0) return type;
  }
  return SHALLOT_E_UNKNOWN_TYPE;
}

static bool is_unsigned(const struct cbor_item *item, uint32_t least, uint32_t most) {
  if (item->kind != CBOR_INTEGER || item->value < least) return false;
  return most == ANY_NUMBER || item->value <= most;
}

static bool is_string(const struct cbor_item *item, enum cbor_kind kind, size_t least, size_t most) {
  return item->kind == kind && item->size >= least && item->size <= most;
}

static bool is_value(const struct cbor_item *item) { return item->kind == CBOR_INTEGER || item->kind == CBOR_BOOL; }

static bool sample_is_sound(struct cbor_reader *reader) {
  struct cbor_item sample = cbor_next(reader);
  if (sample.kind != CBOR_ARRAY || sample.count != 3) return false;
  struct cbor_item affordance = cbor_next(reader);
  if (!is_unsigned(&affordance, 0, SHALLOT_AFFORDANCE_MAX)) return false;
  struct cbor_item time = cbor_next(reader);
  if (!is_unsigned(&time, 0, ANY_NUMBER)) return false;
  struct cbor_item value = cbor_next(reader);
  return is_value(&value);
}

static bool number_follows(struct cbor_reader *reader, int64_t least, int64_t most, int64_t *number) {
  struct cbor_item item = cbor_next(reader);
  *number = item.value;
  return item.kind == CBOR_INTEGER && item.value >= least && item.value <= most;
}

/* `[affordance, methods]` */
static bool permission_is_sound(struct cbor_reader *reader) {
  int64_t number;
  struct cbor_item pair = cbor_next(reader);
  if (pair.kind != CBOR_ARRAY || pair.count != 2) return false;
  if (!number_follows(reader, 0, SHALLOT_AFFORDANCE_MAX, &number)) return false;
  return number_follows(reader, 1, SHALLOT_METHOD_GET | SHALLOT_METHOD_POST | SHALLOT_METHOD_PUT, &number);
}

/* `[days, from, to]` */
static bool hours_are_sound(struct cbor_reader *reader) {
  int64_t days, from, to;
  struct cbor_item span = cbor_next(reader);
  if (span.kind != CBOR_ARRAY || span.count != 3) return false;
  if (!number_follows(reader, 1, EVERY_DAY, &days)) return false;
  if (!number_follows(reader, 0, SHALLOT_MINUTES_PER_DAY, &from)) return false;
  return number_follows(reader, 0, SHALLOT_MINUTES_PER_DAY, &to) && from < to;
}

/* `[address, port]` */
static bool place_is_sound(struct cbor_reader *reader) {
  int64_t number;
  struct cbor_item pair = cbor_next(reader);
  if (pair.kind != CBOR_ARRAY || pair.count != 2) return false;
  struct cbor_item address = cbor_next(reader);
  if (!is_string(&address, CBOR_TEXT, 1, SHALLOT_PLACE_ADDRESS_CHARS_MAX)) return false;
  return number_follows(reader, 1, UINT16_MAX, &number);
}

static bool is_bytes_of(const struct cbor_item *item, size_t size) { return is_string(item, CBOR_BYTES, size, size); }

/* `[salt, rounds, key]` */
static bool pin_is_sound(struct cbor_reader *reader, const struct cbor_item *pin) {
  int64_t rounds;
  if (pin->kind != CBOR_ARRAY || pin->count != 3) return false;
  struct cbor_item salt = cbor_next(reader);
  if (!is_bytes_of(&salt, SHALLOT_PIN_SALT_BYTES)) return false;
  if (!number_follows(reader, SHALLOT_PIN_ROUNDS_LEAST, SHALLOT_PIN_ROUNDS_MAX, &rounds)) return false;
  struct cbor_item key = cbor_next(reader);
  return is_bytes_of(&key, SHALLOT_PIN_KEY_BYTES);
}

/* `[offset, changes-at, then]` */
static bool zone_is_sound(struct cbor_reader *reader, const struct cbor_item *zone) {
  int64_t number;
  if (zone->kind != CBOR_ARRAY || zone->count != 3) return false;
  if (!number_follows(reader, -SHALLOT_ZONE_MINUTES_MAX, SHALLOT_ZONE_MINUTES_MAX, &number)) return false;
  if (!number_follows(reader, 0, SHALLOT_INTEGER_MAX, &number)) return false;
  return number_follows(reader, -SHALLOT_ZONE_MINUTES_MAX, SHALLOT_ZONE_MINUTES_MAX, &number);
}

/* `[running, standing, tried]` */
static bool standing_is_sound(struct cbor_reader *reader, const struct cbor_item *image) {
  int64_t number;
  if (image->kind != CBOR_ARRAY || image->count != 3) return false;
  if (!number_follows(reader, 0, SHALLOT_INTEGER_MAX, &number)) return false;
  if (!number_follows(reader, SHALLOT_STANDING_STEADY, SHALLOT_STANDING_RETURNED, &number)) return false;
  return number_follows(reader, 0, SHALLOT_INTEGER_MAX, &number);
}

/* `[port, point]` */
static bool direct_is_sound(struct cbor_reader *reader, const struct cbor_item *direct) {
  int64_t number;
  if (direct->kind != CBOR_ARRAY || direct->count != 2) return false;
  if (!number_follows(reader, 1, UINT16_MAX, &number)) return false;
  struct cbor_item point = cbor_next(reader);
  return is_bytes_of(&point, SHALLOT_DIRECT_KEY_BYTES);
}

static bool element_is_sound(struct cbor_reader *reader, enum form form) {
  if (form == FORM_SAMPLES) return sample_is_sound(reader);
  if (form == FORM_PERMISSIONS) return permission_is_sound(reader);
  if (form == FORM_HOURS) return hours_are_sound(reader);
  if (form == FORM_PLACES) return place_is_sound(reader);
  struct cbor_item item = cbor_next(reader);
  bool is_key = is_bytes_of(&item, SHALLOT_KEY_BYTES);
  bool is_short = is_bytes_of(&item, SHALLOT_GRANT_ID_BYTES);
  bool is_group = is_string(&item, CBOR_TEXT, 1, SHALLOT_GROUP_BYTES_MAX);
  switch (form) {
    case FORM_KEYS: return is_key;
    case FORM_IDS: return is_short;
    case FORM_GROUPS: return is_group;
    case FORM_ORIGINS: return is_string(&item, CBOR_TEXT, 1, SHALLOT_DIRECT_ORIGIN_BYTES_MAX);
    case FORM_GRANT_DEVICES: return is_key || is_group;
    case FORM_REVOCATION_ENTRIES: return is_key || is_short;
    default: return is_unsigned(&item, 0, SHALLOT_AFFORDANCE_MAX);
  }
}

static bool array_is_sound(struct cbor_reader *reader, const struct cbor_item *array, const struct rule *rule) {
  if (array->kind != CBOR_ARRAY || array->count < rule->least || array->count > rule->most) return false;
  for (size_t i = 0; i < array->count; i++) {
    if (!element_is_sound(reader, (enum form)rule->form)) return false;
  }
  return true;
}

static bool member_is_sound(struct cbor_reader *reader, const struct rule *rule) {
  struct cbor_item item = cbor_next(reader);
  switch ((enum form)rule->form) {
    case FORM_UNSIGNED: return is_unsigned(&item, rule->least, rule->most);
    case FORM_BYTES: return is_string(&item, CBOR_BYTES, rule->least, rule->most);
    case FORM_TEXT: return is_string(&item, CBOR_TEXT, rule->least, rule->most);
    case FORM_BOOL: return item.kind == CBOR_BOOL;
    case FORM_VALUE: return is_value(&item);
    case FORM_ZONE: return zone_is_sound(reader, &item);
    case FORM_PIN: return pin_is_sound(reader, &item);
    case FORM_STANDING: return standing_is_sound(reader, &item);
    case FORM_DIRECT: return direct_is_sound(reader, &item);
    default: return array_is_sound(reader, &item, rule);
  }
}

/* The next key when it is this label; otherwise the reader stays where it is. */
static bool key_take(struct cbor_reader *reader, int64_t label) {
  struct cbor_reader ahead = *reader;
  struct cbor_item key = cbor_next(&ahead);
  if (key.kind != CBOR_INTEGER || key.value != label) return false;
  *reader = ahead;
  return true;
}

/* Volatile, so that no compiler makes a narrow read of it. */
static struct rule rule_unpack(const struct packed_rule *packed) {
  uint32_t head = *(const volatile uint32_t *)&packed->head;
  uint32_t form = head >> FORM_AT & ((1u << (ABSENT_AT - FORM_AT)) - 1);
  return (struct rule){head & ((1u << FORM_AT) - 1), form, head >> LEAST_AT, packed->most, head >> ABSENT_AT & 1};
}

/* A map with exactly these members. Keys arrive in the order of the rules, or the encoding would not be canonical. */
static bool map_is_sound(struct cbor_reader *reader, const struct packed_rule *rules, size_t rules_count) {
  struct cbor_item map = cbor_next(reader);
  size_t found = 0;
  if (map.kind != CBOR_MAP) return false;
  for (size_t i = 0; i < rules_count; i++) {
    struct rule rule = rule_unpack(&rules[i]);
    if (!key_take(reader, (int64_t)rule.label)) {
      if (!rule.may_be_absent) return false;
      continue;
    }
    if (!member_is_sound(reader, &rule)) return false;
    found++;
  }
  return found == map.count;
}

static size_t rules_count(const struct packed_rule *rules) {
  size_t count = 0;
  while (count < BODY_RULES_MAX && rules[count].head != 0) count++;
  return count;
}

static bool integer_follows(struct cbor_reader *reader, int64_t label, int64_t value) {
  if (!key_take(reader, label)) return false;
  struct cbor_item item = cbor_next(reader);
  return item.kind == CBOR_INTEGER && item.value == value;
}

/* `{1: {1: 1, -1: 6, -2: x}}` (RFC 8747 §3.2, RFC 9053 §7.2). */
static bool confirmation_read(struct claims *claims, struct cbor_reader *reader) {
  struct cbor_item outer = cbor_next(reader);
  if (outer.kind != CBOR_MAP || outer.count != 1 || !key_take(reader, SHALLOT_CNF_COSE_KEY)) return false;
  struct cbor_item inner = cbor_next(reader);
  if (inner.kind != CBOR_MAP || inner.count != 3) return false;
  if (!integer_follows(reader, SHALLOT_COSE_KTY, SHALLOT_KTY_OKP)) return false;
  if (!integer_follows(reader, SHALLOT_COSE_CRV, SHALLOT_CRV_ED25519)) return false;
  if (!key_take(reader, SHALLOT_COSE_X)) return false;
  struct cbor_item key = cbor_next(reader);
  claims->key = key.bytes;
  return is_string(&key, CBOR_BYTES, SHALLOT_KEY_BYTES, SHALLOT_KEY_BYTES);
}

static bool cti_read(struct claims *claims, const struct cbor_item *item) {
  if (!is_string(item, CBOR_BYTES, SHALLOT_CTI_BYTES, SHALLOT_CTI_BYTES)) return false;
  claims->epoch = item->bytes;
  claims->sequence = 0;
  for (size_t i = SHALLOT_EPOCH_BYTES; i < SHALLOT_CTI_BYTES; i++) claims->sequence = claims->sequence << 8 | item->bytes[i];
  return claims->sequence <= SHALLOT_INTEGER_MAX;
}

static bool time_read(int64_t *time_s, const struct cbor_item *item) {
  *time_s = item->value;
  return is_unsigned(item, 0, ANY_NUMBER);
}

static bool subject_read(struct claims *claims, const struct cbor_item *item) {
  claims->subject = item->bytes;
  claims->subject_size = item->size;
  return is_string(item, CBOR_TEXT, 1, SHALLOT_NAME_BYTES_MAX);
}

static bool claim_read(struct claims *claims, enum claim claim, const struct shape *shape, struct cbor_reader *reader) {
  if (claim == HAS_KEY) return confirmation_read(claims, reader);
  if (claim == HAS_BODY) {
    claims->body = *reader;
    return map_is_sound(reader, shape->body, rules_count(shape->body));
  }
  struct cbor_item item = cbor_next(reader);
  switch (claim) {
    case HAS_SUBJECT: return subject_read(claims, &item);
    case HAS_DEADLINE: claims->has_deadline = true; return time_read(&claims->expires_s, &item);
    case HAS_NOT_BEFORE: claims->has_not_before = true; return time_read(&claims->not_before_s, &item);
    case HAS_ISSUED: return time_read(&claims->issued_s, &item);
    case HAS_CTI: return cti_read(claims, &item);
    case HAS_AUDIENCE: claims->audience = item.bytes; return is_string(&item, CBOR_TEXT, SHALLOT_TEXT_ID_CHARS, SHALLOT_TEXT_ID_CHARS);
    default: claims->nonce = item.bytes; return is_string(&item, CBOR_BYTES, SHALLOT_EPOCH_BYTES, SHALLOT_EPOCH_BYTES);
  }
}

static int64_t claim_label(enum claim claim) {
  switch (claim) {
    case HAS_SUBJECT: return SHALLOT_CLAIM_SUB;
    case HAS_AUDIENCE: return SHALLOT_CLAIM_AUD;
    case HAS_DEADLINE: return SHALLOT_CLAIM_EXP;
    case HAS_NOT_BEFORE: return SHALLOT_CLAIM_NBF;
    case HAS_ISSUED: return SHALLOT_CLAIM_IAT;
    case HAS_CTI: return SHALLOT_CLAIM_CTI;
    case HAS_KEY: return SHALLOT_CLAIM_CNF;
    case HAS_NONCE: return SHALLOT_CLAIM_NONCE;
    default: return SHALLOT_CLAIM_BODY;
  }
}

static bool claims_are_sound(struct claims *claims, const struct shape *shape, struct cbor_reader *reader) {
  struct cbor_item map = cbor_next(reader);
  size_t found = 0;
  if (map.kind != CBOR_MAP) return false;
  for (unsigned claim = HAS_SUBJECT; claim <= HAS_BODY; claim <<= 1) {
    if (!(shape->claims & claim)) continue;
    if (!key_take(reader, claim_label((enum claim)claim))) {
      if (!(shape->claims_optional & claim)) return false;
      continue;
    }
    if (!claim_read(claims, (enum claim)claim, shape, reader)) return false;
    found++;
  }
  return found == map.count;
}

/* The member of a checked body with this label, if it is there. */
static bool member_find(const struct claims *claims, int64_t label, struct cbor_item *item) {
  struct cbor_reader reader = claims->body;
  struct cbor_item map = cbor_next(&reader);
  for (size_t i = 0; i < map.count; i++) {
    struct cbor_item key = cbor_next(&reader);
    if (key.value == label) {
      *item = cbor_next(&reader);
      return true;
    }
    cbor_skip(&reader);
  }
  return false;
}

/* What the members of a grant must be to one another (SPEC 12.1). */
static bool grant_is_coherent(const struct claims *claims) {
  struct cbor_item item;
  bool has_pin = member_find(claims, SHALLOT_GRANT_PIN, &item);
  if (has_pin == (claims->key != NULL)) return false;
  if (has_pin && member_find(claims, SHALLOT_GRANT_SHARE, &item)) return false;
  if (!claims->has_deadline) return !member_find(claims, SHALLOT_GRANT_USES, &item);
  return !claims->has_not_before || claims->not_before_s < claims->expires_s;
}

int claims_read(struct claims *claims, enum message_type type, const uint8_t *payload, size_t size) {
  const struct shape *shape = &shapes[type];
  memset(claims, 0, sizeof *claims);
  int fault = cbor_check(payload, size);
  if (fault) return fault;
  struct cbor_reader reader = cbor_reader_over(payload, size);
  if (!claims_are_sound(claims, shape, &reader)) return SHALLOT_E_BAD_CLAIMS;
  if (type == MESSAGE_GRANT && !grant_is_coherent(claims)) return SHALLOT_E_BAD_CLAIMS;
  bool too_long = shape->lifetime_s_max != 0 && claims->expires_s - claims->issued_s > (int64_t)shape->lifetime_s_max;
  return too_long ? SHALLOT_E_BAD_CLAIMS : 0;
}

int claims_check_enrol_code(struct cbor_reader reader) {
  size_t count = sizeof enrol_code_rules / sizeof enrol_code_rules[0];
  return map_is_sound(&reader, enrol_code_rules, count) ? 0 : SHALLOT_E_BAD_CLAIMS;
}

/* The value of the next member; bodies were checked, so its key is known to be the expected one. */
static struct cbor_item member_next(struct cbor_reader *reader) {
  cbor_next(reader);
  return cbor_next(reader);
}

struct enrolled_body claims_enrolled(const struct claims *claims) {
  struct cbor_reader reader = claims->body;
  cbor_next(&reader);
  struct cbor_item certificate = member_next(&reader);
  struct cbor_item name = member_next(&reader);
  return (struct enrolled_body){certificate.bytes, certificate.size, name.bytes, name.size};
}

static struct zone zone_take(struct cbor_reader *reader) {
  cbor_next(reader);
  struct cbor_item east = cbor_next(reader);
  struct cbor_item changes = cbor_next(reader);
  struct cbor_item then_east = cbor_next(reader);
  return (struct zone){(int32_t)east.value, (int32_t)then_east.value, changes.value};
}

struct welcome_body claims_welcome(const struct claims *claims) {
  struct cbor_reader reader = claims->body;
  cbor_next(&reader);
  struct welcome_body body = {0};
  body.time_ms = member_next(&reader).value;
  body.wants_record = member_next(&reader).value != 0;
  if (key_take(&reader, SHALLOT_WELCOME_ZONE)) body.zone = zone_take(&reader);
  if (key_take(&reader, SHALLOT_WELCOME_PLACES)) {
    body.places.count = cbor_next(&reader).count;
    body.places.reader = reader;
  }
  return body;
}

bool claims_places_read(struct cbor_reader reader, struct cbor_list *list) {
  struct cbor_item array = cbor_next(&reader);
  bool is_list = array.kind == CBOR_ARRAY && array.count >= 1 && array.count <= SHALLOT_PLACES_MAX;
  *list = (struct cbor_list){reader, array.count};
  for (size_t i = 0; is_list && i < array.count; i++) is_list = place_is_sound(&reader);
  return is_list;
}

struct place claims_place_next(struct cbor_list *list) {
  cbor_next(&list->reader);
  struct cbor_item address = cbor_next(&list->reader);
  struct cbor_item tcp_port = cbor_next(&list->reader);
  list->count--;
  return (struct place){address.bytes, address.size, (uint16_t)tcp_port.value};
}

static int32_t number_narrow(int64_t number) {
  if (number > INT32_MAX) return INT32_MAX;
  return number < INT32_MIN ? INT32_MIN : (int32_t)number;
}

struct command_body claims_command(const struct claims *claims) {
  struct cbor_reader reader = claims->body;
  cbor_next(&reader);
  struct command_body body = {0};
  body.operation = (unsigned)member_next(&reader).value;
  body.affordance = (unsigned)member_next(&reader).value;
  if (key_take(&reader, SHALLOT_COMMAND_VALUE)) {
    struct cbor_item value = cbor_next(&reader);
    body.value = (struct value){number_narrow(value.value), true, value.kind == CBOR_BOOL};
  }
  if (key_take(&reader, SHALLOT_COMMAND_GRANT)) body.grant = cbor_next(&reader).bytes;
  return body;
}

/* The items of an array member; none when it is not there. */
static struct cbor_list list_open(const struct claims *claims, int64_t label) {
  struct cbor_list list = {{NULL, 0, 0}, 0};
  struct cbor_reader reader = claims->body;
  struct cbor_item map = cbor_next(&reader);
  for (size_t i = 0; i < map.count; i++) {
    if (key_take(&reader, label)) {
      list.count = cbor_next(&reader).count;
      list.reader = reader;
      return list;
    }
    cbor_next(&reader);
    cbor_skip(&reader);
  }
  return list;
}

static uint32_t number_or_none(const struct claims *claims, int64_t label) {
  struct cbor_item item;
  return member_find(claims, label, &item) ? (uint32_t)item.value : 0;
}

struct grant_body claims_grant(const struct claims *claims) {
  struct cbor_item item;
  struct grant_body body = {0};
  if (member_find(claims, SHALLOT_GRANT_ID, &item)) body.id = item.bytes;
  if (member_find(claims, SHALLOT_GRANT_PARENT, &item)) body.parent = item.bytes;
  body.devices = list_open(claims, SHALLOT_GRANT_DEVICES);
  body.what = list_open(claims, SHALLOT_GRANT_WHAT);
  body.hours = list_open(claims, SHALLOT_GRANT_HOURS);
  body.lease_s = number_or_none(claims, SHALLOT_GRANT_LEASE);
  body.share = number_or_none(claims, SHALLOT_GRANT_SHARE);
  body.uses = number_or_none(claims, SHALLOT_GRANT_USES);
  struct cbor_list pin = list_open(claims, SHALLOT_GRANT_PIN);
  if (pin.count == 0) return body;
  body.pin_salt = cbor_next(&pin.reader).bytes;
  body.pin_rounds = (uint32_t)cbor_next(&pin.reader).value;
  body.pin_key = cbor_next(&pin.reader).bytes;
  return body;
}

struct revocation_body claims_revocation(const struct claims *claims) {
  struct cbor_item item;
  struct revocation_body body = {.entries = list_open(claims, SHALLOT_REVOCATION_ENTRIES)};
  if (member_find(claims, SHALLOT_REVOCATION_FLOOR, &item)) body.floor_s = item.value;
  return body;
}

struct pins_body claims_pins(const struct claims *claims) {
  struct cbor_list keys = list_open(claims, SHALLOT_PINS_HUB_CA);
  struct pins_body body = {.current = cbor_next(&keys.reader).bytes};
  body.next = cbor_next(&keys.reader).bytes;
  return body;
}

struct direct_body claims_direct(const struct claims *claims) {
  struct direct_body body = {0};
  struct cbor_item item;
  if (member_find(claims, SHALLOT_DIRECT_CERTIFICATE, &item)) body.certificate = item.bytes, body.certificate_size = item.size;
  body.origins = list_open(claims, SHALLOT_DIRECT_ORIGINS);
  return body;
}

struct cbor_list claims_lease(const struct claims *claims) { return list_open(claims, SHALLOT_LEASE_GRANTS); }

struct cbor_list claims_groups(const struct claims *claims) { return list_open(claims, SHALLOT_ENROLMENT_GROUPS); }

const uint8_t *claims_release(const struct claims *claims) {
  struct cbor_item item;
  return member_find(claims, SHALLOT_ENROLMENT_RELEASE, &item) ? item.bytes : NULL;
}

struct manifest_body claims_manifest(const struct claims *claims) {
  struct manifest_body body = {0};
  struct cbor_item item;
  struct cbor_reader reader = claims->body;
  cbor_next(&reader);
  body.sequence = (uint64_t)member_next(&reader).value;
  item = member_next(&reader);
  body.vendor = item.bytes;
  body.vendor_size = item.size;
  item = member_next(&reader);
  body.image_class = item.bytes;
  body.class_size = item.size;
  body.digest = member_next(&reader).bytes;
  body.size = (uint32_t)member_next(&reader).value;
  body.wire = number_or_none(claims, SHALLOT_MANIFEST_WIRE);
  if (member_find(claims, SHALLOT_MANIFEST_FROM, &item)) body.from = (uint64_t)item.value;
  return body;
}

const uint8_t *claims_hub(const struct claims *claims) {
  struct cbor_item item;
  return member_find(claims, SHALLOT_ENROLMENT_HUB, &item) ? item.bytes : NULL;
}

static void value_put(struct cbor_writer *writer, const struct sample *sample) {
  if (sample->is_boolean) cbor_put_bool(writer, sample->number != 0);
  else cbor_put_integer(writer, sample->number);
}

void samples_put(struct cbor_writer *writer, const struct sample *samples, size_t count) {
  cbor_put_array(writer, count);
  for (size_t i = 0; i < count; i++) {
    cbor_put_array(writer, 3);
    cbor_put_integer(writer, samples[i].affordance);
    cbor_put_integer(writer, samples[i].time_ms);
    value_put(writer, &samples[i]);
  }
}
