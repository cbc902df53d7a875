// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The key of a device's own server (core/direct.h) against what flash does to it: flipped bits, torn writes, power cuts. Flash is memory of
 * this program's own; the key is in software, or in a chip, played here too. Prints `ok CLAIM` or `FAILED CLAIM`; the
 * status is the number that failed. Without a door there is one claim: that there is none.
 */
#include <string.h>

#include "../core/arena.h"
#include "../core/crypto.h"
#include "../core/direct.h"
#include "../core/line.h"
#include "../core/signer.h"

enum { COPIES = 2, KEY_BYTES = SIGNER_KEY_BYTES + SIGNER_POINT_BYTES, COPY_BYTES = KEY_BYTES + CRYPTO_SUM_BYTES };
/* Making a key removes both copies, then writes both. */
enum { OPERATIONS = 4, OPERATIONS_MAX = 100, TCP_PORT = 8443 };

static const struct port *console;
static int failed;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

/* ---- a flash ---- */

static struct {
  uint8_t bytes[COPIES][COPY_BYTES];
  int sizes[COPIES]; /* negative: there is none */
} flash;
static int operations_left; /* that the power still lasts for */
static size_t torn_at;      /* how many bytes of a write after those come to be */

static int copy_of(const char *name) { return name[strlen(name) - 1] == 'b'; }

static int blob_read(const char *name, uint8_t *out, size_t capacity) {
  int copy = copy_of(name);
  if (flash.sizes[copy] > (int)capacity) return SHALLOT_E_OUT_OF_SPACE;
  if (flash.sizes[copy] > 0) memcpy(out, flash.bytes[copy], (size_t)flash.sizes[copy]);
  return flash.sizes[copy];
}

/* Worse than the port's promise: a torn blob is part new and part old. */
static int blob_write(const char *name, const uint8_t *data, size_t size) {
  int copy = copy_of(name);
  if (size > COPY_BYTES || operations_left < 0) return SHALLOT_E_PORT_STORAGE;
  bool lasts = operations_left-- > 0;
  size_t written = lasts || size < torn_at ? size : torn_at;
  memcpy(flash.bytes[copy], data, written);
  if (flash.sizes[copy] < (int)written) flash.sizes[copy] = (int)written;
  return lasts ? 0 : SHALLOT_E_PORT_STORAGE;
}

static int blob_remove(const char *name) {
  if (operations_left-- <= 0) return SHALLOT_E_PORT_STORAGE;
  flash.sizes[copy_of(name)] = SHALLOT_E_MISSING;
  return 0;
}

static void flash_clear(void) {
  flash.sizes[0] = flash.sizes[1] = SHALLOT_E_MISSING;
  operations_left = OPERATIONS_MAX;
}

static void flip(int copy, int bit) { flash.bytes[copy][bit / 8] ^= (uint8_t)(1 << bit % 8); }

/* ---- a chip, whose keys are numbers; and whoever listens ---- */

static uint8_t chip_point[SIGNER_POINT_BYTES - 1];

/* Of its two places only the first is asked for: who has lost the reference knows of no other. */
static int chip_make(const struct port *port, unsigned place, uint8_t point[SIGNER_POINT_BYTES - 1]) {
  (void)port;
  memset(chip_point, chip_point[0] + 1, sizeof chip_point);
  memcpy(point, chip_point, sizeof chip_point);
  return place == 0 ? 0 : SHALLOT_E_DEVICE_FAULT;
}

static const struct point_signer point_signer = {"counting", chip_make, NULL};

static int listen_anywhere(uint16_t tcp_port) { return tcp_port == 443 ? TCP_PORT : SHALLOT_E_PORT_NETWORK; }
static uint64_t no_time(void) { return 0; }

static const struct listener listener = {.listen = listen_anywhere};
static struct port board;

static void board_begin(bool has_chip) {
  board = (struct port){
      .now_ms = no_time,
      .random = console->random,
      .listener = &listener,
      .blob_read = blob_read,
      .blob_write = blob_write,
      .blob_remove = blob_remove,
      .point_signer = has_chip ? &point_signer : NULL,
  };
  flash_clear();
}

/* ---- starts ---- */

/* What the next start would tell the hub; false: nothing. */
static bool start(uint8_t point[SIGNER_POINT_BYTES]) {
  const struct direct_config config = {.port = &board};
  const uint8_t *told = NULL;
  uint16_t tcp_port = 0;
  int fault = direct_begin(&config, &tcp_port, &told);
  if (fault == 0) memcpy(point, told, SIGNER_POINT_BYTES);
  return fault == 0 ? tcp_port == TCP_PORT : tcp_port != 0 || told != NULL;
}

/* Whether one start after another tells this point. */
static bool tells(const uint8_t point[SIGNER_POINT_BYTES]) {
  uint8_t told[SIGNER_POINT_BYTES] = {0};
  return start(told) && memcmp(told, point, sizeof told) == 0;
}

/* After the power came back there is a key that stays, and it is the one that the chip has. */
static bool goes_on(uint8_t point[SIGNER_POINT_BYTES]) {
  operations_left = OPERATIONS_MAX;
  return start(point) && tells(point) && memcmp(chip_point, point + 1, sizeof chip_point) == 0;
}

static void key_claims(void) {
  uint8_t first[SIGNER_POINT_BYTES], later[SIGNER_POINT_BYTES];
  board_begin(false);
  claim(start(first) && tells(first) && first[0] == 4, "a key that was made is the one of every start");
  bool stays = true;
  for (int bit = 0; bit < COPIES * COPY_BYTES * 8; bit++) {
    flip(bit / (COPY_BYTES * 8), bit % (COPY_BYTES * 8));
    stays = stays && tells(first);
    flip(bit / (COPY_BYTES * 8), bit % (COPY_BYTES * 8));
  }
  claim(stays, "also when any bit of either copy has flipped");
  flip(0, 0);
  flip(1, COPY_BYTES * 8 - 1);
  claim(start(later) && memcmp(later, first, sizeof later) != 0 && tells(later), "of two damaged copies none is used: there is another key, and it stays");
  flash_clear();
  operations_left = 0;
  torn_at = COPY_BYTES;
  claim(!start(later), "nobody hears of a key that is not safe twice");
  board_begin(false);
  start(first);
  void *taken = NULL;
  for (size_t size = 4096; size >= 16; size /= 2)
    for (void **block; (block = arena_alloc(size)) != NULL; taken = block) *block = taken;
  claim(!start(later), "want of memory makes no key");
  while (taken != NULL) {
    void *block = taken;
    taken = *(void **)block;
    arena_free(block);
  }
  claim(tells(first), "and takes none away");
}

/* A key is made where there was none, or two damaged copies of one, and the power ends at any of its operations, and any byte of it. */
static bool making_survives(bool is_first) {
  uint8_t before[SIGNER_POINT_BYTES], point[SIGNER_POINT_BYTES];
  bool all = true;
  for (int operation = 0; operation < OPERATIONS && all; operation++) {
    for (torn_at = 0; torn_at <= COPY_BYTES && all; torn_at++) {
      board_begin(true);
      start(before);
      flip(0, 11);
      flip(1, 12);
      if (is_first) flash_clear();
      operations_left = operation;
      all = !start(point) && goes_on(point);
    }
  }
  return all;
}

static void cut_claims(void) {
  uint8_t point[SIGNER_POINT_BYTES], before[SIGNER_POINT_BYTES];
  claim(making_survives(true), "a power cut at any byte of a first key leaves a device that makes or has one");
  claim(making_survives(false), "so does one at any byte of what takes the place of damaged copies");
  bool all = true;
  for (torn_at = 0; torn_at <= COPY_BYTES && all; torn_at++) {
    for (int copy = 0; copy < COPIES && all; copy++) {
      board_begin(true);
      start(before);
      memset(flash.bytes[copy] + torn_at, 0xff, COPY_BYTES - torn_at);
      all = goes_on(point) && memcmp(point, before, sizeof point) == 0;
    }
  }
  claim(all, "one copy of which any part is erased changes nothing");
  board_begin(false);
  start(before);
  board.point_signer = &point_signer;
  claim(goes_on(point) && memcmp(point, before, sizeof point) != 0, "a key from before the chip is not used beside it");
  board.point_signer = NULL;
  claim(start(before) && tells(before) && memcmp(point, before, sizeof point) != 0, "nor one in a chip without it");
}

int app_main(const struct port *port) {
  const struct direct_config config = {.port = &board};
  const uint8_t *point;
  uint16_t tcp_port;
  console = port;
  board_begin(false);
  bool has_door = direct_begin(&config, &tcp_port, &point) == 0;
  board.listener = NULL;
  claim(direct_begin(&config, &tcp_port, &point) == SHALLOT_E_MISSING, "where nobody can connect there is no door");
  if (has_door) key_claims();
  if (has_door) cut_claims();
  log_text(port, "end");
  return failed;
}
