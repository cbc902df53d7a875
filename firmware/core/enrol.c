// SPDX-License-Identifier: GPL-3.0-or-later
#include "enrol.h"

#include <string.h>

#include "base64url.h"
#include "crypto.h"
#include "image.h"
#include "frame.h"
#include "../../schemas/gen/c/shallot_codes.h"

/* ---- the code, SPEC 1.4 ---- */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static size_t spaces_drop(char *text, size_t size) {
  size_t kept = 0;
  for (size_t i = 0; i < size; i++) {
    if (!is_space(text[i])) text[kept++] = text[i];
  }
  return kept;
}

/* The map's size when the last four bytes are the first of its digest, else SHALLOT_E_CODE_DAMAGED. */
static int checksum_check(const uint8_t *bytes, size_t size) {
  uint8_t digest[SHALLOT_DIGEST_BYTES];
  if (size <= SHALLOT_CODE_CHECKSUM_BYTES) return SHALLOT_E_CODE_DAMAGED;
  size_t map_size = size - SHALLOT_CODE_CHECKSUM_BYTES;
  int fault = crypto_sha256(digest, bytes, map_size);
  if (fault) return fault;
  return memcmp(digest, bytes + map_size, SHALLOT_CODE_CHECKSUM_BYTES) == 0 ? (int)map_size : SHALLOT_E_CODE_DAMAGED;
}

/* Looks at the first member alone, because a later version may hold anything after it. */
static int version_check(const uint8_t *map, size_t size) {
  struct cbor_reader reader = cbor_reader_over(map, size);
  struct cbor_item outer = cbor_next(&reader);
  struct cbor_item key = cbor_next(&reader);
  struct cbor_item version = cbor_next(&reader);
  bool has_version = outer.kind == CBOR_MAP && key.kind == CBOR_INTEGER && key.value == SHALLOT_CODE_VERSION;
  if (!has_version || version.kind != CBOR_INTEGER) return SHALLOT_E_CODE_DAMAGED;
  return version.value > SHALLOT_CODE_VERSION_NOW ? SHALLOT_E_CODE_VERSION : 0;
}

static struct cbor_item member_next(struct cbor_reader *reader) {
  cbor_next(reader);
  return cbor_next(reader);
}

/* The map is known to have the shape of `enrol-code`. */
static int code_take(struct enrol_code *code, struct cbor_reader reader) {
  cbor_next(&reader);
  member_next(&reader);
  struct cbor_item host = member_next(&reader);
  struct cbor_item tcp_port = member_next(&reader);
  memcpy(code->root, member_next(&reader).bytes, SHALLOT_KEY_BYTES);
  struct cbor_item pins = member_next(&reader);
  code->pins_count = (uint32_t)pins.count;
  for (size_t i = 0; i < pins.count; i++) memcpy(code->pins[i], cbor_next(&reader).bytes, SHALLOT_KEY_BYTES);
  memcpy(code->secret, member_next(&reader).bytes, SHALLOT_ENROL_SECRET_BYTES);
  if (tcp_port.value < 1 || tcp_port.value > UINT16_MAX) return SHALLOT_E_CODE_DAMAGED;
  code->tcp_port = (uint16_t)tcp_port.value;
  if (host.size > PORT_ADDRESS_CHARS_MAX) return SHALLOT_E_PORT_NETWORK;
  memcpy(code->host, host.bytes, host.size);
  return 0;
}

static int map_read(struct enrol_code *code, const uint8_t *map, size_t size) {
  int fault = version_check(map, size);
  if (fault) return fault;
  struct cbor_reader reader = cbor_reader_over(map, size);
  if (cbor_check(map, size) != 0 || claims_check_enrol_code(reader) != 0) return SHALLOT_E_CODE_DAMAGED;
  return code_take(code, reader);
}

int enrol_code_read(struct enrol_code *code, char *text, size_t size) {
  const size_t prefix_size = sizeof SHALLOT_CODE_ENROL_PREFIX - 1;
  uint8_t *bytes = (uint8_t *)text;
  memset(code, 0, sizeof *code);
  size = spaces_drop(text, size);
  if (size > SHALLOT_CODE_CHARS_MAX || size < prefix_size) return SHALLOT_E_CODE_DAMAGED;
  if (memcmp(text, SHALLOT_CODE_ENROL_PREFIX, prefix_size) != 0) return SHALLOT_E_CODE_DAMAGED;
  int bytes_size = base64url_read(bytes, size, text + prefix_size, size - prefix_size);
  if (bytes_size < 0) return SHALLOT_E_CODE_DAMAGED;
  int map_size = checksum_check(bytes, (size_t)bytes_size);
  return map_size < 0 ? map_size : map_read(code, bytes, (size_t)map_size);
}

void enrol_prepare(struct identity *identity, const struct enrol_code *code) {
  memcpy(identity->root, code->root, sizeof identity->root);
  memcpy(identity->pins, code->pins, sizeof identity->pins);
  identity->pins_count = code->pins_count;
  identity->tcp_port = code->tcp_port;
  memcpy(identity->host, code->host, sizeof identity->host);
  identity->is_enrolled = false;
}

/* ---- the request, RFC 2986 with RFC 8410 keys ---- */

/* CertificationRequest and its CertificationRequestInfo: version 0, subject of one commonName as UTF8String. */
IN_FLASH(static const uint8_t csr_start[]) = {0x30, 0x81, 0xb5, 0x30, 0x69, 0x02, 0x01, 0x00, 0x30, 0x36, 0x31, 0x34,
                                              0x30, 0x32, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x2b};
/* SubjectPublicKeyInfo up to the key. */
IN_FLASH(static const uint8_t csr_key[]) = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
/* No attributes; then, outside what is signed, the algorithm and the head of the signature. */
IN_FLASH(static const uint8_t csr_end[]) = {0xa0, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x41, 0x00};

enum { CSR_INFO_AT = 3, CSR_NO_ATTRIBUTES = 2 };

int enrol_csr(uint8_t out[CSR_BYTES], const struct identity *identity) {
  char id[SHALLOT_TEXT_ID_CHARS + 1];
  uint8_t *at = out;
  base64url_write(id, sizeof id, identity->public_key, SHALLOT_KEY_BYTES);
  flash_copy(at, csr_start, sizeof csr_start);
  memcpy(at += sizeof csr_start, id, SHALLOT_TEXT_ID_CHARS);
  flash_copy(at += SHALLOT_TEXT_ID_CHARS, csr_key, sizeof csr_key);
  memcpy(at += sizeof csr_key, identity->public_key, SHALLOT_KEY_BYTES);
  flash_copy(at += SHALLOT_KEY_BYTES, csr_end, sizeof csr_end);
  size_t info_size = (size_t)(at + CSR_NO_ATTRIBUTES - out) - CSR_INFO_AT;
  int fault = crypto_sign(at + sizeof csr_end, out + CSR_INFO_AT, info_size, identity->seed, identity->public_key);
  return fault ? fault : CSR_BYTES;
}

/* ---- asking, SPEC 7.1 and 7.2 ---- */

static int secret_derive(uint8_t *out, size_t size, const uint8_t *secret, const char *purpose) {
  static const char salt[] = "shallot-enrol/1";
  return crypto_hkdf_sha256(out, size, secret, SHALLOT_ENROL_SECRET_BYTES, (const uint8_t *)salt, sizeof salt - 1,
                            (const uint8_t *)purpose, strlen(purpose));
}

static int proof_put(struct cbor_writer *writer, const struct enrol_asking *asking, const char *purpose) {
  uint8_t key[SHALLOT_PROOF_BYTES];
  uint8_t proof[SHALLOT_PROOF_BYTES];
  int fault = secret_derive(key, sizeof key, asking->secret, purpose);
  if (fault == 0) fault = crypto_hmac_sha256(proof, key, sizeof key, asking->identity->public_key, SHALLOT_KEY_BYTES);
  crypto_wipe(key, sizeof key);
  if (fault == 0) cbor_put_bytes(writer, proof, sizeof proof);
  return fault;
}

static int csr_put(struct cbor_writer *writer, const struct identity *identity) {
  uint8_t csr[CSR_BYTES];
  int size = enrol_csr(csr, identity);
  if (size < 0) return size;
  cbor_put_bytes(writer, csr, (size_t)size);
  return 0;
}

static int secrets_put(struct cbor_writer *writer, const struct enrol_asking *asking) {
  uint8_t permit[SHALLOT_PERMIT_ID_BYTES];
  int fault = secret_derive(permit, sizeof permit, asking->secret, "id");
  if (fault) return fault;
  cbor_put_integer(writer, SHALLOT_ENROL_PERMIT);
  cbor_put_bytes(writer, permit, sizeof permit);
  cbor_put_integer(writer, SHALLOT_ENROL_CSR);
  fault = csr_put(writer, asking->identity);
  if (fault) return fault;
  cbor_put_integer(writer, SHALLOT_ENROL_PROOF_HUB);
  fault = proof_put(writer, asking, "hub");
  if (fault) return fault;
  cbor_put_integer(writer, SHALLOT_ENROL_PROOF_OWNER);
  return proof_put(writer, asking, "owner");
}

static void description_put(struct cbor_writer *writer, const struct enrol_asking *asking) {
  const struct app *app = asking->app;
  char firmware[SHALLOT_LABEL_BYTES_MAX + 1];
  size_t firmware_size = image_firmware(firmware, app);
  cbor_put_integer(writer, SHALLOT_ENROL_BOARD);
  cbor_put_text(writer, asking->board, strlen(asking->board));
  cbor_put_integer(writer, SHALLOT_ENROL_FIRMWARE);
  cbor_put_text(writer, firmware, firmware_size);
  cbor_put_integer(writer, SHALLOT_ENROL_AFFORDANCES);
  cbor_put_array(writer, app->affordances_count);
  for (size_t i = 0; i < app->affordances_count; i++) cbor_put_integer(writer, app->affordances[i]);
}

static int gate_prepare(struct gate *gate, const struct enrol_asking *asking, const uint8_t *hub) {
  uint8_t epoch[SHALLOT_EPOCH_BYTES];
  memset(gate, 0, sizeof *gate);
  int fault = asking->random(epoch, sizeof epoch);
  if (fault) return fault;
  gate_renew(gate, epoch);
  memcpy(gate->hub, hub, SHALLOT_KEY_BYTES);
  memcpy(gate->root, asking->identity->root, SHALLOT_KEY_BYTES);
  base64url_write(gate->home, sizeof gate->home, asking->identity->root, SHALLOT_KEY_BYTES);
  base64url_write(gate->device, sizeof gate->device, asking->identity->public_key, SHALLOT_KEY_BYTES);
  return 0;
}

int enrol_ask(struct gate *gate, const struct enrol_asking *asking, const uint8_t hub[SHALLOT_KEY_BYTES], uint8_t *bytes, size_t capacity) {
  struct sealer sealer = {asking->identity->seed, asking->identity->public_key};
  struct sealing sealing;
  int fault = gate_prepare(gate, asking, hub);
  if (fault) return fault;
  struct sealed_claims claims = {MESSAGE_ENROL, gate->home, 0, gate->nonce, 0};
  envelope_seal_begin(&sealing, &sealer, &claims, bytes, capacity);
  cbor_put_map(&sealing.writer, 7);
  fault = secrets_put(&sealing.writer, asking);
  if (fault) return fault;
  description_put(&sealing.writer, asking);
  return envelope_seal_end(&sealing, &sealer);
}

/* ---- the answer ---- */

static int refusal_read(const uint8_t *frame, size_t size) {
  struct note note;
  int fault = note_read(&note, frame, size);
  if (fault) return fault;
  return note.kind == NOTE_REFUSAL ? note.code : SHALLOT_E_UNEXPECTED_MESSAGE;
}

int enrol_answer(struct gate *gate, struct enrolled_body *papers, uint8_t *frame, size_t size, int64_t now_s) {
  struct envelope envelope;
  if (size == 0 || frame[0] != ENVELOPE_FIRST_BYTE) return refusal_read(frame, size);
  int fault = envelope_open(&envelope, frame, size, SHALLOT_DEVICE_ENVELOPE_BYTES_MAX);
  if (fault) return fault;
  if (envelope.type != MESSAGE_ENROLLED) return SHALLOT_E_UNEXPECTED_MESSAGE;
  fault = gate_admit(gate, &envelope, now_s);
  if (fault == 0) *papers = claims_enrolled(&envelope.claims);
  return fault;
}
