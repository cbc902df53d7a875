// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wolfSSL as the firmware wants it: a TLS 1.3 client with X25519, Ed25519 and ChaCha20-Poly1305, the same on every
 * port, 5.5.4 and later. Memory comes from core/arena.c, chance and time from core/tls.c.
 *
 * Never define NO_ASN_CRYPT: it reads like an encryption option and takes out the check of every certificate
 * signature. test/firmware/tls.test.ts refuses forged certificates to keep it that way.
 */
#ifndef SHALLOT_USER_SETTINGS_H
#define SHALLOT_USER_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

/* ---- the place it runs on ---- */
#define SIZEOF_LONG_LONG 8
#if defined(__LP64__)
#define SIZEOF_LONG 8
#else
#define SIZEOF_LONG 4
#endif
#define WOLFSSL_GENERAL_ALIGNMENT 4
#define SINGLE_THREADED
#define NO_FILESYSTEM
#define NO_STDIO_FILESYSTEM
#define NO_WRITEV
#define NO_MAIN_DRIVER
#define NO_DEV_RANDOM
#define WOLFSSL_USER_IO
#define WOLFSSL_NO_SOCK
#define WOLFSSL_IGNORE_FILE_WARN

/* For tables of whole words on the ESP8266, where constants are in DRAM unless they are told not to be; as in port.h. */
#if defined(__XTENSA_CALL0_ABI__)
#define SHALLOT_IN_FLASH __attribute__((section(".irom.text.shallot"), aligned(4)))
#else
#define SHALLOT_IN_FLASH
#endif

/* ---- protocol ---- */
#define WOLFSSL_TLS13
#define WOLFSSL_NO_TLS12
#define NO_OLD_TLS
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_MAX_FRAGMENT
#define HAVE_ALPN
#define HAVE_SESSION_TICKET
#define HAVE_HKDF
#define NO_SESSION_CACHE
#define NO_PSK
/*
 * Sizes two fields that only pre-shared keys use, and by n + 2 the room for a shared secret or a signature, 64 bytes;
 * wolfssl/tls_extensions.c says what a ticket may be instead.
 */
#define MAX_PSK_ID_LEN 62
/* The daemon sends its leaf alone. */
#define MAX_CHAIN_DEPTH 2
/* Text of a certificate's names, which nobody reads; a longer one is left out. Issuers are found by hash. */
#define WC_ASN_NAME_MAX 96
/* core/tls.c looks at every leaf that wolfSSL accepted: purpose, dates, key. */
#define WOLFSSL_ALWAYS_VERIFY_CB
#define NO_ASN_TIME
/* The library's own look at purposes is laxer than ours, and follows a null pointer when memory ran out before it. */
#define IGNORE_KEY_EXTENSIONS

/* ---- a door to the LAN (core/door.h), on boards that have the room: browsers take no Ed25519 ---- */
#ifdef SHALLOT_DIRECT
#define HAVE_ECC
#define ECC_USER_CURVES /* P-256 alone */
#define ECC_TIMING_RESISTANT
#define WOLFSSL_HAVE_SP_ECC
#else
#define NO_WOLFSSL_SERVER
#endif

/* ---- left out ---- */
#define NO_RSA
#define NO_DH
#define NO_DSA
#define NO_DES3
#define NO_RC4
#define NO_MD4
#define NO_MD5
#define NO_SHA
#define NO_AES
#define NO_PWDBASED
#define NO_PKCS7
#define NO_PKCS8_ENCRYPTION
#define NO_PKCS12
#define NO_CODING
#define NO_ERROR_STRINGS
#define NO_CHECK_PRIVATE_KEY
#define NO_SIG_WRAPPER
#define NO_SKID
#define NO_WOLFSSL_MEMORY
/* For host names, which nobody compares; the C library's table of characters would take 257 bytes of DRAM. */
#define CTYPE_USER
#define XTOLOWER(c) ((c) >= 'A' && (c) <= 'Z' ? (c) + ('a' - 'A') : (c))
#define IGNORE_NAME_CONSTRAINTS

/* ---- arithmetic ---- */
#define HAVE_CURVE25519
#define HAVE_ED25519
#define WOLFSSL_SHA512
#define HAVE_CHACHA
#define HAVE_POLY1305
#define HAVE_ONE_TIME_AUTH
#define USE_SLOW_SHA256
#define USE_SLOW_SHA512
#define WOLFSSL_SP_MATH_ALL
#define WOLFSSL_SP_SMALL
#define SP_WORD_SIZE 32
#define SP_INT_BITS 256

/* ---- memory, chance, time ---- */
#define WOLFSSL_SMALL_STACK
#define XMALLOC_OVERRIDE
#define XMALLOC(size, heap, type) ((void)(heap), arena_alloc(size))
#define XFREE(block, heap, type) ((void)(heap), arena_free(block))
#define XREALLOC(block, size, heap, type) ((void)(heap), arena_resize(block, size))
void *arena_alloc(size_t size);
void arena_free(void *block);
void *arena_resize(void *block, size_t size);

#define WC_NO_HASHDRBG
#define CUSTOM_RAND_GENERATE_BLOCK tls_random
int tls_random(unsigned char *out, unsigned int size);

#endif
