// SPDX-License-Identifier: GPL-3.0-or-later
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { ALPN_ENROL, ALPN_LINK } from '../../../schemas/gen/ts/wire.ts'
import { no, type Verdict } from '../../base/error.ts'
import type { Secret } from '../../base/secret.ts'
import type { Ed25519 } from '../../core/envelope/index.ts'
import { type DeviceLeaf, privateKeyPem, readDeviceLeaf, toPem } from '../../core/identity/certificates.ts'

/** ChaCha20 first: devices without AES hardware are the rule (SPEC 6.1). */
const SUITES = 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384'

/** How long a ticket may be used. Its key lives in this process alone, so a restart ends it earlier. */
const TICKET_S_MAX = 86_400

export interface TlsIdentity {
  /** Ed25519 seed of the hub. */
  readonly seed: Secret
  /** The hub's leaf, DER; it is sent without its CA, which devices hold. */
  readonly leaf: Uint8Array
  /** The device CAs, DER: their names are sent to devices. */
  readonly deviceCas: readonly Uint8Array[]
}

/**
 * A TLS server by SPEC 6.1 that accepts injected sockets (`emit('connection', socket)`).
 * A client certificate is asked for and its possession proven; who it is for, `peerLeaf` decides, because enrolment has
 * none and because OpenSSL is content with much that SPEC 6.2 is not. max_fragment_length and tickets are OpenSSL's defaults.
 */
export function tlsServer(identity: TlsIdentity): Server {
  return createServer({
    key: privateKeyPem(identity.seed.reveal()),
    cert: toPem('CERTIFICATE', identity.leaf),
    ca: identity.deviceCas.map((ca) => toPem('CERTIFICATE', ca)),
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: SUITES,
    ecdhCurve: 'X25519',
    sigalgs: 'ed25519',
    ALPNProtocols: [ALPN_LINK, ALPN_ENROL],
    requestCert: true,
    rejectUnauthorized: false,
    sessionTimeout: TICKET_S_MAX,
    // The link's own sweep ends slow handshakes; this one must only never be earlier.
    handshakeTimeout: 3_600_000,
  })
}

/** The certificate that this connection, or the one it resumes, was opened with. Its dates are for the caller to judge. */
export function peerLeaf(
  socket: TLSSocket,
  caKeys: readonly Uint8Array[],
  ed25519: Ed25519,
): Verdict<DeviceLeaf, Code> {
  const shown = socket.getPeerX509Certificate()
  return shown ? readDeviceLeaf(shown.raw, caKeys, ed25519) : no('no-client-certificate')
}
