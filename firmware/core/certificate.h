// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * X.509 as far as the firmware reads and writes it itself: the profile of the daemon's leaf, and a trust anchor made
 * of a pinned key. DER in, numbers out; signatures are the TLS library's business.
 *
 * What stays true: every length is checked before it is followed; definite, shortest-form DER only.
 */
#ifndef SHALLOT_CERTIFICATE_H
#define SHALLOT_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#define CERTIFICATE_ANCHOR_BYTES 295

struct certificate_leaf {
  uint8_t public_key[32]; /* Ed25519 */
  int64_t not_before;     /* seconds since 1970, UTC */
  int64_t not_after;      /* the last second that is still good */
};

/*
 * Reads a leaf and holds it to the profile of SPEC 6.2: at most SHALLOT_CERTIFICATE_BYTES_MAX, v3, a sound serial number, Ed25519 key and
 * signature, a sound key, the subject of that key, CA:FALSE, extended key usage serverAuth and nothing else, key usage (if any) digital
 * signatures alone, no extension twice, and none that is critical and not known here.
 * 0 or SHALLOT_E_TLS_PROFILE. Dates are returned, not judged; whose signature it is, the TLS library judges.
 */
int certificate_read_leaf(struct certificate_leaf *leaf, const uint8_t *der, size_t size);

/*
 * Reads a leaf for the door to the LAN (SPEC 18.2): v3, this ECDSA P-256 key, signed with ECDSA and SHA-256, any subject, and otherwise as above.
 * 0 or SHALLOT_E_TLS_PROFILE; `not_after` as above.
 */
int certificate_read_door(int64_t *not_after, const uint8_t *der, size_t size, const uint8_t point[65]);

/* 1 when issuer and subject are the same, 0 when not, SHALLOT_E_TLS_PROFILE when it is not readable. */
int certificate_is_self_issued(const uint8_t *der, size_t size);

/* 1 when its issuer's name is that of the hub CA with this key, 0 when not, SHALLOT_E_TLS_PROFILE when it is not readable. */
int certificate_is_issued_by(const uint8_t *der, size_t size, const uint8_t public_key[32]);

/*
 * Writes a CA certificate with this key, named as SPEC names hub CAs, unsigned: trust comes from the pin.
 * Its size, or SHALLOT_E_OUT_OF_SPACE when capacity is below CERTIFICATE_ANCHOR_BYTES.
 */
int certificate_anchor(uint8_t *out, size_t capacity, const uint8_t public_key[32]);

#endif
