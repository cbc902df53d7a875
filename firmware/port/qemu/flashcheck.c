// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A plugin for QEMU that makes it as strict as the chip whose instructions it runs, and counts.
 *
 * An ESP8266 raises an exception, the emulator does not, when data is loaded from flash or instruction RAM in anything
 * but an aligned 32-bit word; an ESP32-C3 reads its flash in any width. On both, nothing outside the DRAM that the linker
 * script hands out may be touched, but for the devices of an emulated machine: a stack that
 * grew too far ends here. Not seen here is an unaligned access: the emulator rounds the address down before it tells
 * anybody; the sanitize build of the same sources finds those. The first offence is printed and ends the emulator
 * with status 191. At the end one line with the counts is written to standard error.
 *
 * An argument dram_end=ADDRESS hands out more DRAM, as the linker was told; any other NAME=ADDRESS counts the instructions of each call of the function that begins there, with all that it
 * calls: a line `span NAME instructions=N` on standard error when it returns.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OFFENCE_STATUS = 191 };
enum { MEM_LOADS_AND_STORES = 3, NO_REGISTERS = 0, INLINE_ADD = 0 };
enum { SPANS_MAX = 8 };

/* The part of QEMU's plugin interface, version 1, that is used here; Debian's package brings no header. */
typedef uint64_t plugin_id;
typedef uint32_t mem_info;
struct block;
struct instruction;
size_t qemu_plugin_tb_n_insns(const struct block *block);
struct instruction *qemu_plugin_tb_get_insn(const struct block *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct instruction *instruction);
unsigned qemu_plugin_mem_size_shift(mem_info info);
_Bool qemu_plugin_mem_is_store(mem_info info);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*call)(plugin_id, struct block *));
void qemu_plugin_register_vcpu_mem_cb(struct instruction *instruction, void (*call)(unsigned, mem_info, uint64_t, void *),
                                      int registers, int accesses, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction *instruction, int operation, void *counter,
                                                uint64_t step);
uint64_t qemu_plugin_tb_vaddr(const struct block *block);
size_t qemu_plugin_insn_size(const struct instruction *instruction);
void qemu_plugin_register_vcpu_tb_exec_cb(struct block *block, void (*call)(unsigned, void *), int registers, void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*call)(plugin_id, void *), void *data);

/* Its first field alone. */
struct place {
  const char *target;
};

#define EXPORTED __attribute__((visibility("default")))
extern EXPORTED int qemu_plugin_version;
EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(plugin_id id, const struct place *place, int count, char **arguments);

struct range {
  uint64_t start;
  uint64_t end;
};

/* What may be touched, ended by an empty range: flash is read alone, by an ESP8266 in words alone. */
struct chip {
  const char *target;
  int is_words_only;
  struct range dram;
  struct range flash[5];
  struct range devices[6];
};

static const struct chip chips[] = {
    /* Reset ROM, boot ROM with the vectors, instruction RAM, flash. */
    {"xtensa", 1, {0x3ffe8000, 0x3ffed000},
     {{0x50000000, 0x50001000}, {0x40000000, 0x40001000}, {0x40100000, 0x40108000}, {0x40200000, 0x40300000}}, {{0, 0}}},
    /* What stands for flash, and the reset ROM. Timer, interrupts, the ports of the PCI card, the console's line, the card's settings. */
    {"riscv32", 0, {0x80200000, 0x8020c000}, {{0x80000000, 0x80100000}, {0x00001000, 0x00001030}},
     {{0x02000000, 0x02010000}, {0x0c000000, 0x0c300000}, {0x03001000, 0x03001010}, {0x10000000, 0x10000008}, {0x30008000, 0x30009000}}},
};
static const struct chip *chip;
/* Its own, unless an argument says more. */
static struct range dram;

static uint64_t instructions;
static uint64_t flash_loads;

static int is_in(const struct range *range, uint64_t address) {
  return address >= range->start && address < range->end;
}

static int is_in_any(const struct range *ranges, uint64_t address) {
  for (; ranges->end != 0; ranges++)
    if (is_in(ranges, address)) return 1;
  return 0;
}

static const char *offence_of(uint64_t address, unsigned size, int is_store) {
  if (is_in(&dram, address) || is_in_any(chip->devices, address)) return NULL;
  if (!is_in_any(chip->flash, address)) return "outside of our memory";
  if (is_store) return "not writable";
  return chip->is_words_only && size != 4 ? "narrow load from flash" : NULL;
}

static void access_memory(unsigned cpu, mem_info info, uint64_t address, void *pc) {
  (void)cpu;
  unsigned size = 1u << qemu_plugin_mem_size_shift(info);
  int is_store = qemu_plugin_mem_is_store(info);
  const char *offence = offence_of(address, size, is_store);
  if (offence == NULL) {
    if (is_in_any(chip->flash, address)) flash_loads++;
    return;
  }
  fprintf(stderr, "flashcheck: %s: %s of %u bytes at %08lx by the code at %08lx\n", offence, is_store ? "store" : "load",
          size, (unsigned long)address, (unsigned long)(uintptr_t)pc);
  fflush(stderr);
  _exit(OFFENCE_STATUS);
}

/* ---- functions whose instructions are counted ---- */

static struct span {
  char name[32];
  uint64_t entry;
  uint64_t back; /* where the call returns to; 0: not called */
  uint64_t began;
} spans[SPANS_MAX];
static size_t spans_count;
/* Where the block that ran last ended: behind a call, that is where it returns to. */
static uint64_t last_end;

static void span_look(struct span *span, uint64_t start) {
  if (span->back != 0 && span->back == start) {
    fprintf(stderr, "span %s instructions=%lu\n", span->name, (unsigned long)(instructions - span->began));
    span->back = 0;
  }
  if (span->back != 0 || span->entry != start) return;
  span->back = last_end;
  span->began = instructions;
}

/* place: the block's address in the upper half, its size in the lower. */
static void enter_block(unsigned cpu, void *place) {
  (void)cpu;
  uint64_t start = (uint64_t)(uintptr_t)place >> 32;
  for (size_t i = 0; i < spans_count; i++) span_look(&spans[i], start);
  last_end = start + (uint32_t)(uintptr_t)place;
}

static int span_learn(char *argument) {
  char *equals = strchr(argument, '=');
  if (equals == NULL || spans_count == SPANS_MAX) return -1;
  struct span *span = &spans[spans_count++];
  size_t size = (size_t)(equals - argument);
  if (size >= sizeof span->name) return -1;
  memcpy(span->name, argument, size);
  span->entry = strtoul(equals + 1, NULL, 0);
  return span->entry == 0 ? -1 : 0;
}

static void watch_block(struct block *block, size_t count) {
  struct instruction *last = qemu_plugin_tb_get_insn(block, count - 1);
  uint64_t start = qemu_plugin_tb_vaddr(block);
  uint64_t size = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last) - start;
  qemu_plugin_register_vcpu_tb_exec_cb(block, enter_block, NO_REGISTERS, (void *)(uintptr_t)(start << 32 | size));
}

static void translate(plugin_id id, struct block *block) {
  (void)id;
  size_t count = qemu_plugin_tb_n_insns(block);
  if (spans_count > 0 && count > 0) watch_block(block, count);
  for (size_t i = 0; i < count; i++) {
    struct instruction *one = qemu_plugin_tb_get_insn(block, i);
    void *pc = (void *)(uintptr_t)qemu_plugin_insn_vaddr(one);
    qemu_plugin_register_vcpu_insn_exec_inline(one, INLINE_ADD, &instructions, 1);
    qemu_plugin_register_vcpu_mem_cb(one, access_memory, NO_REGISTERS, MEM_LOADS_AND_STORES, pc);
  }
}

static void report(plugin_id id, void *data) {
  (void)id;
  (void)data;
  fprintf(stderr, "flashcheck: ok instructions=%lu flash_loads=%lu\n", (unsigned long)instructions,
          (unsigned long)flash_loads);
}

int qemu_plugin_install(plugin_id id, const struct place *place, int count, char **arguments) {
  for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++)
    if (strcmp(chips[i].target, place->target) == 0) chip = &chips[i];
  if (chip == NULL) return -1;
  dram = chip->dram;
  for (int i = 0; i < count; i++) {
    if (strncmp(arguments[i], "dram_end=", 9) == 0) dram.end = strtoul(arguments[i] + 9, NULL, 0);
    else if (span_learn(arguments[i]) != 0) return -1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, report, NULL);
  return 0;
}
