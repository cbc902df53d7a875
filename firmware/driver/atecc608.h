// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Microchip ATECC608: a chip that keeps P-256 keys and signs with them, on I2C, address 60 (hexadecimal).
 * In: SHA-256 digests; out: points and signatures as two numbers of 32 bytes, most significant byte first.
 *
 * Commands and sums as in the ATECC508A's datasheet (DS20005927A, §9), whose commands this chip took over; its own is not public. Slots must be
 * configured for private keys, and locked, before. Absent on purpose: Ed25519, which the chip has not, and a home's link takes nothing
 * else (SPEC 6.2): what it keeps is the key of a device's door to the LAN (SPEC 18.1), in slots 0 and 1.
 * NOT VERIFIED ON SILICON: tried against a simulated chip that was written from that datasheet too (scripts/twins/atecc608.ts).
 */
#ifndef SHALLOT_ATECC608_H
#define SHALLOT_ATECC608_H

#include <stddef.h>
#include <stdint.h>

#include "../core/signer.h"

#define ATECC608_POINT_BYTES 64
#define ATECC608_SIGNATURE_BYTES 64
#define ATECC608_DIGEST_BYTES 32
#define ATECC608_SLOT_MAX 15

/* Makes a key pair in a slot and gives its public point. 0, or SHALLOT_E_DEVICE_FAULT. */
int atecc608_make(const struct port *port, unsigned slot, uint8_t point[ATECC608_POINT_BYTES]);

/* Signs a digest with a slot's key (ECDSA). 0, or SHALLOT_E_DEVICE_FAULT. */
int atecc608_sign(const struct port *port, unsigned slot, uint8_t signature[ATECC608_SIGNATURE_BYTES],
                  const uint8_t digest[ATECC608_DIGEST_BYTES]);

extern const struct point_signer atecc608;

#endif
