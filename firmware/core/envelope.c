// SPDX-License-Identifier: GPL-3.0-or-later
#include "envelope.h"

#include <string.h>

#include "crypto.h"
#include "../../schemas/gen/c/shallot_codes.h"
#include "../../schemas/gen/c/shallot_wire.h"

enum {
  PREFIX_SENT = 2, /* tag 18, array of 4 */
  PREFIX_SIGNED = PREFIX_SENT + ENVELOPE_HEADROOM,
  UNPROTECTED_SENT = 0xa0,   /* {} */
  UNPROTECTED_SIGNED = 0x40, /* h'', the external data that we do not use */
  PAYLOAD_HEAD_BYTES = 3
};

/* `["Signature1",` of RFC 9052 §4.4. */
static void prefix_signed_put(uint8_t *at) { memcpy(at, "\x84\x6aSignature1", PREFIX_SIGNED); }

static void prefix_sent_put(uint8_t *at) {
  at[0] = ENVELOPE_FIRST_BYTE;
  at[1] = 0x84;
}

static bool is_bytes(const struct cbor_item *item) { return item->kind == CBOR_BYTES; }

struct elements {
  struct cbor_item protected_header;
  struct cbor_item unprotected;
  struct cbor_item payload;
};

static int array_open(struct envelope *envelope, struct elements *elements, size_t size) {
  struct cbor_reader reader = cbor_reader_over(envelope->bytes + 1, size - 1);
  struct cbor_item array = cbor_next(&reader);
  if (array.kind != CBOR_ARRAY || array.count != 4) return SHALLOT_E_BAD_STRUCTURE;
  elements->protected_header = cbor_next(&reader);
  if (!is_bytes(&elements->protected_header)) return SHALLOT_E_BAD_STRUCTURE;
  envelope->unprotected_at = reader.at + 1;
  struct cbor_reader inside = reader;
  elements->unprotected = cbor_next(&inside);
  if (elements->unprotected.kind != CBOR_MAP) return SHALLOT_E_BAD_STRUCTURE;
  cbor_skip(&reader);
  elements->payload = cbor_next(&reader);
  envelope->signed_size = reader.at + 1;
  struct cbor_item signature = cbor_next(&reader);
  envelope->signature = signature.bytes;
  if (!is_bytes(&elements->payload) || !is_bytes(&signature) || signature.size != SHALLOT_SIGNATURE_BYTES) return SHALLOT_E_BAD_STRUCTURE;
  return elements->unprotected.count == 0 ? 0 : SHALLOT_E_BAD_HEADER;
}

struct header {
  struct cbor_item alg;
  struct cbor_item kid;
  struct cbor_item typ;
  bool has_critical;
  bool has_others;
};

/* Sorts the parameters by label; an array or map as a value is passed over. */
static void header_sort(struct header *header, struct cbor_reader *reader, size_t pairs) {
  for (size_t i = 0; i < pairs; i++) {
    struct cbor_item label = cbor_next(reader);
    struct cbor_reader ahead = *reader;
    struct cbor_item value = cbor_next(&ahead);
    cbor_skip(reader);
    if (label.kind != CBOR_INTEGER) header->has_others = true;
    else if (label.value == SHALLOT_HEADER_ALG) header->alg = value;
    else if (label.value == SHALLOT_HEADER_CRIT) header->has_critical = true;
    else if (label.value == SHALLOT_HEADER_KID) header->kid = value;
    else if (label.value == SHALLOT_HEADER_TYP) header->typ = value;
    else header->has_others = true;
  }
}

static int header_open(struct envelope *envelope, const struct cbor_item *bytes) {
  struct header header = {.alg.kind = CBOR_NONE, .kid.kind = CBOR_NONE, .typ.kind = CBOR_NONE};
  int fault = cbor_check(bytes->bytes, bytes->size);
  if (fault) return fault;
  struct cbor_reader reader = cbor_reader_over(bytes->bytes, bytes->size);
  struct cbor_item map = cbor_next(&reader);
  if (map.kind != CBOR_MAP) return SHALLOT_E_BAD_HEADER;
  header_sort(&header, &reader, map.count);
  if (header.has_critical) return SHALLOT_E_UNKNOWN_CRITICAL;
  if (header.has_others || header.alg.kind != CBOR_INTEGER || header.typ.kind != CBOR_TEXT) return SHALLOT_E_BAD_HEADER;
  if (!is_bytes(&header.kid) || header.kid.size != SHALLOT_KEY_BYTES) return SHALLOT_E_BAD_HEADER;
  if (header.alg.value != SHALLOT_ALG_EDDSA) return SHALLOT_E_WRONG_ALGORITHM;
  envelope->signer = header.kid.bytes;
  int type = message_type_of(header.typ.bytes, header.typ.size);
  if (type < 0) return type;
  envelope->type = (enum message_type)type;
  return 0;
}

int envelope_open(struct envelope *envelope, uint8_t *bytes, size_t size, size_t limit) {
  struct elements elements;
  memset(envelope, 0, sizeof *envelope);
  envelope->bytes = bytes;
  envelope->type = MESSAGE_TYPES;
  if (size > limit) return SHALLOT_E_TOO_LARGE;
  int fault = cbor_check_tagged(bytes, size, SHALLOT_TAG_SIGN1);
  if (fault) return fault;
  fault = array_open(envelope, &elements, size);
  if (fault) return fault;
  fault = header_open(envelope, &elements.protected_header);
  if (fault) return fault;
  return claims_read(&envelope->claims, envelope->type, elements.payload.bytes, elements.payload.size);
}

int envelope_verify(const struct envelope *envelope) {
  uint8_t *bytes = envelope->bytes;
  uint8_t *to_verify = bytes - ENVELOPE_HEADROOM;
  prefix_signed_put(to_verify);
  bytes[envelope->unprotected_at] = UNPROTECTED_SIGNED;
  int fault = crypto_verify(envelope->signature, to_verify, envelope->signed_size + ENVELOPE_HEADROOM, envelope->signer);
  prefix_sent_put(bytes);
  bytes[envelope->unprotected_at] = UNPROTECTED_SENT;
  return fault;
}

static void parameters_put(struct cbor_writer *writer, const struct sealer *sealer, enum message_type type) {
  char text[MESSAGE_TYPE_TEXT_MAX];
  size_t text_size = message_type_text(text, type);
  cbor_put_map(writer, 3);
  cbor_put_integer(writer, SHALLOT_HEADER_ALG);
  cbor_put_integer(writer, SHALLOT_ALG_EDDSA);
  cbor_put_integer(writer, SHALLOT_HEADER_KID);
  cbor_put_bytes(writer, sealer->public_key, SHALLOT_KEY_BYTES);
  cbor_put_integer(writer, SHALLOT_HEADER_TYP);
  cbor_put_text(writer, text, text_size);
}

static void protected_put(struct cbor_writer *writer, const struct sealer *sealer, enum message_type type) {
  struct cbor_writer measure = cbor_writer_into(NULL, 0);
  parameters_put(&measure, sealer, type);
  cbor_put_bytes_head(writer, measure.at);
  parameters_put(writer, sealer, type);
}

static void claims_put(struct cbor_writer *writer, const struct sealed_claims *claims) {
  uint8_t cti[SHALLOT_CTI_BYTES];
  memcpy(cti, claims->epoch, SHALLOT_EPOCH_BYTES);
  for (size_t i = 0; i < 8; i++) cti[SHALLOT_EPOCH_BYTES + i] = (uint8_t)(claims->sequence >> (56 - 8 * i));
  cbor_put_map(writer, 4);
  cbor_put_integer(writer, SHALLOT_CLAIM_AUD);
  cbor_put_text(writer, claims->audience, SHALLOT_TEXT_ID_CHARS);
  cbor_put_integer(writer, SHALLOT_CLAIM_IAT);
  cbor_put_integer(writer, claims->issued_s);
  cbor_put_integer(writer, SHALLOT_CLAIM_CTI);
  cbor_put_bytes(writer, cti, sizeof cti);
  cbor_put_integer(writer, SHALLOT_CLAIM_BODY);
}

void envelope_seal_begin(struct sealing *sealing, const struct sealer *sealer, const struct sealed_claims *claims, uint8_t *bytes,
                         size_t capacity) {
  struct cbor_writer *writer = &sealing->writer;
  *writer = cbor_writer_into(bytes, capacity);
  sealing->bytes = bytes;
  cbor_put_tag(writer, SHALLOT_TAG_SIGN1);
  cbor_put_array(writer, 4);
  protected_put(writer, sealer, claims->type);
  cbor_put_map(writer, 0);
  /* Room for the longest head an envelope of the device link needs; a shorter one moves the payload at the end. */
  sealing->payload_at = writer->at + PAYLOAD_HEAD_BYTES;
  cbor_put_raw(writer, (const uint8_t[PAYLOAD_HEAD_BYTES]){0}, PAYLOAD_HEAD_BYTES);
  claims_put(writer, claims);
}

/* Puts the head in front of the payload, now that its size is known. */
static void payload_close(struct sealing *sealing) {
  struct cbor_writer *writer = &sealing->writer;
  size_t payload_size = writer->at - sealing->payload_at;
  struct cbor_writer head = cbor_writer_into(sealing->bytes + sealing->payload_at - PAYLOAD_HEAD_BYTES, PAYLOAD_HEAD_BYTES);
  cbor_put_bytes_head(&head, payload_size);
  size_t gap = PAYLOAD_HEAD_BYTES - head.at;
  memmove(sealing->bytes + sealing->payload_at - gap, sealing->bytes + sealing->payload_at, payload_size);
  writer->at -= gap;
}

static size_t unprotected_at(const struct sealing *sealing) { return sealing->payload_at - PAYLOAD_HEAD_BYTES - 1; }

int envelope_seal_end(struct sealing *sealing, const struct sealer *sealer) {
  uint8_t signature[SHALLOT_SIGNATURE_BYTES];
  struct cbor_writer *writer = &sealing->writer;
  if (cbor_written(writer) < 0) return SHALLOT_E_OUT_OF_SPACE;
  payload_close(sealing);
  uint8_t *to_sign = sealing->bytes - ENVELOPE_HEADROOM;
  prefix_signed_put(to_sign);
  sealing->bytes[unprotected_at(sealing)] = UNPROTECTED_SIGNED;
  int fault = crypto_sign(signature, to_sign, writer->at + ENVELOPE_HEADROOM, sealer->seed, sealer->public_key);
  prefix_sent_put(sealing->bytes);
  sealing->bytes[unprotected_at(sealing)] = UNPROTECTED_SENT;
  if (fault) return fault;
  cbor_put_bytes(writer, signature, sizeof signature);
  return cbor_written(writer);
}
