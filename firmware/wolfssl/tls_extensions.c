// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wolfSSL's src/tls.c with room for a session ticket. The library refuses to resume with a ticket longer than
 * MAX_PSK_ID_LEN, but the same constant sizes two buffers in every connection that only pre-shared keys use; so the
 * structures are laid out with the small value first, and the check sees the large one.
 */
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/internal.h>

#undef MAX_PSK_ID_LEN
#define MAX_PSK_ID_LEN 1024

#include "src/tls.c"
