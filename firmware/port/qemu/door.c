// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Those who come to an emulated device's door: the runner has their sockets and is asked for each step, on the CONTROL stream, so that they
 * and the connection to the hub need no telling apart here. The first byte of a question is what is asked, the second the place.
 */
#include "door.h"

#ifdef SHALLOT_DIRECT

#include "sim.h"

enum { LISTEN, WAITS, ACCEPT, IS_READABLE, READ, WRITE, FINISH, CLOSE, IS_ANYBODY };
enum { QUESTION_BYTES = 2, WRITE_BYTES_MAX = 256, SLICE_MS = 5 };

/* A yes, a number, or a negative code. */
static int ask(uint8_t what, int place) {
  uint8_t question[QUESTION_BYTES] = {what, (uint8_t)place};
  uint8_t answer[2];
  int size = door_ask(question, sizeof question, answer, sizeof answer);
  return size == 2 ? answer[0] | answer[1] << 8 : size == 1 ? answer[0] : SHALLOT_E_PORT_TIMEOUT;
}

static int door_listen(uint16_t tcp_port) {
  (void)tcp_port;
  int here = ask(LISTEN, 0);
  return here > 0 ? here : SHALLOT_E_PORT_NETWORK;
}

static bool door_waits(void) { return ask(WAITS, 0) > 0; }
static int door_accept(void) { return ask(ACCEPT, 0); }
static bool door_is_readable(int place) { return ask(IS_READABLE, place) > 0; }

static int door_read(int place, uint8_t *out, size_t capacity) {
  uint8_t question[QUESTION_BYTES + 2] = {READ, (uint8_t)place, (uint8_t)capacity, (uint8_t)(capacity >> 8)};
  int size = door_ask(question, sizeof question, out, capacity);
  if (size < 0) return SHALLOT_E_LINK_CLOSED;
  return size == 0 ? SHALLOT_E_PORT_TIMEOUT : size;
}

static int door_write(int place, const uint8_t *data, size_t size) {
  uint8_t question[QUESTION_BYTES + WRITE_BYTES_MAX] = {WRITE, (uint8_t)place};
  size_t piece = size < WRITE_BYTES_MAX ? size : WRITE_BYTES_MAX;
  for (size_t i = 0; i < piece; i++) question[QUESTION_BYTES + i] = data[i];
  return door_ask(question, QUESTION_BYTES + piece, NULL, 0) < 0 ? SHALLOT_E_LINK_CLOSED : (int)piece;
}

static void door_finish(int place) { ask(FINISH, place); }
static void door_close(int place) { ask(CLOSE, place); }

/* Nobody asks for the name of an emulated device. */
static int name_hear(uint8_t *out, size_t capacity, struct asker *from) {
  (void)out, (void)capacity, (void)from;
  return SHALLOT_E_PORT_TIMEOUT;
}
static void name_say(const uint8_t *data, size_t size, const struct asker *to) { (void)data, (void)size, (void)to; }

static void door_wait(uint32_t timeout_ms, bool with_door) {
  uint64_t until_ms = now_ms() + timeout_ms;
  do {
    if (is_ready(NETWORK, READABLE, SLICE_MS) || ask(IS_ANYBODY, with_door) > 0) return;
  } while (now_ms() < until_ms);
}

IN_FLASH(const struct listener sim_listener) = {
    .listen = door_listen, .waits = door_waits,   .accept = door_accept, .is_readable = door_is_readable, .read = door_read,
    .write = door_write,   .finish = door_finish, .close = door_close,   .hear = name_hear,               .say = name_say,
    .wait = door_wait,
};

#endif
