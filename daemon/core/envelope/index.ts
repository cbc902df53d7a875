// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Envelopes: untrusted bytes enter, a Message leaves, with the proof of who sealed it (SPEC 2, 3).
 *
 * Always true: a `Message` exists only if every check of SPEC 2.5 up to the signature passed; the bytes it came from are
 * kept beside it, so that anybody can check again. What a signer *may* do is not decided here (policy).
 * Absent on purpose: any second algorithm, unprotected headers, detached payloads, floats.
 */
export * from './cbor.ts'
export * from './ed25519.ts'
export * from './gate.ts'
export * from './message.ts'
export * from './native.ts'
export * from './open.ts'
export * from './seal.ts'
