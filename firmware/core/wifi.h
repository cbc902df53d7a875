// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The Wi-Fi network that a device was told of: one blob, replaced as a whole when the network has let the device in, and not before.
 * In: names and passwords from outside, and a blob that may be damaged; out: what the port is told to join.
 * What stays true: a password is in storage and in no line of the console. Absent on purpose: a second network.
 */
#ifndef SHALLOT_WIFI_H
#define SHALLOT_WIFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../port/port.h"
#include "../../schemas/gen/c/shallot_wire.h"

/* NUL-terminated; name "": none; password "": an open network. */
struct wifi {
  char name[SHALLOT_WIFI_NAME_BYTES_MAX + 1];
  char password[SHALLOT_WIFI_PASSWORD_BYTES_MAX + 1];
};

/* 1 to SHALLOT_WIFI_NAME_BYTES_MAX bytes without a NUL. 0 or SHALLOT_E_BAD_PROVISION. */
int wifi_set_name(struct wifi *wifi, const uint8_t *bytes, size_t size);
/* Printable ASCII of SHALLOT_WIFI_PASSWORD_BYTES_MIN to _MAX − 1, or as many as _MAX in hexadecimal. 0 or SHALLOT_E_BAD_PROVISION. */
int wifi_set_password(struct wifi *wifi, const uint8_t *bytes, size_t size);

/* Whether the place has Wi-Fi, and whether a sound network is kept. */
bool wifi_is_there(const struct port *port);
bool wifi_is_kept(const struct port *port);

/* Joins, and keeps the network then. 0, SHALLOT_E_WIFI_ABSENT, _WIFI_REFUSED, _PORT_TIMEOUT or _PORT_STORAGE; when it did not come in, the kept one is joined again. */
int wifi_take(const struct port *port, const struct wifi *wifi);

/* Begins to join the network that is kept, if there is one. */
void wifi_resume(const struct port *port);

#endif
