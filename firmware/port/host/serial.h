// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A board's serial line on a machine that has none: a pseudo-terminal whose other end any program opens like /dev/ttyUSB0.
 * In and out: bytes, of which nothing is kept for a listener that is not there, as on a real line.
 * Until serial_open the console is standard input, and nothing is written here.
 */
#ifndef SHALLOT_SERIAL_H
#define SHALLOT_SERIAL_H

/* Makes it and says its name on standard output. 0, or -1 when there is no more of them; the reason is on standard error. */
int serial_open(void);

/* Where to read the console. */
int serial_input(void);

/* Writes a line, as far as there is room. */
void serial_write(const char *line);

#endif
