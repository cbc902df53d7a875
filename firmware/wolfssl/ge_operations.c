// SPDX-License-Identifier: GPL-3.0-or-later
/* wolfSSL's wolfcrypt/src/ge_operations.c with its tables in flash on the ESP8266: declared here first, they keep their place when the library fills them. */
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/ge_operations.h>

static const ge_precomp base[32][8] SHALLOT_IN_FLASH;
static const ge_precomp Bi[8] SHALLOT_IN_FLASH;
static const ge d SHALLOT_IN_FLASH;
static const ge d2 SHALLOT_IN_FLASH;
static const ge sqrtm1 SHALLOT_IN_FLASH;

#include "wolfcrypt/src/ge_operations.c"
