// SPDX-License-Identifier: GPL-3.0-or-later
/* wolfSSL's wolfcrypt/src/sha512.c with its tables in flash on the ESP8266: declared here first, they keep their place when the library fills them. */
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/sha512.h>

static const word64 K512[80] SHALLOT_IN_FLASH;

#include "wolfcrypt/src/sha512.c"
