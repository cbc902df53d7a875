// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One line for the console, put together without a printf: text and numbers, cut at the end of the buffer.
 * Codes are written as numbers (schemas/codes.csv): their names would cost 4 KB of an ESP8266's memory.
 */
#ifndef SHALLOT_LINE_H
#define SHALLOT_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"

#define LINE_CHARS_MAX 96

struct line {
  char text[LINE_CHARS_MAX + 1];
  size_t size;
};

void line_add(struct line *line, const char *text);
void line_add_number(struct line *line, int64_t number);

/* Logs `text`. */
void log_text(const struct port *port, const char *text);
/* Logs `before`, a number and `after`. */
void log_number(const struct port *port, const char *before, int64_t number, const char *after);

#endif
