// SPDX-License-Identifier: GPL-3.0-or-later
#include "atecc608.h"

#include <string.h>

enum { ADDRESS = 0x60, NOBODY = 0x00 };
/* §6.2, word addresses: what a write is. */
enum { TO_SLEEP = 1, COMMAND = 3 };
/* §9.1: a group is its size, what it carries, and a sum; a command's carries code, mode and a number of two bytes first. */
enum { SIZE_BYTES = 1, SUM_BYTES = 2, COMMAND_BYTES = 4, DATA_BYTES_MAX = 32, ANSWER_BYTES_MAX = 64 };
enum { GENKEY = 0x40, GENKEY_CREATE = 4, NONCE = 0x16, NONCE_AS_GIVEN = 3, SIGN = 0x41, SIGN_AS_LOADED = 0x80 };
/* Table 9-4 has GenKey as the slowest, 115 ms; the newer chip may take its time against those who measure it. */
enum { WAKE_MS = 2, POLL_MS = 5, POLLS_MAX = 200 };

/* §9.1.2: x^16 + x^15 + x^2 + 1, each byte's lowest bit first, begun with 0. */
static uint16_t sum_of(const uint8_t *bytes, size_t size) {
  unsigned sum = 0;
  for (size_t i = 0; i < size; i++)
    for (int bit = 0; bit < 8; bit++) {
      unsigned turns = (bytes[i] >> bit & 1) ^ sum >> 15;
      sum = (sum << 1 & 0xffff) ^ (turns ? 0x8005 : 0);
    }
  return (uint16_t)sum;
}

static int group_check(const uint8_t *group) {
  size_t size = group[0];
  uint16_t sum = sum_of(group, size - SUM_BYTES);
  return group[size - 2] == (uint8_t)sum && group[size - 1] == (uint8_t)(sum >> 8) ? 0 : SHALLOT_E_DEVICE_FAULT;
}

/* Takes a group that carries exactly `size` bytes; while the chip works it does not acknowledge. It is read in pieces, as our buses carry it. */
static int group_take(const struct port *port, uint8_t *out, size_t size) {
  uint8_t group[SIZE_BYTES + ANSWER_BYTES_MAX + SUM_BYTES];
  size_t whole = SIZE_BYTES + size + SUM_BYTES;
  int polls = 0;
  while (port->i2c_transfer(ADDRESS, NULL, 0, group, SIZE_BYTES) != 0) {
    if (++polls == POLLS_MAX) return SHALLOT_E_DEVICE_FAULT;
    port->sleep_ms(POLL_MS);
  }
  /* A refusal is shorter: one byte that says why. */
  if (group[0] != whole) return SHALLOT_E_DEVICE_FAULT;
  for (size_t at = SIZE_BYTES; at < whole;) {
    size_t piece = whole - at < PORT_TRANSFER_BYTES_MAX ? whole - at : PORT_TRANSFER_BYTES_MAX;
    if (port->i2c_transfer(ADDRESS, NULL, 0, group + at, piece) != 0) return SHALLOT_E_DEVICE_FAULT;
    at += piece;
  }
  memcpy(out, group + SIZE_BYTES, size);
  return group_check(group);
}

static int command_send(const struct port *port, uint8_t code, uint8_t mode, unsigned number, const uint8_t *data, size_t size) {
  uint8_t frame[1 + SIZE_BYTES + COMMAND_BYTES + DATA_BYTES_MAX + SUM_BYTES] = {COMMAND, (uint8_t)(SIZE_BYTES + COMMAND_BYTES + size + SUM_BYTES),
                                                                                code, mode, (uint8_t)number, (uint8_t)(number >> 8)};
  size_t at = 1 + SIZE_BYTES + COMMAND_BYTES;
  if (size > 0) memcpy(frame + at, data, size);
  at += size;
  uint16_t sum = sum_of(frame + 1, at - 1);
  frame[at++] = (uint8_t)sum;
  frame[at++] = (uint8_t)(sum >> 8);
  return port->i2c_transfer(ADDRESS, frame, at, NULL, 0);
}

/* §6.1: a low level longer than any byte wakes it, which the address of nobody is at 100 kHz; then it says 11. */
static int wake(const struct port *port) {
  static const uint8_t nothing[] = {0};
  uint8_t greeting;
  port->i2c_transfer(NOBODY, nothing, sizeof nothing, NULL, 0);
  port->sleep_ms(WAKE_MS);
  int fault = group_take(port, &greeting, sizeof greeting);
  return fault == 0 && greeting != 0x11 ? SHALLOT_E_DEVICE_FAULT : fault;
}

static int rest(const struct port *port, int fault) {
  port->i2c_transfer(ADDRESS, (const uint8_t[]){TO_SLEEP}, 1, NULL, 0);
  return fault ? SHALLOT_E_DEVICE_FAULT : 0;
}

int atecc608_make(const struct port *port, unsigned slot, uint8_t point[ATECC608_POINT_BYTES]) {
  if (slot > ATECC608_SLOT_MAX) return SHALLOT_E_DEVICE_FAULT;
  int fault = wake(port);
  if (fault == 0) fault = command_send(port, GENKEY, GENKEY_CREATE, slot, NULL, 0);
  if (fault == 0) fault = group_take(port, point, ATECC608_POINT_BYTES);
  return rest(port, fault);
}

int atecc608_sign(const struct port *port, unsigned slot, uint8_t signature[ATECC608_SIGNATURE_BYTES],
                  const uint8_t digest[ATECC608_DIGEST_BYTES]) {
  uint8_t status = 1;
  if (slot > ATECC608_SLOT_MAX) return SHALLOT_E_DEVICE_FAULT;
  int fault = wake(port);
  if (fault == 0) fault = command_send(port, NONCE, NONCE_AS_GIVEN, 0, digest, ATECC608_DIGEST_BYTES);
  if (fault == 0) fault = group_take(port, &status, sizeof status);
  if (fault == 0 && status != 0) fault = SHALLOT_E_DEVICE_FAULT;
  if (fault == 0) fault = command_send(port, SIGN, SIGN_AS_LOADED, slot, NULL, 0);
  if (fault == 0) fault = group_take(port, signature, ATECC608_SIGNATURE_BYTES);
  return rest(port, fault);
}

const struct point_signer atecc608 = {.name = "atecc608", .make = atecc608_make, .sign = atecc608_sign};
