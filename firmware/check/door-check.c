// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What time, lost hubs, failing parts and noise do to a lock and a keypad, with a clock and a board that this program moves.
 * Prints a line `ok CLAIM` or `FAILED CLAIM` for each; the status is the number that failed.
 */
#include <string.h>

#include "../core/line.h"
#include "../driver/keypad.h"
#include "../driver/lock.h"

enum { OUTPUT = 1, BOLT = 1, PLACES = 4, BURSTS = 32, SECOND = 1000, LEVEL_ON = 1000, BROKEN = -1 };

static const struct port *console;
static int failed;

static struct {
  int32_t output[PLACES];
  int pin[PLACES];
  bool is_broken;
  struct {
    int count;
    uint64_t bits;
  } bursts[BURSTS];
  int bursts_put;
  int bursts_taken;
} board;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

static int output_set(int channel, int32_t level) {
  if (board.is_broken) return SHALLOT_E_DEVICE_FAULT;
  board.output[channel] = level;
  return 0;
}

static int pin_read(int channel) { return board.pin[channel] == BROKEN ? SHALLOT_E_DEVICE_FAULT : board.pin[channel]; }

static int wiegand_read(uint64_t *bits) {
  if (board.bursts_taken == board.bursts_put) return 0;
  *bits = board.bursts[board.bursts_taken].bits;
  return board.bursts[board.bursts_taken++].count;
}

static const struct port fake = {.output_set = output_set, .pin_read = pin_read, .wiegand_read = wiegand_read};

/* ---- the lock ---- */

/* Looks until the bolt has been seen long enough to be believed. */
static void mind_until(struct lock *lock, uint64_t from_ms, uint64_t to_ms) {
  for (uint64_t at = from_ms; at <= to_ms; at += 20) lock_mind(lock, at);
}

static void lock_begin(struct lock *lock, bool is_fail_safe) {
  memset(&board, 0, sizeof board);
  board.pin[BOLT] = 1;
  lock_open(lock, &fake, OUTPUT, BOLT, is_fail_safe, 1000);
  lock_hub(lock, true, 1000);
  mind_until(lock, 1000, 1100);
}

static void release_claims(void) {
  struct lock lock;
  lock_begin(&lock, false);
  claim(board.output[OUTPUT] == 0 && !lock.is_jammed, "fail secure: locked without power");
  lock_release(&lock, 5 * SECOND, 2000);
  claim(board.output[OUTPUT] == LEVEL_ON, "released, it has power");
  lock_mind(&lock, 6999);
  claim(board.output[OUTPUT] == LEVEL_ON, "for as long as was asked");
  lock_mind(&lock, 7000);
  claim(board.output[OUTPUT] == 0, "and not a millisecond longer");
  lock_release(&lock, 60 * SECOND, 8000);
  lock_release(&lock, 1 * SECOND, 8000);
  lock_mind(&lock, 9000);
  claim(board.output[OUTPUT] == 0, "the last order is the one that counts");
}

static void fail_safe_claims(void) {
  struct lock lock;
  lock_begin(&lock, true);
  claim(board.output[OUTPUT] == LEVEL_ON, "fail safe: power holds it locked");
  lock_release(&lock, SECOND, 2000);
  claim(board.output[OUTPUT] == 0, "released, it has none");
  lock_mind(&lock, 3000);
  claim(board.output[OUTPUT] == LEVEL_ON, "and is locked again by power");
  lock_hub(&lock, false, 10000);
  lock_mind(&lock, 10000 + LOCK_HUB_PATIENCE_MS - 1);
  claim(board.output[OUTPUT] == LEVEL_ON, "a hub that starts again opens no door");
  lock_mind(&lock, 10000 + LOCK_HUB_PATIENCE_MS);
  claim(board.output[OUTPUT] == 0, "one that stays away for five minutes does");
  lock_hub(&lock, true, 400000);
  lock_mind(&lock, 400020);
  claim(board.output[OUTPUT] == LEVEL_ON, "and locks it when it is back");
  lock_begin(&lock, false);
  lock_hub(&lock, false, 10000);
  lock_mind(&lock, 10000 + 10 * LOCK_HUB_PATIENCE_MS);
  claim(board.output[OUTPUT] == 0, "fail secure, it stays locked without a hub");
  lock_set_fail_safe(&lock, true, 10001);
  claim(board.output[OUTPUT] == LEVEL_ON, "changed, it stays locked by the other level");
}

static void jam_claims(void) {
  struct lock lock;
  lock_begin(&lock, false);
  lock_release(&lock, 60 * SECOND, 2000);
  mind_until(&lock, 2000, 2000 + LOCK_FOLLOW_MS);
  claim(!lock.is_jammed, "a bolt may take its time");
  lock_mind(&lock, 2020 + LOCK_FOLLOW_MS);
  claim(lock.is_jammed, "and no more than that");
  board.pin[BOLT] = 0;
  mind_until(&lock, 5000, 5100);
  claim(!lock.is_jammed, "when it follows, all is well");
  board.pin[BOLT] = BROKEN;
  lock_mind(&lock, 5200);
  claim(lock.is_jammed, "a bolt that cannot be seen counts as stuck");
  board.pin[BOLT] = 0;
  board.is_broken = true;
  claim(lock_release(&lock, SECOND, 5300) == SHALLOT_E_DEVICE_FAULT, "an output that does not obey is a fault");
  lock_mind(&lock, 5300);
  claim(lock.is_jammed, "and told as one");
  board.is_broken = false;
  mind_until(&lock, 6300, 6400);
  claim(board.output[OUTPUT] == 0, "it is driven again until it obeys");
}

/* ---- the keypad ---- */

static void burst(int count, uint64_t bits) {
  board.bursts[board.bursts_put].count = count;
  board.bursts[board.bursts_put++].bits = bits;
}

static void keypad_begin(struct keypad *keypad) {
  memset(&board, 0, sizeof board);
  keypad_open(keypad, &fake);
}

static bool has(const struct keypad *keypad, const char *digits) {
  return keypad->size == strlen(digits) && memcmp(keypad->digits, digits, keypad->size) == 0;
}

static void key_claims(void) {
  struct keypad keypad;
  keypad_begin(&keypad);
  burst(4, 1);
  burst(4, 2);
  claim(keypad_look(&keypad, 0) == 0, "digits alone finish nothing");
  burst(4, 11);
  claim(keypad_look(&keypad, 10) == 2 && has(&keypad, "12"), "the end key does");
  keypad_clear(&keypad);
  claim(keypad.digits[0] == 0 && keypad.digits[1] == 0, "what was taken is wiped");
  burst(8, 0xe1);
  burst(8, 0xe2); /* not the inverse of 2 */
  burst(8, 0xd2);
  burst(8, 0x4b);
  claim(keypad_look(&keypad, 20) == 2 && has(&keypad, "12"), "eight bits must agree with themselves");
  keypad_begin(&keypad);
  burst(4, 7);
  keypad_look(&keypad, 0);
  burst(4, 8);
  burst(4, 11);
  claim(keypad_look(&keypad, KEYPAD_PATIENCE_MS + 1) == 1 && has(&keypad, "8"), "digits that were left alone are forgotten");
  keypad_begin(&keypad);
  for (int i = 0; i < KEYPAD_DIGITS_MAX + 1; i++) burst(4, 5);
  burst(4, 11);
  claim(keypad_look(&keypad, 0) == 0 && keypad.size == 0, "more digits than any code has are noise");
  burst(5, 1);
  burst(4, 12);
  burst(4, 11);
  claim(keypad_look(&keypad, 0) == 0, "so are other lengths and keys that no keypad has");
}

static void card_claims(void) {
  struct keypad keypad;
  const uint64_t card = 0x0000003; /* the second half has two bits with its parity, and should be odd */
  keypad_begin(&keypad);
  burst(26, 0x0000002);
  claim(keypad_look(&keypad, 0) == 8 && has(&keypad, "00000001"), "a card counts as its 24 bits in eight digits");
  keypad_begin(&keypad);
  burst(26, card);
  claim(keypad_look(&keypad, 0) == 0, "one with wrong parity is noise");
}

int app_main(const struct port *port) {
  console = port;
  release_claims();
  fail_safe_claims();
  jam_claims();
  key_claims();
  card_claims();
  log_text(port, "end");
  return failed;
}
