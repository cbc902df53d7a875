// SPDX-License-Identifier: GPL-3.0-or-later
#include "claims.h"

#include <string.h>

#include "../port/port.h"
#include "../../schemas/gen/c/shallot_codes.h"
#include "../../schemas/gen/c/shallot_wire.h"

enum form { FORM_UNSIGNED, FORM_BYTES, FORM_TEXT, FORM_BOOL, FORM_VALUE, FORM_AFFORDANCES, FORM_SAMPLES, FORM_KEYS };

/*
 * One member of a body. `least` and `most` bound a number, a string's bytes or an array's items; ANY_NUMBER is the wire's own bound.
 * Whole words, because the table lies in flash.
 */
struct rule {
  uint32_t label;
  uint32_t form;
  uint32_t least;
  uint32_t most;
};

enum { ANY_NUMBER = 0x7fffffff, BODY_RULES_MAX = 7 };

/* Claims in the order of their labels, which is also the order of their encodings. */
enum claim {
  HAS_SUBJECT = 1,
  HAS_AUDIENCE = 2,
  HAS_DEADLINE = 4,
  HAS_ISSUED = 8,
  HAS_CTI = 16,
  HAS_KEY = 32,
  HAS_NONCE = 64,
  HAS_BODY = 128,
  HAS_ALWAYS = HAS_AUDIENCE | HAS_ISSUED | HAS_CTI
};

struct shape {
  uint32_t claims;
  uint32_t lifetime_s_max; /* 0: no deadline */
  uint32_t optional;       /* the label of the member that may be absent, or 0 */
  struct rule body[BODY_RULES_MAX];
};

#define BYTES(label, least, most) {label, FORM_BYTES, least, most}
#define TEXT(label, least, most) {label, FORM_TEXT, least, most}
#define NUMBER(label, least, most) {label, FORM_UNSIGNED, least, most}
#define LABEL_TEXT(label) TEXT(label, 1, SHALLOT_LABEL_BYTES_MAX)
#define AFFORDANCES(label) {label, FORM_AFFORDANCES, 1, SHALLOT_AFFORDANCES_MAX}
#define SAMPLES(label, least) {label, FORM_SAMPLES, least, SHALLOT_VALUES_PER_READING_MAX}

IN_FLASH(static const struct shape shapes[MESSAGE_TYPES]) = {
  [MESSAGE_OWNER] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_KEY},
  [MESSAGE_MEMBER] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_KEY},
  [MESSAGE_PERMIT] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_DEADLINE | HAS_BODY,
                      .lifetime_s_max = SHALLOT_PERMIT_LIFETIME_S_MAX,
                      .body = {BYTES(SHALLOT_PERMIT_ID, SHALLOT_PERMIT_ID_BYTES, SHALLOT_PERMIT_ID_BYTES)}},
  [MESSAGE_ENROLMENT] = {.claims = HAS_ALWAYS | HAS_SUBJECT | HAS_KEY | HAS_BODY,
                         .body = {BYTES(SHALLOT_ENROLMENT_PERMIT, SHALLOT_PERMIT_ID_BYTES, SHALLOT_PERMIT_ID_BYTES)}},
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
                              AFFORDANCES(SHALLOT_HELLO_AFFORDANCES), NUMBER(SHALLOT_HELLO_LOST, 0, ANY_NUMBER)}},
  [MESSAGE_WELCOME] = {.claims = HAS_ALWAYS | HAS_NONCE | HAS_BODY,
                       .body = {NUMBER(SHALLOT_WELCOME_TIME_MS, 0, ANY_NUMBER), {SHALLOT_WELCOME_WANTS_RECORD, FORM_BOOL, 0, 0}}},
  [MESSAGE_READING] = {.claims = HAS_ALWAYS | HAS_BODY, .body = {SAMPLES(SHALLOT_READING_VALUES, 1)}},
  [MESSAGE_COMMAND] = {.claims = HAS_ALWAYS | HAS_DEADLINE | HAS_NONCE | HAS_BODY,
                       .lifetime_s_max = SHALLOT_COMMAND_LIFETIME_S_MAX,
                       .optional = SHALLOT_COMMAND_VALUE,
                       .body = {NUMBER(SHALLOT_COMMAND_OPERATION, SHALLOT_OPERATION_WRITE, SHALLOT_OPERATION_INVOKE),
                                NUMBER(SHALLOT_COMMAND_AFFORDANCE, 0, SHALLOT_AFFORDANCE_MAX), {SHALLOT_COMMAND_VALUE, FORM_VALUE, 0, 0}}},
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
};

IN_FLASH(static const struct rule enrol_code_rules[]) = {
  NUMBER(SHALLOT_CODE_VERSION, SHALLOT_CODE_VERSION_NOW, SHALLOT_CODE_VERSION_NOW),
  TEXT(SHALLOT_CODE_HOST, 1, SHALLOT_NAME_BYTES_MAX),
  NUMBER(SHALLOT_CODE_PORT, 0, ANY_NUMBER),
  BYTES(SHALLOT_CODE_ROOT, SHALLOT_KEY_BYTES, SHALLOT_KEY_BYTES),
  {SHALLOT_CODE_HUB_CA, FORM_KEYS, 1, 2},
  BYTES(SHALLOT_CODE_SECRET, SHALLOT_ENROL_SECRET_BYTES, SHALLOT_ENROL_SECRET_BYTES),
};

IN_FLASH(static const char type_texts[MESSAGE_TYPES][MESSAGE_TYPE_TEXT_MAX]) = {
  [MESSAGE_OWNER] = SHALLOT_TYPE_OWNER,       [MESSAGE_MEMBER] = SHALLOT_TYPE_MEMBER,   [MESSAGE_PERMIT] = SHALLOT_TYPE_PERMIT,
  [MESSAGE_ENROLMENT] = SHALLOT_TYPE_ENROLMENT, [MESSAGE_ENROL] = SHALLOT_TYPE_ENROL,   [MESSAGE_ENROLLED] = SHALLOT_TYPE_ENROLLED,
  [MESSAGE_HELLO] = SHALLOT_TYPE_HELLO,       [MESSAGE_WELCOME] = SHALLOT_TYPE_WELCOME, [MESSAGE_READING] = SHALLOT_TYPE_READING,
  [MESSAGE_COMMAND] = SHALLOT_TYPE_COMMAND,   [MESSAGE_RECEIPT] = SHALLOT_TYPE_RECEIPT, [MESSAGE_REQUEST] = SHALLOT_TYPE_REQUEST,
  [MESSAGE_BEACON] = SHALLOT_TYPE_BEACON,
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

bool message_has_deadline(enum message_type type) { return shapes[type].lifetime_s_max != 0; }

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

static bool element_is_sound(struct cbor_reader *reader, enum form form) {
  if (form == FORM_SAMPLES) return sample_is_sound(reader);
  struct cbor_item item = cbor_next(reader);
  if (form == FORM_KEYS) return is_string(&item, CBOR_BYTES, SHALLOT_KEY_BYTES, SHALLOT_KEY_BYTES);
  return is_unsigned(&item, 0, SHALLOT_AFFORDANCE_MAX);
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

/* A map with exactly these members. Keys arrive in the order of the rules, or the encoding would not be canonical. */
static bool map_is_sound(struct cbor_reader *reader, const struct rule *rules, size_t rules_count, uint32_t optional) {
  struct cbor_item map = cbor_next(reader);
  size_t found = 0;
  if (map.kind != CBOR_MAP) return false;
  for (size_t i = 0; i < rules_count; i++) {
    if (!key_take(reader, (int64_t)rules[i].label)) {
      if (rules[i].label != optional) return false;
      continue;
    }
    if (!member_is_sound(reader, &rules[i])) return false;
    found++;
  }
  return found == map.count;
}

static size_t rules_count(const struct rule *rules) {
  size_t count = 0;
  while (count < BODY_RULES_MAX && rules[count].label != 0) count++;
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
    return map_is_sound(reader, shape->body, rules_count(shape->body), shape->optional);
  }
  struct cbor_item item = cbor_next(reader);
  switch (claim) {
    case HAS_SUBJECT: return subject_read(claims, &item);
    case HAS_DEADLINE: return time_read(&claims->expires_s, &item);
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
    if (!key_take(reader, claim_label((enum claim)claim))) return false;
    if (!claim_read(claims, (enum claim)claim, shape, reader)) return false;
    found++;
  }
  return found == map.count;
}

int claims_read(struct claims *claims, enum message_type type, const uint8_t *payload, size_t size) {
  const struct shape *shape = &shapes[type];
  memset(claims, 0, sizeof *claims);
  int fault = cbor_check(payload, size);
  if (fault) return fault;
  struct cbor_reader reader = cbor_reader_over(payload, size);
  if (!claims_are_sound(claims, shape, &reader)) return SHALLOT_E_BAD_CLAIMS;
  bool too_long = shape->lifetime_s_max != 0 && claims->expires_s - claims->issued_s > (int64_t)shape->lifetime_s_max;
  return too_long ? SHALLOT_E_BAD_CLAIMS : 0;
}

int claims_check_enrol_code(struct cbor_reader reader) {
  size_t count = sizeof enrol_code_rules / sizeof enrol_code_rules[0];
  return map_is_sound(&reader, enrol_code_rules, count, 0) ? 0 : SHALLOT_E_BAD_CLAIMS;
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

struct welcome_body claims_welcome(const struct claims *claims) {
  struct cbor_reader reader = claims->body;
  cbor_next(&reader);
  struct cbor_item time = member_next(&reader);
  struct cbor_item wants = member_next(&reader);
  return (struct welcome_body){time.value, wants.value != 0};
}

static int32_t number_narrow(int64_t number) {
  if (number > INT32_MAX) return INT32_MAX;
  return number < INT32_MIN ? INT32_MIN : (int32_t)number;
}

struct command_body claims_command(const struct claims *claims) {
  struct cbor_reader reader = claims->body;
  struct cbor_item map = cbor_next(&reader);
  struct command_body body = {0};
  body.operation = (unsigned)member_next(&reader).value;
  body.affordance = (unsigned)member_next(&reader).value;
  if (map.count < 3) return body;
  struct cbor_item value = member_next(&reader);
  body.value = (struct value){number_narrow(value.value), true, value.kind == CBOR_BOOL};
  return body;
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
