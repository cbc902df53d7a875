// SPDX-License-Identifier: GPL-3.0-or-later
/* wolfSSL's wolfcrypt/src/chacha.c with its tables in flash on the ESP8266: declared here first, they keep their place when the library fills them. */
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/chacha.h>

static const word32 sigma[4] SHALLOT_IN_FLASH;
static const word32 tau[4] SHALLOT_IN_FLASH;

#include "wolfcrypt/src/chacha.c"
