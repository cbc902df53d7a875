// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wolfSSL's wolfcrypt/src/fe_operations.c with products that can be replaced: weak, so that the linker takes those of wolfssl/field.c
 * where that is part of the program, also for the calls from within.
 */
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/fe_operations.h>

#define REPLACEABLE __attribute__((weak))
void fe_mul(fe h, const fe f, const fe g) REPLACEABLE;
void fe_sq(fe h, const fe f) REPLACEABLE;
void fe_sq2(fe h, const fe f) REPLACEABLE;
void fe_mul121666(fe h, fe f) REPLACEABLE;

#include "wolfcrypt/src/fe_operations.c"
