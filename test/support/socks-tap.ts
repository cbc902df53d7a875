// SPDX-License-Identifier: GPL-3.0-or-later
/** A SOCKS5 proxy that passes everything on to another and writes down who was asked for, how much and in which turns. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Tapped {
  /** Host and port as the browser named them. */
  readonly target: string
  /** Bytes towards the browser. */
  down: number
  up: number
}

export interface SocksTap extends AsyncDisposable {
  readonly port: number
  readonly streams: readonly Tapped[]
  /**
   * The longest chain of "asked, and answered, before it asked again", over all streams to `host`, that there was so far;
   * that a connection stands is the answer to its opening.
   */
  roundTrips(host: string): number
}

/** @param upstream  port on 127.0.0.1 of the proxy that really connects */
export async function openSocksTap(upstream: number): Promise<SocksTap> {
  const streams: Tapped[] = []
  const chains: Chains = new Map()
  const sockets = new Set<Socket>()
  const server = createServer((browser) => {
    const proxy = connect(upstream, '127.0.0.1')
    for (const socket of [browser, proxy]) {
      sockets.add(socket)
      socket.setNoDelay(true).on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        browser.destroy()
        proxy.destroy()
      })
    }
    tap(browser, proxy, streams, chains)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    streams,
    roundTrips: (host) => chains.get(host) ?? 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** By host: how many round trips lie behind what the browser has heard. */
type Chains = Map<string, number>

function tap(browser: Socket, proxy: Socket, streams: Tapped[], chains: Chains): void {
  let stream: Tapped | undefined
  let isOpen = false
  let host = ''
  let behind = 0
  browser.on('data', (bytes: Buffer) => {
    if (stream) stream.up += bytes.length
    else if (isRequest(bytes)) {
      stream = { target: targetOf(bytes), down: 0, up: 0 }
      streams.push(stream)
      host = stream.target.split(':')[0]!
    }
    behind = chains.get(host) ?? 0
    proxy.write(bytes)
  })
  proxy.on('data', (bytes: Buffer) => {
    // The first answer after the request is the proxy's own: the connection stands.
    if (stream && isOpen) stream.down += bytes.length
    // One that Tor could not make is none.
    if (stream && !isOpen && bytes[1] !== 0) streams.splice(streams.indexOf(stream), 1)
    else if (stream) {
      isOpen = true
      chains.set(host, Math.max(chains.get(host) ?? 0, behind + 1))
    }
    browser.write(bytes)
  })
}

/** RFC 1928 §4: version 5, CONNECT, reserved; the greeting before it has a count of methods in its second byte. */
function isRequest(bytes: Buffer): boolean {
  return bytes.length > 6 && bytes[0] === 5 && bytes[1] === 1 && bytes[2] === 0
}

function targetOf(bytes: Buffer): string {
  const end = bytes.length - 2
  const port = bytes.readUInt16BE(end)
  return bytes[3] === 3
    ? `${bytes.toString('latin1', 5, end)}:${port}`
    : `${bytes.toString('hex', 4, end)}:${port}`
}
