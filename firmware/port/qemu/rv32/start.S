// SPDX-License-Identifier: GPL-3.0-or-later
// From reset to start_c(), and from any exception to the end with status 200 + its cause.
// qemu-system-riscv32 -bios none begins at the first byte of its memory, where rv32.ld puts this.

    .option arch, +zicsr
    .section .start, "ax"
    .global start
start:
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    la      sp, stack_top
    la      tp, thread_start
    la      t0, fault
    csrw    mtvec, t0
    la      t0, bss_start
    la      t1, bss_end
1:  bgeu    t0, t1, 2f
    sw      zero, 0(t0)
    addi    t0, t0, 4
    j       1b
2:  call    start_c

    .balign 4
fault:
    csrr    a0, mcause
    andi    a0, a0, 31
    addi    a0, a0, 200
    call    sim_exit
