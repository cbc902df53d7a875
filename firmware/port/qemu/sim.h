/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an emulated processor reaches the outside by: files of the device's directory and of this machine, and four byte streams that
 * the emulator inherited. Each instruction set keeps this contract in its own folder; qemu.c makes port.h of it.
 * In: calls; out: a count, a descriptor or 0 on success, -1 otherwise. Absent on purpose: names, chips, and what a frame is.
 */
#ifndef SHALLOT_SIM_H
#define SHALLOT_SIM_H

#include <stddef.h>
#include <stdint.h>

/* The streams. Descriptors of files are other numbers. */
enum { CONSOLE_IN = 0, CONSOLE_OUT = 1, NETWORK = 3, CONTROL = 4 };
enum { READABLE = 1, WRITABLE = 2 };
enum { READ_ONLY = 0, WRITE_AND_CREATE = 1, READ_WRITE_AND_CREATE = 2 };

/* For people, and for the hub. */
extern const char sim_board[];

/* Before anything else. */
void sim_begin(void);
/* how: READ_ONLY, or the others from the first byte on, with what is there left as it is. */
int sim_open(const char *path, int how);
/* 1 to capacity bytes, waiting for the first; 0 at the end of a file or stream. */
int sim_read(int fd, void *out, size_t capacity);
int sim_write(int fd, const void *data, size_t size);
/* The next byte of a file to be read or written is this one. */
void sim_seek(int fd, uint32_t at);
void sim_close(int fd);
/* Whether a stream can be read or written within timeout_ms. */
int is_ready(int fd, int direction, uint32_t timeout_ms);
/* As port.h has them. */
uint64_t now_ms(void);
uint64_t cycles(void);
_Noreturn void sim_exit(int status);

/* Written by qemu.c; called once there is a stack, and memory is as C wants it. */
void start_c(void);

#endif
