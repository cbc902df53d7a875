// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * NXP SE050: a secure element that keeps the device's Ed25519 key and signs with it (core/signer.h). On I2C, address 48.
 * In: messages of at most SE050_MESSAGE_BYTES_MAX; out: public key and signatures, as RFC 8032 has them.
 *
 * Blocks are T=1 (ISO/IEC 7816-3 §11) with a CRC of two bytes (UM11225), commands the applet's (AN12413 §4). Each use begins with a reset of the
 * interface, so that neither side must remember the other's state over a lost power supply.
 * NOT VERIFIED ON SILICON: written from those documents, tried against a simulated chip that was written from them too (scripts/twins/se050.ts).
 */
#ifndef SHALLOT_SE050_H
#define SHALLOT_SE050_H

#include "../core/signer.h"

/* AN12413: the applet's largest command is 892 bytes, its head among them. */
#define SE050_MESSAGE_BYTES_MAX 860

extern const struct signer se050;

#endif
