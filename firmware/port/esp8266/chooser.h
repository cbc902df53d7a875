// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which of two images an ESP8266 boots, and what is remembered of that: the same code in its boot loader (firmware/boot), in the firmware that asks
 * for another image (slots.c), and in tests.
 * In: a flash, and whether the image in a slot is whole. Out: a slot, and the state as it was or as it is to be.
 * What stays true: the state is two sectors, written by turns, each record whole with its sum; a power cut at any byte leaves the record
 * before it or the new one. That an image is tried is written before it is booted, and it is not booted when that could not be written: once
 * means once. The slot that is kept changes by chooser_keep, or when one asks for a trial from the other slot; nothing else, damage least of all.
 * Absent on purpose: how often an image is tried and what may take whose place (core/update.h), what makes an image whole (program.h).
 */
#ifndef SHALLOT_ESP8266_CHOOSER_H
#define SHALLOT_ESP8266_CHOOSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The first two megabytes of flash. The chip maps one megabyte at a time, so that an image linked once runs from either slot. The first sector of
 * the first one is the boot loader; that of the second one is not used. Then the file system may follow.
 */
enum {
  CHOOSER_SECTOR_BYTES = 0x1000,
  CHOOSER_MEGABYTE = 0x100000,
  CHOOSER_SLOT_AT = 0x1000, /* in its megabyte */
  CHOOSER_SLOT_BYTES = 0xfd000,
  CHOOSER_STATE_AT = 0x1fe000, /* two sectors */
  CHOOSER_FLASH_BYTES = 2 * CHOOSER_MEGABYTE,
};

enum { CHOOSER_NONE = -1 };

/* 0, or another number when the flash could not. `at` counts from the beginning of the flash; what is erased is the sector that begins there. */
struct chooser {
  int (*read)(uint32_t at, void *out, size_t size);
  int (*erase)(uint32_t at);
  int (*write)(uint32_t at, const void *data, size_t size);
  bool (*is_sound)(int slot);
};

/* Where in flash a slot begins. */
uint32_t chooser_slot_at(int slot);

/* At each start, by the boot loader: the slot to boot, or CHOOSER_NONE when neither holds a whole image. */
int chooser_choose(const struct chooser *chooser);

/* Whether the image that runs is booted this once only. */
bool chooser_is_trial(const struct chooser *chooser, int running);

/* The other slot is booted at the next start, once; the one that runs is kept. 0, or -1: it is not whole, or the flash could not. */
int chooser_try_other(const struct chooser *chooser, int running);

/* The slot that runs is the one from now on. 0, or -1. */
int chooser_keep(const struct chooser *chooser, int running);

#endif
