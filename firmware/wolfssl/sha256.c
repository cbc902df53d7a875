// SPDX-License-Identifier: GPL-3.0-or-later
/* wolfSSL's wolfcrypt/src/sha256.c with its tables in flash on the ESP8266: declared here first, they keep their place when the library fills them. */
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/sha256.h>

static const word32 K[64] SHALLOT_IN_FLASH;

#include "wolfcrypt/src/sha256.c"
