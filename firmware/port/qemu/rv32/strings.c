// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the firmware and its library ask of <string.h>. Debian's C library for this instruction set is a gigabyte of variants, of which
 * this would be the whole use; an ESP32-C3 has these in its ROM.
 */
#pragma GCC optimize("no-tree-loop-distribute-patterns") /* or a loop would become a call of itself */
#include <stdint.h>
#include <string.h>

enum { WORD = sizeof(uint32_t) };

static int are_words(const void *one, const void *other, size_t size) {
  return (((uintptr_t)one | (uintptr_t)other | size) & (WORD - 1)) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  if (are_words(to, from, size)) {
    for (size_t i = 0; i < size / WORD; i++) ((uint32_t *)to)[i] = ((const uint32_t *)from)[i];
    return to;
  }
  for (size_t i = 0; i < size; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  if ((uintptr_t)to - (uintptr_t)from >= size) return memcpy(to, from, size);
  while (size-- > 0) ((uint8_t *)to)[size] = ((const uint8_t *)from)[size];
  return to;
}

void *memset(void *to, int byte, size_t size) {
  for (size_t i = 0; i < size; i++) ((uint8_t *)to)[i] = (uint8_t)byte;
  return to;
}

int memcmp(const void *one, const void *other, size_t size) {
  const uint8_t *a = one;
  const uint8_t *b = other;
  for (size_t i = 0; i < size; i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

void *memchr(const void *from, int byte, size_t size) {
  const uint8_t *at = from;
  for (size_t i = 0; i < size; i++)
    if (at[i] == (uint8_t)byte) return (void *)(uintptr_t)(at + i);
  return NULL;
}

size_t strlen(const char *text) {
  size_t size = 0;
  while (text[size] != '\0') size++;
  return size;
}

size_t strnlen(const char *text, size_t size) {
  size_t length = 0;
  while (length < size && text[length] != '\0') length++;
  return length;
}

int strncmp(const char *one, const char *other, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (one[i] != other[i]) return (uint8_t)one[i] < (uint8_t)other[i] ? -1 : 1;
    if (one[i] == '\0') return 0;
  }
  return 0;
}

int strcmp(const char *one, const char *other) { return strncmp(one, other, PTRDIFF_MAX); }

char *strchr(const char *text, int letter) {
  for (; *text != (char)letter; text++)
    if (*text == '\0') return NULL;
  return (char *)(uintptr_t)text;
}

/* The rest becomes NUL. */
char *strncpy(char *restrict to, const char *restrict from, size_t size) {
  size_t i = 0;
  for (; i < size && from[i] != '\0'; i++) to[i] = from[i];
  for (; i < size; i++) to[i] = '\0';
  return to;
}

char *strcpy(char *restrict to, const char *restrict from) { return memcpy(to, from, strlen(from) + 1); }
