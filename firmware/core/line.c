// SPDX-License-Identifier: GPL-3.0-or-later
#include "line.h"

void line_add(struct line *line, const char *text) {
  while (*text != '\0' && line->size < LINE_CHARS_MAX) line->text[line->size++] = *text++;
  line->text[line->size] = '\0';
}

void line_add_number(struct line *line, int64_t number) {
  char digits[21];
  size_t at = sizeof digits - 1;
  uint64_t rest = number < 0 ? (uint64_t)0 - (uint64_t)number : (uint64_t)number;
  digits[at] = '\0';
  do digits[--at] = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (number < 0) line_add(line, "-");
  line_add(line, digits + at);
}

void log_text(const struct port *port, const char *text) { port->log(text); }

void log_number(const struct port *port, const char *before, int64_t number, const char *after) {
  struct line line = {.size = 0};
  line_add(&line, before);
  line_add_number(&line, number);
  line_add(&line, after);
  port->log(line.text);
}
