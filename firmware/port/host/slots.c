// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Two slots as files of the device's directory, slot-0 and slot-1, and the boot loader that executes one of them. While there is no
 * slot-0, the program itself is what lies there. The blob `boot` is the boot loader's: the slot that is kept, and `t` when the other one
 * is to be booted once.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

enum { SLOT_BYTES = 2 * 1024 * 1024 };

static const char BOOT_BLOB[] = "boot";
static char **program_arguments;
static int running_slot;
static bool running_trial;

/* ---- what is to be booted ---- */

struct boot {
  int kept;
  bool tries_other;
};

static struct boot boot_read(void) {
  uint8_t text[2] = {'0', '-'};
  int size = host_blob_read(BOOT_BLOB, text, sizeof text);
  if (size != (int)sizeof text) return (struct boot){0, false};
  return (struct boot){text[0] == '1', text[1] == 't'};
}

static int boot_write(struct boot boot) {
  uint8_t text[2] = {boot.kept ? '1' : '0', boot.tries_other ? 't' : '-'};
  return host_blob_write(BOOT_BLOB, text, sizeof text);
}

/* ---- slots ---- */

static int slot_open(int slot, int flags) {
  char name[16];
  snprintf(name, sizeof name, "slot-%d", slot);
  return openat(host_directory(), name, flags | O_CLOEXEC, 0700);
}

static int slot_put(uint32_t at, const uint8_t *data, size_t size) {
  int file = slot_open(1 - running_slot, O_RDWR | O_CREAT);
  if (file < 0) return SHALLOT_E_PORT_STORAGE;
  bool lasts = host_power_lasts();
  int bad = lseek(file, (off_t)at, SEEK_SET) < 0 || host_write_whole(file, data, lasts ? size : size / 2) != 0;
  if (!lasts) host_power_end();
  return close(file) != 0 || bad ? SHALLOT_E_PORT_STORAGE : 0;
}

static int slots_running(bool *is_trial) {
  *is_trial = running_trial;
  return running_slot;
}

static int slots_erase(uint32_t at) {
  uint8_t erased[PORT_SECTOR_BYTES];
  memset(erased, 0xff, sizeof erased);
  return at % PORT_SECTOR_BYTES == 0 && at < SLOT_BYTES ? slot_put(at, erased, sizeof erased) : SHALLOT_E_PORT_STORAGE;
}

static int slots_write(uint32_t at, const uint8_t *data, size_t size) {
  bool fits = at % 4 == 0 && at < SLOT_BYTES && at / PORT_SECTOR_BYTES == (at + size - 1) / PORT_SECTOR_BYTES;
  return fits ? slot_put(at, data, size) : SHALLOT_E_PORT_STORAGE;
}

static int slots_read(uint32_t at, uint8_t *out, size_t size) {
  int file = slot_open(1 - running_slot, O_RDONLY);
  if (file < 0) return SHALLOT_E_PORT_STORAGE;
  ssize_t count = pread(file, out, size, (off_t)at);
  close(file);
  return count == (ssize_t)size ? 0 : SHALLOT_E_PORT_STORAGE;
}

static int slots_try_other(void) { return boot_write((struct boot){running_slot, true}); }

static int slots_keep(void) {
  int fault = boot_write((struct boot){running_slot, false});
  if (fault == 0) running_trial = false;
  return fault;
}

static void slots_restart(void) {
  const char *loader = getenv("SHALLOT_BOOT");
  host_power_hand_on();
  unsetenv("SHALLOT_SLOT");
  execv(loader != NULL ? loader : "/proc/self/exe", program_arguments);
  _exit(1);
}

const struct slots host_slots = {
  .bytes = SLOT_BYTES,
  .running = slots_running,
  .erase = slots_erase,
  .write = slots_write,
  .read = slots_read,
  .try_other = slots_try_other,
  .keep = slots_keep,
  .restart = slots_restart,
};

/* ---- the boot loader ---- */

/* Once means once: that the other slot is booted is forgotten before it is. */
static void boot_choose(void) {
  struct boot boot = boot_read();
  running_slot = boot.tries_other ? 1 - boot.kept : boot.kept;
  running_trial = boot.tries_other;
  if (boot.tries_other) boot_write((struct boot){boot.kept, false});
}

/* Returns when there is nothing that can be executed. */
static void slot_execute(char **arguments) {
  char program[4096];
  ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
  int file = slot_open(running_slot, O_RDONLY);
  if (file >= 0 && size > 0) {
    program[size] = '\0';
    setenv("SHALLOT_BOOT", program, 1);
    setenv("SHALLOT_SLOT", running_slot ? "1" : "0", 1);
    setenv("SHALLOT_TRIAL", running_trial ? "1" : "0", 1);
    host_power_hand_on();
    fexecve(file, arguments, environ);
  }
  if (file >= 0) close(file);
}

/* What cannot be executed leaves the slot that is kept, and at last the program itself. */
void host_boot(char **arguments) {
  const char *slot = getenv("SHALLOT_SLOT");
  const char *trial = getenv("SHALLOT_TRIAL");
  program_arguments = arguments;
  if (slot == NULL) {
    boot_choose();
    slot_execute(arguments);
    if (running_trial) running_slot = 1 - running_slot;
    running_trial = false;
    slot_execute(arguments);
    running_slot = 0;
    return;
  }
  running_slot = slot[0] == '1';
  running_trial = trial != NULL && trial[0] == '1';
}
