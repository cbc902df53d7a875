// SPDX-License-Identifier: GPL-3.0-or-later
/** The least that a mutual-TLS server in Node can be: what comes in goes back. In: its argument, a `BareTlsArgument`. */
import { createServer } from 'node:tls'
import { readArgument } from './process.ts'

export interface BareTlsArgument {
  readonly key: string
  readonly cert: string
  /** The CAs of clients, PEM. */
  readonly ca: string
  readonly protocol: string
}

const { key, cert, ca, protocol } = await readArgument<BareTlsArgument>()
const server = createServer(
  {
    ...{ key, cert, ca, requestCert: true, rejectUnauthorized: true, noDelay: true },
    ...{ minVersion: 'TLSv1.3', ecdhCurve: 'X25519', ALPNProtocols: [protocol] },
    ciphers: 'TLS_CHACHA20_POLY1305_SHA256',
  },
  (socket) => {
    socket.on('data', (bytes) => socket.write(bytes))
    socket.on('error', () => socket.destroy())
  },
)
server.listen(0, '127.0.0.1', () => {
  process.send!({ port: (server.address() as { port: number }).port })
})
