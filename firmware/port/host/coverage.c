// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Part of the coverage build alone: counts are written at a proper exit, and here also where a process is told to end, where its power is
 * cut (_exit), and where another program takes its place, an image that was just received (the Makefile wraps all three).
 */
#include <gcov.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));
int __real_execv(const char *path, char *const arguments[]);
int __wrap_execv(const char *path, char *const arguments[]);
int __real_fexecve(int file, char *const arguments[], char *const environment[]);
int __wrap_fexecve(int file, char *const arguments[], char *const environment[]);

/* What goes on after all, because nothing took its place, counts from nothing, and its counts are added. */
static void counts_write(void) {
  __gcov_dump();
  __gcov_reset();
}

void __wrap__exit(int status) {
  __gcov_dump();
  __real__exit(status);
}

int __wrap_execv(const char *path, char *const arguments[]) {
  counts_write();
  return __real_execv(path, arguments);
}

int __wrap_fexecve(int file, char *const arguments[], char *const environment[]) {
  counts_write();
  return __real_fexecve(file, arguments, environment);
}

static void leave(int number) { exit(128 + number); }

static void __attribute__((constructor)) listen(void) { signal(SIGTERM, leave); }
