// SPDX-License-Identifier: GPL-3.0-or-later
#include "se050.h"

#include <string.h>

enum { ADDRESS = 0x48, NAD_TO_CHIP = 0x5a, NAD_TO_US = 0xa5 };
/* A block: NAD, PCB, LEN, then LEN bytes and the CRC. What our buses carry at once is the largest either side sends. */
enum { HEAD_BYTES = 3, CRC_BYTES = 2, INF_BYTES_MAX = PORT_TRANSFER_BYTES_MAX - HEAD_BYTES - CRC_BYTES };
/* PCB, §11.3.2.2: I-blocks carry a sequence bit and "more follows", R-blocks what is expected next, S-blocks orders. */
enum { I_SEQUENCE = 0x40, I_MORE = 0x20, R_BLOCK = 0x80, R_SEQUENCE = 0x10, R_CRC_WRONG = 1, S_BLOCK = 0xc0 };
enum { S_SIZE = 0xc1, S_WAIT = 0xc3, S_RESET = 0xcf, S_ANSWER = 0x20 };
/* A chip that works does not acknowledge its address; key generation is the slowest. */
enum { POLL_MS = 2, POLLS_MAX = 1000, TRIES_MAX = 3, WAITS_MAX = 20 };
enum { SPOILED = 1 };
/* AN12413 §4.3: classes, instructions and tags. */
enum { CLA = 0x80, INS_WRITE = 1, INS_READ = 2, INS_CRYPTO = 3, INS_MANAGE = 4, P1_KEY_PAIR_EC = 0x61, P1_SIGNATURE = 0x0c, P2_SIGN = 9, P2_DELETE = 0x28 };
enum { TAG_1 = 0x41, TAG_2 = 0x42, TAG_3 = 0x43, CURVE_ED25519 = 0x40, ED25519_PURE = 0xa3, STATUS_DONE = 0x9000 };

enum { ID_BYTES = 4, ID_LAST = ID_BYTES - 1 };
/* The objects of our two keys; the last byte is the place. */
static const uint8_t key_id[ID_BYTES] = {'S', 'h', 'l', 0};
static const uint8_t applet[] = {0x00, 0xa4, 0x04, 0x00, 0x10, 0xa0, 0x00, 0x00, 0x03, 0x96, 0x54,
                                 0x53, 0x00, 0x00, 0x00, 0x01, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00};

struct block {
  uint8_t pcb;
  uint8_t size;
  uint8_t inf[INF_BYTES_MAX];
};

/* One command and its answer. The head is what comes before the message, which may be long and stays where it is. */
struct exchange {
  const struct port *port;
  const uint8_t *head;
  size_t head_size;
  const uint8_t *message;
  size_t message_size;
  uint8_t *answer;
  size_t answer_capacity;
  size_t answer_size;
};

static struct {
  uint8_t ours;  /* N(S) of our next I-block: 0 or I_SEQUENCE */
  uint8_t theirs; /* N(S) that we expect: 0 or I_SEQUENCE */
} sequence;

/* CRC-16/X-25, sent low byte first. */
static uint16_t crc_of(const uint8_t *bytes, size_t size) {
  unsigned crc = 0xffff;
  for (size_t i = 0; i < size; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc & 1) ? crc >> 1 ^ 0x8408 : crc >> 1;
  }
  return (uint16_t)~crc;
}

static int block_send(const struct port *port, const struct block *block) {
  uint8_t frame[PORT_TRANSFER_BYTES_MAX] = {NAD_TO_CHIP, block->pcb, block->size};
  size_t size = HEAD_BYTES + (size_t)block->size;
  memcpy(frame + HEAD_BYTES, block->inf, block->size);
  uint16_t crc = crc_of(frame, size);
  frame[size] = (uint8_t)crc;
  frame[size + 1] = (uint8_t)(crc >> 8);
  return port->i2c_transfer(ADDRESS, frame, size + CRC_BYTES, NULL, 0);
}

/* Waits until the chip has something to say, and takes the head of it. */
static int head_await(const struct port *port, uint8_t head[HEAD_BYTES]) {
  for (int polls = 0; polls < POLLS_MAX; polls++) {
    if (port->i2c_transfer(ADDRESS, NULL, 0, head, HEAD_BYTES) == 0) return 0;
    port->sleep_ms(POLL_MS);
  }
  return SHALLOT_E_DEVICE_FAULT;
}

/* 0, SPOILED on its way, or SHALLOT_E_DEVICE_FAULT. */
static int block_take(const struct port *port, struct block *block) {
  uint8_t frame[PORT_TRANSFER_BYTES_MAX];
  int fault = head_await(port, frame);
  if (fault) return fault;
  size_t size = frame[2];
  if (frame[0] != NAD_TO_US || size > INF_BYTES_MAX) return SHALLOT_E_DEVICE_FAULT;
  fault = port->i2c_transfer(ADDRESS, NULL, 0, frame + HEAD_BYTES, size + CRC_BYTES);
  if (fault) return fault;
  uint16_t crc = crc_of(frame, HEAD_BYTES + size);
  if (frame[HEAD_BYTES + size] != (uint8_t)crc || frame[HEAD_BYTES + size + 1] != (uint8_t)(crc >> 8)) return SPOILED;
  block->pcb = frame[1];
  block->size = (uint8_t)size;
  memcpy(block->inf, frame + HEAD_BYTES, size);
  return 0;
}

static struct block acknowledgement(unsigned error) {
  return (struct block){.pcb = (uint8_t)(R_BLOCK | (sequence.theirs ? R_SEQUENCE : 0) | error)};
}

/* Sends a block and takes the next that is not about waiting (§11.6.2.3); what was spoiled is asked for again. */
static int block_exchange(const struct port *port, const struct block *ours, struct block *theirs) {
  struct block next = *ours;
  for (int waits = 0, tries = 0; waits < WAITS_MAX && tries < TRIES_MAX;) {
    int fault = block_send(port, &next);
    if (fault == 0) fault = block_take(port, theirs);
    if (fault == SPOILED) {
      tries++;
      next = acknowledgement(R_CRC_WRONG);
    } else if (fault != 0 || theirs->pcb != S_WAIT) {
      return fault;
    } else {
      waits++;
      next = *theirs;
      next.pcb |= S_ANSWER;
    }
  }
  return SHALLOT_E_DEVICE_FAULT;
}

static int order(const struct port *port, uint8_t pcb, const uint8_t *inf, size_t size) {
  struct block ours = {.pcb = pcb, .size = (uint8_t)size};
  struct block theirs;
  if (size > 0) memcpy(ours.inf, inf, size);
  int fault = block_exchange(port, &ours, &theirs);
  if (fault) return fault;
  return theirs.pcb == (pcb | S_ANSWER) ? 0 : SHALLOT_E_DEVICE_FAULT;
}

static void piece_fill(const struct exchange *exchange, size_t at, struct block *block) {
  for (size_t i = 0; i < block->size; i++, at++)
    block->inf[i] = at < exchange->head_size ? exchange->head[at] : exchange->message[at - exchange->head_size];
}

/* The command, in as many I-blocks as it takes; `last` is the chip's answer to the last of them. */
static int command_send(const struct exchange *exchange, struct block *last) {
  size_t size = exchange->head_size + exchange->message_size;
  for (size_t at = 0; at < size;) {
    bool is_last = size - at <= INF_BYTES_MAX;
    struct block piece = {.pcb = (uint8_t)(sequence.ours | (is_last ? 0 : I_MORE)), .size = (uint8_t)(is_last ? size - at : INF_BYTES_MAX)};
    piece_fill(exchange, at, &piece);
    int fault = block_exchange(exchange->port, &piece, last);
    if (fault) return fault;
    sequence.ours ^= I_SEQUENCE;
    /* In between, the chip acknowledges by asking for the next. */
    bool is_asked = last->pcb == (R_BLOCK | (sequence.ours ? R_SEQUENCE : 0));
    if (!is_last && !is_asked) return SHALLOT_E_DEVICE_FAULT;
    at += piece.size;
  }
  return 0;
}

static int answer_take(struct exchange *exchange, struct block *block) {
  for (;;) {
    bool is_next = (block->pcb & R_BLOCK) == 0 && (block->pcb & I_SEQUENCE) == sequence.theirs;
    bool says_nothing = block->size == 0 && (block->pcb & I_MORE) != 0; /* and would for ever */
    if (!is_next || says_nothing || block->size > exchange->answer_capacity - exchange->answer_size) return SHALLOT_E_DEVICE_FAULT;
    memcpy(exchange->answer + exchange->answer_size, block->inf, block->size);
    exchange->answer_size += block->size;
    sequence.theirs ^= I_SEQUENCE;
    if ((block->pcb & I_MORE) == 0) return 0;
    struct block more = acknowledgement(0);
    int fault = block_exchange(exchange->port, &more, block);
    if (fault) return fault;
  }
}

/* The answer without its status word; SHALLOT_E_DEVICE_FAULT when that is not 9000. */
static int exchange_run(struct exchange *exchange) {
  struct block block;
  int fault = command_send(exchange, &block);
  if (fault == 0) fault = answer_take(exchange, &block);
  if (fault) return fault;
  size_t size = exchange->answer_size;
  if (size < 2 || (exchange->answer[size - 2] << 8 | exchange->answer[size - 1]) != STATUS_DONE) return SHALLOT_E_DEVICE_FAULT;
  exchange->answer_size = size - 2;
  return 0;
}

static int applet_open(const struct port *port) {
  static const uint8_t size[] = {INF_BYTES_MAX};
  uint8_t about[40];
  sequence.ours = sequence.theirs = 0;
  int fault = order(port, S_RESET, NULL, 0);
  if (fault == 0) fault = order(port, S_SIZE, size, sizeof size);
  struct exchange select = {port, applet, sizeof applet, NULL, 0, about, sizeof about, 0};
  return fault ? fault : exchange_run(&select);
}

/* The bytes of the answer's one TLV; the chip's are the other way round than RFC 8032's, each half by itself. */
static int value_take(const struct exchange *exchange, uint8_t *out, size_t size, size_t half) {
  const uint8_t *answer = exchange->answer;
  /* A length of two bytes, AN12413 §3.3: 82, then the number. */
  bool is_long = exchange->answer_size > 2 && answer[1] == 0x82;
  size_t at = is_long ? 4 : 2;
  if (exchange->answer_size != at + size || answer[0] != TAG_1 || answer[at - 1] != size || (is_long && answer[2] != 0)) return SHALLOT_E_DEVICE_FAULT;
  for (size_t i = 0; i < size; i++) out[i] = answer[at + i / half * half + half - 1 - i % half];
  return 0;
}

static void id_put(uint8_t *at, unsigned place) {
  memcpy(at, key_id, ID_BYTES);
  at[ID_LAST] = (uint8_t)place;
}

/* A curve can be named only for an object that is not there yet (AN12413 §4.7.1); there may be none to delete. */
static int pair_write(const struct port *port, unsigned place) {
  uint8_t away[] = {CLA, INS_MANAGE, 0, P2_DELETE, 6, TAG_1, ID_BYTES, 0, 0, 0, 0};
  uint8_t write[] = {CLA, INS_WRITE, P1_KEY_PAIR_EC, 0, 9, TAG_1, ID_BYTES, 0, 0, 0, 0, TAG_2, 1, CURVE_ED25519};
  uint8_t status[2];
  id_put(away + 7, place);
  id_put(write + 7, place);
  struct exchange deleting = {port, away, sizeof away, NULL, 0, status, sizeof status, 0};
  struct exchange writing = {port, write, sizeof write, NULL, 0, status, sizeof status, 0};
  exchange_run(&deleting);
  return exchange_run(&writing);
}

static int make(const struct port *port, unsigned place, uint8_t public_key[SIGNER_KEY_BYTES]) {
  uint8_t read[] = {CLA, INS_READ, 0, 0, 6, TAG_1, ID_BYTES, 0, 0, 0, 0, 0};
  uint8_t answer[4 + SIGNER_KEY_BYTES + 2];
  id_put(read + 7, place);
  struct exchange reading = {port, read, sizeof read, NULL, 0, answer, sizeof answer, 0};
  int fault = applet_open(port);
  if (fault == 0) fault = pair_write(port, place);
  if (fault == 0) fault = exchange_run(&reading);
  return fault ? SHALLOT_E_DEVICE_FAULT : value_take(&reading, public_key, SIGNER_KEY_BYTES, SIGNER_KEY_BYTES);
}

static int sign(const struct port *port, unsigned place, uint8_t signature[SIGNER_SIGNATURE_BYTES], const uint8_t *message, size_t size) {
  /* Lengths in the long forms of ISO/IEC 7816-4 §5.1 and AN12413 §3.3, so that the head has one size; Le is left out. */
  size_t body = 2 + ID_BYTES + 3 + 4 + size;
  uint8_t head[] = {CLA, INS_CRYPTO, P1_SIGNATURE, P2_SIGN, 0, (uint8_t)(body >> 8), (uint8_t)body, TAG_1, ID_BYTES, 0, 0, 0, 0,
                    TAG_2, 1, ED25519_PURE, TAG_3, 0x82, (uint8_t)(size >> 8), (uint8_t)size};
  uint8_t answer[4 + SIGNER_SIGNATURE_BYTES + 2];
  if (size > SE050_MESSAGE_BYTES_MAX) return SHALLOT_E_OUT_OF_SPACE;
  id_put(head + 9, place);
  struct exchange signing = {port, head, sizeof head, message, size, answer, sizeof answer, 0};
  int fault = applet_open(port);
  if (fault == 0) fault = exchange_run(&signing);
  return fault ? SHALLOT_E_DEVICE_FAULT : value_take(&signing, signature, SIGNER_SIGNATURE_BYTES, SIGNER_KEY_BYTES);
}

const struct signer se050 = {"se050", make, sign};
