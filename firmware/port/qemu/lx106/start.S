// SPDX-License-Identifier: GPL-3.0-or-later
// From reset to start_c(), and from any exception to the end with status 200 + EXCCAUSE.
// qemu-system-xtensa begins at 0x50000000 whatever the ELF says; the lx106's vectors are at 0x40000000.

    .section .reset, "ax"
    j       1f
    .align  4
2:  .word   start
1:  l32r    a0, 2b
    jx      a0

    .section .vectors, "ax"
    .org    0x10            // debug
    j       fault
    .org    0x20            // non-maskable interrupt
    j       fault
    .org    0x30            // exception, kernel mode
    j       fault
    .org    0x50            // exception, user mode
    j       fault
    .org    0x70            // double exception
    j       fault
    .org    0x80
fault:
    rsr.exccause a3
    movi    a2, 200
    add     a3, a3, a2
    movi    a2, 1           // simcall 1: exit(a3)
    simcall
    j       fault

    .section .start.literal, "ax"
    .section .start, "ax"
    .literal_position
    .align  4
    .global start
start:
    movi    a0, 0x2f        // PS: user mode, interrupts off, no exception pending
    wsr.ps  a0
    rsync
    movi    a1, stack_top
    movi    a2, bss_start
    movi    a3, bss_end
    movi    a4, 0
1:  bgeu    a2, a3, 2f
    s32i    a4, a2, 0
    addi    a2, a2, 4
    j       1b
2:  movi    a0, start_c
    jx      a0
