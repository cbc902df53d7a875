// SPDX-License-Identifier: GPL-3.0-or-later
// The emulated chip's entries: from reset, from calls by the ROM's addresses, and from any exception to the end with status 200 + EXCCAUSE.

    .section .reset, "ax"
    .align  4
    .global reset
reset:
    j       1f
    .align  4
2:  .word   begin
1:  l32r    a0, 2b
    jx      a0

    .section .vectors, "ax"
    .org    0x10
    j       fault
    .org    0x20
    j       fault
    .org    0x30
    j       fault
    .org    0x50
    j       fault
    .org    0x70
    j       fault
    .org    0x80
fault:
    rsr.exccause a3
    movi    a2, 200
    add     a3, a3, a2
    movi    a2, 1           // simcall 1: exit(a3)
    simcall
    j       fault

    .macro  entry_of name, target
    .section .rom.\name, "ax"
    .align  4
    j       \target
    .endm

    entry_of software_reset, begin
    entry_of printf, chip_printf
    entry_of delay, chip_delay
    entry_of wdt_enable, chip_wdt_enable
    entry_of wdt_disable, chip_wdt_disable
    entry_of cache, chip_cache
    entry_of erase, chip_erase
    entry_of write, chip_write
    entry_of read, chip_read
    entry_of memcpy, chip_memcpy
    entry_of memset, chip_memset

    .text
    .literal_position
    .align  4
begin:
    movi    a0, 0x2f        // PS: user mode, interrupts off, no exception pending
    wsr.ps  a0
    rsync
    movi    a1, 0x3ffffe00  // the ROM's own stack
    movi    a0, chip_start
    jx      a0
