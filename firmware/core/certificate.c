// SPDX-License-Identifier: GPL-3.0-or-later
#include "certificate.h"

#include <stdbool.h>
#include <string.h>

#include "base64url.h"
#include "crypto.h"
#include "../port/port.h"
#include "../../schemas/gen/c/shallot_wire.h"

enum {
  TAG_BOOLEAN = 0x01,
  TAG_INTEGER = 0x02,
  TAG_BIT_STRING = 0x03,
  TAG_OCTET_STRING = 0x04,
  TAG_OBJECT_ID = 0x06,
  TAG_UTC_TIME = 0x17,
  TAG_GENERALIZED_TIME = 0x18,
  TAG_SEQUENCE = 0x30,
  TAG_VERSION = 0xa0,
  TAG_EXTENSIONS = 0xa3,
};

/* What is left to read of one constructed value. */
struct der {
  const uint8_t *at;
  const uint8_t *end;
};

/* The parts of a certificate that anybody here looks at. */
struct parts {
  struct der issuer;
  struct der validity;
  struct der subject;
  struct der key;
  struct der extensions;
  struct der signature; /* a bit string, its number of unused bits in front */
};

static size_t left(const struct der *der) { return (size_t)(der->end - der->at); }

/* Steps over the next value, which must have this tag; value gets its contents. 0 or -1. */
static int der_next(struct der *der, uint8_t tag, struct der *value) {
  if (left(der) < 2 || der->at[0] != tag) return -1;
  size_t length = der->at[1];
  size_t head = 2;
  if (length == 0x81) {
    if (left(der) < 3 || der->at[2] < 0x80) return -1;
    length = der->at[2];
    head = 3;
  } else if (length == 0x82) {
    if (left(der) < 4 || der->at[2] == 0) return -1;
    length = (size_t)der->at[2] << 8 | der->at[3];
    head = 4;
  } else if (length >= 0x80) {
    return -1;
  }
  if (left(der) - head < length) return -1;
  value->at = der->at + head;
  value->end = value->at + length;
  der->at = value->end;
  return 0;
}

static int der_is(const struct der *value, const void *bytes, size_t size) {
  return left(value) == size && memcmp(value->at, bytes, size) == 0;
}

static int same(const struct der *one, const struct der *other) { return der_is(one, other->at, left(other)); }

/* AlgorithmIdentifier of Ed25519 (RFC 8410 §3): 1.3.101.112 without parameters. */
static int is_ed25519(const struct der *algorithm) { return der_is(algorithm, "\x06\x03\x2b\x65\x70", 5); }

/* ecdsa-with-SHA256 (RFC 5758 §3.2). */
static int is_ecdsa(const struct der *algorithm) { return der_is(algorithm, "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 10); }

/* Positive, in its shortest form, at most 20 octets (RFC 5280 §4.1.2.2). */
static bool is_serial(const struct der *serial) {
  size_t size = left(serial);
  if (size == 0 || size > 20 || serial->at[0] >= 0x80) return false;
  return serial->at[0] != 0 || (size > 1 && serial->at[1] >= 0x80);
}

static int read_parts_of(struct parts *parts, const uint8_t *bytes, size_t size, int (*is_algorithm)(const struct der *algorithm)) {
  struct der input = {bytes, bytes + size};
  struct der certificate;
  struct der tbs;
  struct der value;
  if (der_next(&input, TAG_SEQUENCE, &certificate) || left(&input) != 0) return -1;
  if (der_next(&certificate, TAG_SEQUENCE, &tbs)) return -1;
  if (der_next(&certificate, TAG_SEQUENCE, &value) || !is_algorithm(&value)) return -1;
  if (der_next(&certificate, TAG_BIT_STRING, &parts->signature) || left(&certificate) != 0) return -1;
  if (der_next(&tbs, TAG_VERSION, &value) || !der_is(&value, "\x02\x01\x02", 3)) return -1;
  if (der_next(&tbs, TAG_INTEGER, &value) || !is_serial(&value)) return -1;
  if (der_next(&tbs, TAG_SEQUENCE, &value) || !is_algorithm(&value)) return -1;
  if (der_next(&tbs, TAG_SEQUENCE, &parts->issuer)) return -1;
  if (der_next(&tbs, TAG_SEQUENCE, &parts->validity)) return -1;
  if (der_next(&tbs, TAG_SEQUENCE, &parts->subject)) return -1;
  if (der_next(&tbs, TAG_SEQUENCE, &parts->key)) return -1;
  if (der_next(&tbs, TAG_EXTENSIONS, &value) || left(&tbs) != 0) return -1;
  if (der_next(&value, TAG_SEQUENCE, &parts->extensions) || left(&value) != 0) return -1;
  return 0;
}

static int read_parts(struct parts *parts, const uint8_t *bytes, size_t size) { return read_parts_of(parts, bytes, size, is_ed25519); }

static int read_key(struct certificate_leaf *leaf, struct der key) {
  struct der algorithm;
  struct der bits;
  if (der_next(&key, TAG_SEQUENCE, &algorithm) || !is_ed25519(&algorithm)) return -1;
  if (der_next(&key, TAG_BIT_STRING, &bits) || left(&key) != 0) return -1;
  if (left(&bits) != 33 || bits.at[0] != 0) return -1;
  memcpy(leaf->public_key, bits.at + 1, 32);
  return 0;
}

/* One name, the key's own (SPEC 1.2), as a commonName in UTF-8: it says nothing that the key does not, and has one spelling. */
static bool is_named_by_key(const struct der *subject, const uint8_t key[32]) {
  enum { BEFORE_ID = 11 };
  char id[SHALLOT_TEXT_ID_CHARS + 1];
  base64url_write(id, sizeof id, key, SHALLOT_KEY_BYTES);
  if (left(subject) != BEFORE_ID + SHALLOT_TEXT_ID_CHARS) return false;
  if (memcmp(subject->at, "\x31\x34\x30\x32\x06\x03\x55\x04\x03\x0c\x2b", BEFORE_ID) != 0) return false;
  return memcmp(subject->at + BEFORE_ID, id, SHALLOT_TEXT_ID_CHARS) == 0;
}

static int two_digits(struct der *text) {
  if (left(text) < 2) return -1;
  int tens = text->at[0] - '0';
  int ones = text->at[1] - '0';
  text->at += 2;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : 10 * tens + ones;
}

/* Days since 1970-01-01 of a Gregorian date: the year begins in March, so that the leap day is its last. */
static int64_t days_since_1970(int year, int month, int day) {
  int64_t shifted = month <= 2 ? year - 1 : year;
  int64_t leaps = shifted / 4 - shifted / 100 + shifted / 400;
  int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return 365 * shifted + leaps + day_of_year - 719468;
}

static int days_of(int year, int month) {
  bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 ? 28 + is_leap : 30 + (month + (month > 7)) % 2;
}

/* YYMMDDHHMMSSZ up to 2049, YYYYMMDDHHMMSSZ after, and neither for the other (RFC 5280 §4.1.2.5). */
static int read_time(struct der *from, int64_t *seconds) {
  struct der text;
  int year = 0;
  if (der_next(from, TAG_UTC_TIME, &text) == 0) {
    year = two_digits(&text);
    if (year < 0) return -1;
    year += year < 50 ? 2000 : 1900;
  } else {
    if (der_next(from, TAG_GENERALIZED_TIME, &text)) return -1;
    int century = two_digits(&text);
    year = two_digits(&text);
    if (century < 0 || year < 0) return -1;
    year += 100 * century;
    if (year < 2050) return -1;
  }
  int month = two_digits(&text);
  int day = two_digits(&text);
  int hour = two_digits(&text);
  int minute = two_digits(&text);
  int second = two_digits(&text);
  if (month < 1 || month > 12 || day < 1 || day > days_of(year, month) || hour < 0 || hour > 23) return -1;
  if (minute < 0 || minute > 59 || second < 0 || second > 59 || !der_is(&text, "Z", 1)) return -1;
  *seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
  return 0;
}

/* BasicConstraints (RFC 5280 §4.2.1.9): an empty sequence is the only DER of CA:FALSE without a path length. */
static int check_constraints(struct der *value) {
  struct der inside;
  return der_next(value, TAG_SEQUENCE, &inside) || left(&inside) != 0 || left(value) != 0 ? -1 : 0;
}

/* KeyUsage (§4.2.1.3): digitalSignature alone, in its one DER. */
static int check_key_usage(const struct der *value) { return der_is(value, "\x03\x02\x07\x80", 4) ? 0 : -1; }

/* ExtendedKeyUsage (§4.2.1.12): exactly id-kp-serverAuth. */
static int check_extended_usage(struct der *value) {
  struct der list;
  struct der purpose;
  if (der_next(value, TAG_SEQUENCE, &list) || left(value) != 0) return -1;
  if (der_next(&list, TAG_OBJECT_ID, &purpose) || left(&list) != 0) return -1;
  return der_is(&purpose, "\x2b\x06\x01\x05\x05\x07\x03\x01", 8) ? 0 : -1;
}

/* What is in one extension; `critical` is empty where it is not. */
struct extension {
  struct der name;
  struct der critical;
  struct der value;
};

static int read_extension(struct der *list, struct extension *extension) {
  struct der inside;
  extension->critical = (struct der){NULL, NULL};
  if (der_next(list, TAG_SEQUENCE, &inside) || der_next(&inside, TAG_OBJECT_ID, &extension->name)) return -1;
  /* FALSE is the default, which DER does not write. */
  if (der_next(&inside, TAG_BOOLEAN, &extension->critical) == 0 && !der_is(&extension->critical, "\xff", 1)) return -1;
  return der_next(&inside, TAG_OCTET_STRING, &extension->value) || left(&inside) != 0 ? -1 : 0;
}

/* Whether one of the extensions in front of `end`, which have been read, has this name. */
static bool was_there(struct der extensions, const uint8_t *end, const struct der *name) {
  struct extension before;
  while (extensions.at != end && read_extension(&extensions, &before) == 0) {
    if (same(&before.name, name)) return true;
  }
  return false;
}

enum extension_id { KEY_USAGE = 0x0f, ALTERNATIVE_NAME = 0x11, CONSTRAINTS = 0x13, EXTENDED_USAGE = 0x25 };

/* The last byte of a name under 2.5.29, or 0. */
static int id_of(const struct der *name) { return left(name) == 3 && name->at[0] == 0x55 && name->at[1] == 0x1d ? name->at[2] : 0; }

/* Each extension at most once. `names_are_others`: a door's names are for who comes to it. */
static int check_extensions(struct der extensions, bool names_are_others) {
  struct der rest = extensions;
  bool has_purpose = false;
  while (left(&rest) != 0) {
    const uint8_t *begins = rest.at;
    struct extension extension;
    if (read_extension(&rest, &extension) || was_there(extensions, begins, &extension.name)) return -1;
    int id = id_of(&extension.name);
    int bad = extension.critical.at != NULL && !(id == ALTERNATIVE_NAME && names_are_others);
    if (id == KEY_USAGE) bad = check_key_usage(&extension.value);
    if (id == CONSTRAINTS) bad = check_constraints(&extension.value);
    if (id == EXTENDED_USAGE) bad = check_extended_usage(&extension.value);
    has_purpose |= id == EXTENDED_USAGE;
    if (bad) return -1;
  }
  return has_purpose ? 0 : -1;
}

int certificate_read_leaf(struct certificate_leaf *leaf, const uint8_t *der, size_t size) {
  struct parts parts;
  if (size > SHALLOT_CERTIFICATE_BYTES_MAX || read_parts(&parts, der, size)) return SHALLOT_E_TLS_PROFILE;
  if (left(&parts.signature) != 1 + CRYPTO_SIGNATURE_BYTES || parts.signature.at[0] != 0) return SHALLOT_E_TLS_PROFILE;
  if (read_key(leaf, parts.key) || crypto_check_public(leaf->public_key) != 0) return SHALLOT_E_TLS_PROFILE;
  if (!is_named_by_key(&parts.subject, leaf->public_key)) return SHALLOT_E_TLS_PROFILE;
  if (read_time(&parts.validity, &leaf->not_before)) return SHALLOT_E_TLS_PROFILE;
  if (read_time(&parts.validity, &leaf->not_after)) return SHALLOT_E_TLS_PROFILE;
  return left(&parts.validity) != 0 || check_extensions(parts.extensions, false) ? SHALLOT_E_TLS_PROFILE : 0;
}

/* SubjectPublicKeyInfo of id-ecPublicKey on prime256v1 (RFC 5480 §2). */
static int check_point(struct der key, const uint8_t *point) {
  struct der algorithm;
  struct der bits;
  if (der_next(&key, TAG_SEQUENCE, &algorithm) || der_next(&key, TAG_BIT_STRING, &bits) || left(&key) != 0) return -1;
  if (!der_is(&algorithm, "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 19)) return -1;
  return left(&bits) == 66 && bits.at[0] == 0 && memcmp(bits.at + 1, point, 65) == 0 ? 0 : -1;
}

int certificate_read_door(int64_t *not_after, const uint8_t *der, size_t size, const uint8_t point[65]) {
  struct parts parts;
  int64_t not_before;
  if (read_parts_of(&parts, der, size, is_ecdsa) || check_point(parts.key, point)) return SHALLOT_E_TLS_PROFILE;
  if (read_time(&parts.validity, &not_before) || read_time(&parts.validity, not_after)) return SHALLOT_E_TLS_PROFILE;
  return left(&parts.validity) != 0 || check_extensions(parts.extensions, true) ? SHALLOT_E_TLS_PROFILE : 0;
}

int certificate_is_self_issued(const uint8_t *der, size_t size) {
  struct parts parts;
  if (read_parts(&parts, der, size)) return SHALLOT_E_TLS_PROFILE;
  return same(&parts.issuer, &parts.subject);
}

/*
 * The anchor, as 74 words because flash is read in words: v3, serial 1, Ed25519, issuer and subject
 * CN=shallot hub 0000000000000000, valid from 2000 to 9999, a key of zeros, CA:TRUE, keyCertSign, a signature of zeros.
 */
enum { ISSUER_DIGITS_AT = 47, SUBJECT_DIGITS_AT = 124, KEY_AT = 152, NAME_DIGITS = 16 };
IN_FLASH(static const uint8_t anchor[CERTIFICATE_ANCHOR_BYTES + 1]) =
    "\x30\x82\x01\x23\x30\x81\xd6\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70"
    "\x30\x27\x31\x25\x30\x23\x06\x03\x55\x04\x03\x0c\x1c"
    "shallot hub "
    "0000000000000000"
    "\x30\x22\x18\x0f"
    "20000101000000Z"
    "\x18\x0f"
    "99991231235959Z"
    "\x30\x27\x31\x25\x30\x23\x06\x03\x55\x04\x03\x0c\x1c"
    "shallot hub "
    "0000000000000000"
    "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "\xa3\x23\x30\x21\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff"
    "\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x02\x04"
    "\x30\x05\x06\x03\x2b\x65\x70\x03\x41\x00";

/* The end of a hub CA's name: the first 8 bytes of its key. */
static void name_digits(uint8_t out[NAME_DIGITS], const uint8_t public_key[32]) {
  for (size_t i = 0; i < NAME_DIGITS; i++) {
    uint8_t nibble = i % 2 == 0 ? public_key[i / 2] >> 4 : public_key[i / 2] & 15;
    out[i] = (uint8_t)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10);
  }
}

int certificate_anchor(uint8_t *out, size_t capacity, const uint8_t public_key[32]) {
  if (capacity < CERTIFICATE_ANCHOR_BYTES) return SHALLOT_E_OUT_OF_SPACE;
  flash_copy(out, anchor, CERTIFICATE_ANCHOR_BYTES);
  name_digits(out + ISSUER_DIGITS_AT, public_key);
  name_digits(out + SUBJECT_DIGITS_AT, public_key);
  memcpy(out + KEY_AT, public_key, 32);
  return CERTIFICATE_ANCHOR_BYTES;
}

int certificate_is_issued_by(const uint8_t *der, size_t size, const uint8_t public_key[32]) {
  struct parts parts;
  uint8_t digits[NAME_DIGITS];
  if (read_parts(&parts, der, size)) return SHALLOT_E_TLS_PROFILE;
  name_digits(digits, public_key);
  return left(&parts.issuer) > NAME_DIGITS && memcmp(parts.issuer.end - NAME_DIGITS, digits, NAME_DIGITS) == 0;
}
