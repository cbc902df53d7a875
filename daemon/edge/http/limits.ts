// SPDX-License-Identifier: GPL-3.0-or-later

/** What a peer of the HTTP API may use up. Counts, bytes, milliseconds; `PerS` is tokens that come back each second. */
export interface HttpLimits {
  /** On one face. When it is full, the stranger that came first is closed for the one that comes. */
  readonly connectionsMax: number
  /** From one address (IPv6: one /64) on a TCP face. */
  readonly connectionsPerAddressMax: number
  /** Request line and headers together: an Authorization of a 1 KiB path is under 3 KiB. */
  readonly headerBytesMax: number
  readonly headersMax: number
  /** From the connection, or the first byte after an answer, to the last header. */
  readonly headerMsMax: number
  /** To the last byte of the body. */
  readonly requestMsMax: number
  readonly bodyBytesMax: number
  /** A connection without a request; long, because a new one through Tor costs several round trips. */
  readonly idleMsMax: number
  readonly handshakeMsMax: number
  /** TLS handshakes under way on one face. When these are full, the oldest of the address that has most makes way. */
  readonly handshakesMax: number
  /** The same from one address, whose oldest makes way. */
  readonly handshakesPerAddressMax: number
  /** Handshakes from one address on connections that prove nothing: how many at once, and how many come back each second. */
  readonly unprovenHandshakesBurst: number
  readonly unprovenHandshakesPerS: number
  /** Requests that prove nothing, from one address of one face: how many at once, and how many come back each second. */
  readonly unprovenBurst: number
  readonly unprovenPerS: number
  /** The same from all addresses of one face together; connections that proved themselves do not draw on it. */
  readonly faceUnprovenBurst: number
  readonly faceUnprovenPerS: number
  /** Addresses whose allowance is remembered; the longest unseen goes first. */
  readonly addressesMax: number
  readonly watchersMax: number
  readonly watchersPerOriginMax: number
  readonly keepAliveMs: number
  /** How long a client may leave an answer unread before its connection is closed. */
  readonly stalledMsMax: number
  /** After a refusal, how long the rest of a body is thrown away so that the client can read the answer. */
  readonly discardMsMax: number
  /** How long disposal waits for answers under way. */
  readonly drainMsMax: number
}

export const LIMITS: HttpLimits = {
  connectionsMax: 256,
  connectionsPerAddressMax: 64,
  headerBytesMax: 8192,
  headersMax: 64,
  headerMsMax: 10_000,
  requestMsMax: 20_000,
  bodyBytesMax: 65_536,
  idleMsMax: 120_000,
  handshakeMsMax: 10_000,
  handshakesMax: 64,
  handshakesPerAddressMax: 16,
  unprovenHandshakesBurst: 256,
  unprovenHandshakesPerS: 16,
  unprovenBurst: 60,
  unprovenPerS: 20,
  faceUnprovenBurst: 400,
  faceUnprovenPerS: 200,
  addressesMax: 1024,
  watchersMax: 64,
  watchersPerOriginMax: 16,
  keepAliveMs: 15_000,
  stalledMsMax: 30_000,
  discardMsMax: 1_000,
  drainMsMax: 2_000,
}
