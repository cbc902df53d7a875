// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What decides which image an ESP8266 boots (port/esp8266): what an image must be, and the state of two sectors against power cuts at every byte,
 * flipped bits and a flash that cannot write. The flash here is as much of a real one as is used.
 * Prints `ok CLAIM` or `FAILED CLAIM`; the status is the number that failed.
 */
#include <string.h>

#include "../core/line.h"
#include "../port/esp8266/chooser.h"
#include "../port/esp8266/program.h"

enum { WINDOW = 512, STATE_BYTES = 32, RECORD_BYTES = 16, SLOTS = 2, NO_CUT = 0x7fffffff };
enum { HEADER = 8, MAPPED_BYTES = 44, CODE_BYTES = 20, DATA_BYTES = 12, IMAGE_BYTES = 112, WHOLE_BYTES = IMAGE_BYTES + PROGRAM_TRAILER_BYTES };
#define CODE_AT 0x40100000u
#define DATA_AT 0x3ffe8000u
#define MAPPED_AT 0x40201010u

static const struct port *console;
static int failed;
static struct {
  uint8_t slots[SLOTS][WINDOW];
  uint8_t states[SLOTS][STATE_BYTES];
  int bytes_left; /* that are erased or written before the power goes */
  int changes;    /* erasures and writes that were asked for */
  bool is_worn;   /* writes nothing, and says that it did */
  bool is_deaf;   /* cannot be read */
} flash;

static void claim(bool holds, const char *what) {
  struct line line = {.size = 0};
  line_add(&line, holds ? "ok " : "FAILED ");
  line_add(&line, what);
  console->log(line.text);
  failed += !holds;
}

/* ---- flash ---- */

/* Where that is, or NULL: such an address is asked of a real flash by a bug only, but for sizes that an image claims. */
static uint8_t *place(uint32_t at, size_t size) {
  uint32_t in_slot = at % CHOOSER_MEGABYTE - CHOOSER_SLOT_AT;
  if (at >= CHOOSER_STATE_AT) return flash.states[(at - CHOOSER_STATE_AT) / CHOOSER_SECTOR_BYTES] + at % CHOOSER_SECTOR_BYTES;
  return in_slot < WINDOW && size <= WINDOW - in_slot ? flash.slots[at / CHOOSER_MEGABYTE] + in_slot : NULL;
}

static int flash_read(uint32_t at, void *out, size_t size) {
  const uint8_t *from = place(at, size);
  if (flash.is_deaf || from == NULL) return -1;
  memcpy(out, from, size);
  return 0;
}

/* Byte by byte, until the power goes. */
static int change(uint8_t *to, const uint8_t *data, size_t size) {
  flash.changes++;
  for (size_t i = 0; i < size && flash.bytes_left > 0 && !flash.is_worn; i++, flash.bytes_left--) to[i] = data == NULL ? 0xff : to[i] & data[i];
  return flash.bytes_left > 0 ? 0 : -1;
}

static int flash_erase(uint32_t at) { return at >= CHOOSER_STATE_AT ? change(place(at, 0), NULL, STATE_BYTES) : -1; }
static int flash_write(uint32_t at, const void *data, size_t size) { return at >= CHOOSER_STATE_AT ? change(place(at, size), data, size) : -1; }
static bool is_sound(int slot) { return program_is_sound(flash_read, slot); }

static const struct chooser chooser = {flash_read, flash_erase, flash_write, is_sound};

/* ---- images ---- */

static void word_put(uint8_t *to, uint32_t word) {
  for (int i = 0; i < 4; i++) to[i] = (uint8_t)(word >> 8 * i);
}

static uint8_t *segment_put(uint8_t *to, uint32_t address, uint32_t size, int version) {
  word_put(to, address);
  word_put(to + 4, size);
  for (uint32_t i = 0; i < size; i++) to[HEADER + i] = (uint8_t)(i * 7 + (uint32_t)version);
  return to + HEADER + size;
}

static void seal(int slot, uint32_t size) {
  uint8_t *end = flash.slots[slot] + size;
  word_put(end, PROGRAM_TRAILER_0);
  word_put(end + 4, PROGRAM_TRAILER_1);
  word_put(end + 8, size);
  word_put(end + 12, program_crc(0, flash.slots[slot], size));
}

/* As elf2bin.py makes one: what is run from flash comes first. */
static void image_put(int slot, int version) {
  uint8_t *image = flash.slots[slot];
  memset(image, 0xff, WINDOW);
  memcpy(image, (const uint8_t[]){0xe9, 3, 2, 0x40}, 4);
  word_put(image + 4, CODE_AT);
  uint8_t *end = segment_put(image + HEADER, MAPPED_AT, MAPPED_BYTES, version);
  end = segment_put(end, CODE_AT, CODE_BYTES, version);
  end = segment_put(end, DATA_AT, DATA_BYTES, version);
  memset(end, 0, (size_t)(image + IMAGE_BYTES - end));
  seal(slot, IMAGE_BYTES);
}

static void device_new(void) {
  memset(&flash, 0xff, sizeof flash);
  flash.bytes_left = NO_CUT;
  flash.changes = 0;
  flash.is_worn = flash.is_deaf = false;
  image_put(0, 1);
  image_put(1, 2);
}

static void damage(int slot) { flash.slots[slot][40] ^= 1; }

/* ---- what an image must be ---- */

static bool is_any_flip_seen(int slot) {
  bool seen = true;
  for (size_t bit = 0; bit < WHOLE_BYTES * 8; bit++) {
    flash.slots[slot][bit / 8] ^= (uint8_t)(1u << bit % 8);
    seen = seen && !is_sound(slot);
    flash.slots[slot][bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  return seen && is_sound(slot);
}

/* An image with one word of its headers changed and its sum right: whether it is one. */
static bool is_sound_with(uint32_t at, uint32_t word) {
  device_new();
  word_put(flash.slots[0] + at, word);
  seal(0, IMAGE_BYTES);
  return is_sound(0);
}

enum { ENTRY_AT = 4, MAPPED_HEADER_AT = HEADER, CODE_HEADER_AT = 2 * HEADER + MAPPED_BYTES };

static void address_claims(void) {
  claim(is_sound_with(CODE_HEADER_AT, 0x4010bfec), "code may end where the memory for it ends");
  claim(!is_sound_with(CODE_HEADER_AT, 0x4010bff0), "but not behind it");
  claim(!is_sound_with(CODE_HEADER_AT, 0x4010f000), "nor over the boot loader");
  claim(!is_sound_with(CODE_HEADER_AT, 0x3fffbff0), "data does not reach into the ROM's");
  claim(!is_sound_with(CODE_HEADER_AT, 0x3ffe7ffc), "nor begin before there is memory");
  claim(!is_sound_with(CODE_HEADER_AT, 0x60000200), "nothing is loaded over the chip's registers");
  claim(!is_sound_with(CODE_HEADER_AT, 0x40100002), "nor to half a word");
  claim(!is_sound_with(MAPPED_HEADER_AT, 0x40202010), "what runs from flash is linked for where it lies");
  claim(!is_sound_with(MAPPED_HEADER_AT, 0x40301010), "and in the megabyte that is mapped");
  claim(!is_sound_with(ENTRY_AT, MAPPED_AT), "a program begins in RAM");
}

static void size_claims(void) {
  claim(!is_sound_with(0, 0x400200e9), "without segments there is no program");
  claim(!is_sound_with(0, 0x4002ffe9), "nor with too many");
  claim(!is_sound_with(CODE_HEADER_AT + 4, 0xffffffec), "a segment whose end comes before its beginning is none");
  claim(!is_sound_with(CODE_HEADER_AT + 4, CHOOSER_SLOT_BYTES), "nor one that is longer than a slot");
  claim(!is_sound_with(CODE_HEADER_AT + 4, CODE_BYTES - 4), "nor one before what is no header");
  device_new();
  memset(flash.slots[0] + IMAGE_BYTES, 0xff, PROGRAM_TRAILER_BYTES);
  claim(!is_sound(0), "an image that was not ended for this boot loader is none");
  device_new();
  word_put(flash.slots[0] + IMAGE_BYTES + 8, IMAGE_BYTES - 16);
  claim(!is_sound(0), "nor one whose end is another image's");
  device_new();
  memmove(flash.slots[0] + 128, flash.slots[0], WHOLE_BYTES);
  segment_put(flash.slots[0] + HEADER, 0x4010f000, 64, 0);
  claim(!is_sound(0), "nor a whole flash file, which begins with the boot loader");
  memset(flash.slots[0], 0xff, WINDOW);
  claim(!is_sound(0), "nor erased flash");
  memset(flash.slots[0], 0, WINDOW);
  claim(!is_sound(0), "nor zeros");
  device_new();
  flash.is_deaf = true;
  claim(!is_sound(0) && !is_sound(1), "nor what cannot be read");
}

static void walk_claims(void) {
  static const uint32_t wanted[3][3] = {{MAPPED_AT, MAPPED_BYTES, false}, {CODE_AT, CODE_BYTES, true}, {DATA_AT, DATA_BYTES, true}};
  struct program_walk walk;
  bool holds = true;
  device_new();
  claim(is_sound(0) && is_sound(1), "a whole image is one in either slot");
  claim(is_any_flip_seen(0) && is_any_flip_seen(1), "no bit of it may be another");
  holds = program_begin(&walk, flash_read, 1) == 0 && walk.entry == CODE_AT;
  for (int i = 0; i < 3; i++) {
    holds = holds && program_next(&walk, flash_read) == 1 && walk.address == wanted[i][0] && walk.size == wanted[i][1];
    holds = holds && walk.is_loaded == (wanted[i][2] != 0) && *place(walk.at, 1) == 2;
  }
  claim(holds && program_next(&walk, flash_read) == 0, "its segments are told in order");
}

/* ---- which one ---- */

static int start(void) { return chooser_choose(&chooser); }
static bool trial(int running) { return chooser_is_trial(&chooser, running); }

/* The first slot runs and is kept; the second one is wanted. */
static void device_wanting(void) {
  device_new();
  chooser_try_other(&chooser, 0);
}

static void choice_claims(void) {
  device_new();
  claim(start() == 0 && !trial(0), "a board that was flashed by its serial line boots the first slot");
  damage(0);
  claim(start() == 1 && !trial(1), "without a whole image there, the other one");
  damage(1);
  claim(start() == CHOOSER_NONE, "without any, none");
  claim(flash.changes == 0, "and nothing of this is written down");
  damage(1);
  claim(start() == 1, "flash that can be read again boots again");
  device_new();
  damage(1);
  claim(chooser_try_other(&chooser, 0) != 0 && flash.changes == 0 && start() == 0, "what is not whole is not tried");
}

static void trial_claims(void) {
  device_wanting();
  claim(start() == 1 && trial(1), "an image that is wanted boots on trial");
  claim(start() == 0 && !trial(0) && start() == 0, "once: any start after that is the old one's");
  device_wanting();
  start();
  claim(chooser_keep(&chooser, 1) == 0 && !trial(1) && start() == 1 && !trial(1), "one that is kept stays");
  int changes = flash.changes;
  claim(chooser_keep(&chooser, 1) == 0 && flash.changes == changes, "keeping it again writes nothing");
  claim(chooser_try_other(&chooser, 1) == 0 && start() == 0 && trial(0) && start() == 1, "the way back to the first slot is the same");
  device_wanting();
  damage(1);
  claim(start() == 0 && !trial(0), "one that was damaged meanwhile does not boot");
  damage(1);
  claim(start() == 0, "and its trial is over");
  device_wanting();
  start();
  damage(0);
  claim(start() == 1 && trial(1), "with the kept one damaged the other one is better than none");
  damage(0);
  claim(start() == 0, "which is still the kept one when it can be read");
}

static void fault_claims(void) {
  device_wanting();
  flash.is_worn = true;
  claim(start() == 0 && start() == 0, "without a note that it is tried an image is not tried");
  claim(chooser_try_other(&chooser, 0) != 0 && chooser_keep(&chooser, 1) != 0, "a flash that does not keep what is written is noticed");
  device_wanting();
  flash.bytes_left = 0;
  claim(start() == 0, "nor without a flash that can write");
  device_new();
  flash.is_deaf = true;
  claim(start() == CHOOSER_NONE && flash.changes == 0, "a flash that cannot be read is not written");
}

/* ---- power ---- */

enum { CHANGE_BYTES = STATE_BYTES + RECORD_BYTES };
struct outcome {
  bool is_old; /* the first slot, without a trial */
  bool is_trial;
  bool is_new; /* the second one, without a trial */
};

static struct outcome outcome_after(void) {
  flash.bytes_left = NO_CUT;
  int slot = start();
  return (struct outcome){slot == 0 && !trial(0), slot == 1 && trial(1), slot == 1 && !trial(1)};
}

/* What follows is as if nothing had been. */
static bool goes_on(void) {
  int slot = start();
  bool holds = slot >= 0 && chooser_keep(&chooser, slot) == 0 && chooser_try_other(&chooser, slot) == 0;
  return holds && start() == 1 - slot && chooser_keep(&chooser, 1 - slot) == 0 && start() == 1 - slot;
}

static void cut_claims(void) {
  bool wanting = true, choosing = true, keeping = true, on = true;
  int news = 0;
  for (int rounds = 0; rounds < 2; rounds++) {
    for (int cut = 0; cut <= CHANGE_BYTES; cut++) {
      device_new();
      if (rounds > 0) chooser_keep(&chooser, 1), chooser_keep(&chooser, 0);
      flash.bytes_left = cut;
      chooser_try_other(&chooser, 0);
      struct outcome outcome = outcome_after();
      wanting = wanting && (outcome.is_old || (outcome.is_trial && cut >= CHANGE_BYTES - 4));
      on = on && goes_on();
      device_wanting();
      flash.bytes_left = cut;
      bool is_booted = start() == 1;
      outcome = outcome_after();
      choosing = choosing && (is_booted ? outcome.is_old : outcome.is_old || outcome.is_trial);
      on = on && goes_on();
      device_wanting();
      start();
      flash.bytes_left = cut;
      bool is_kept = chooser_keep(&chooser, 1) == 0;
      outcome = outcome_after();
      keeping = keeping && (is_kept ? outcome.is_new : outcome.is_old || outcome.is_new);
      news += outcome.is_new;
      on = on && goes_on();
    }
  }
  claim(wanting, "power that goes at any byte of asking for a trial leaves the old image, or the trial");
  claim(choosing, "at any byte of beginning it, too, and what was booted is not booted again");
  claim(keeping && news > 0, "at any byte of keeping it, the old image or the new, and the new once it is said");
  claim(on, "and whatever it left, the next update goes as the first");
}

static void flip_claims(void) {
  bool newest = true, older = true;
  for (size_t bit = 0; bit < RECORD_BYTES * 8; bit++) {
    for (int which = 0; which < SLOTS; which++) {
      device_new();
      chooser_keep(&chooser, 1);           /* serial 1, in the second sector */
      chooser_try_other(&chooser, 1);      /* serial 2, in the first */
      flash.states[which][bit / 8] ^= (uint8_t)(1u << bit % 8);
      int slot = start();
      if (which == 0) newest = newest && slot == 1 && !trial(1);
      else older = older && slot == 0 && trial(0);
    }
  }
  claim(newest, "a flipped bit in the newest state leaves the one before it");
  claim(older, "one in the other state changes nothing");
  device_new();
  chooser_keep(&chooser, 1);
  chooser_keep(&chooser, 0);
  chooser_keep(&chooser, 1);
  memset(flash.states, 0x5a, sizeof flash.states);
  claim(start() == 0, "without any state that is whole the first slot boots");
}

int app_main(const struct port *port) {
  console = port;
  claim(program_crc(0, "123456789", 9) == 0xcbf43926, "the sum is CRC-32");
  walk_claims();
  address_claims();
  size_claims();
  choice_claims();
  trial_claims();
  fault_claims();
  cut_claims();
  flip_claims();
  log_text(port, "end");
  return failed;
}
