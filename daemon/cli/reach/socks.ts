// SPDX-License-Identifier: GPL-3.0-or-later

import type { ClientRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { SocksClient } from 'socks'
import { SocksProxyAgent } from 'socks-proxy-agent'
import { CliError } from '../error.ts'

/** Where a tor takes SOCKS: the path of a unix socket, or host and port. */
export type SocksPlace = { readonly path: string } | { readonly host: string; readonly port: number }

/** What tor's replies mean (RFC 1928 §6; tor's proposal 304 from 0xF0). */
const CAUSES: Readonly<Record<number, string>> = {
  1: 'the address was reached or nearly so, but the home took no connection there',
  2: "tor's own rules forbid this connection",
  3: 'tor has no way to the network',
  4: 'tor could not reach the address: it may be withdrawn, or the home is not connected',
  5: 'the address is there, but nothing is offered on it',
  6: 'tor gave up on the way',
  240: 'no directory knows this address: it was withdrawn, or is not published yet',
  241: 'what the directories hold for this address cannot be read',
  242: 'the home published this address but no longer answers: it may be off, or the invitation withdrawn',
  243: 'the home did not come to the rendezvous',
  244: 'this address wants a client key and that tor has none',
  245: 'the client key for this address is wrong or was withdrawn',
  246: 'this is no well-formed onion address',
  247: 'the home did not answer in time',
}

/** Replies that another try, on another circuit, does not change. */
const FINAL: ReadonlySet<number> = new Set([2, 244, 245, 246])

/** The directories were asked, and none holds the address. */
const ABSENT = 240

/** What the person can do about it. */
const NEXT: Readonly<Record<number, string>> = {
  240: 'was it just made? then try again in a minute. Else ask for a new invitation (at home: `shallot onion list`)',
  244: 'use the invitation itself, with its client key, and leave out --tor-socks',
  245: 'ask for a new invitation (at home: `shallot onion invite <name>`)',
  246: 'copy the code of the invitation again, whole',
}

/**
 * The way ends at our own tor. `hope`: `none`, another try would end there too; `little`, the address is nowhere, which a few
 * tries settle; `some`, it may be different soon.
 */
export class SocksRefusal extends CliError {
  readonly hope: 'none' | 'little' | 'some'

  constructor(
    message: string,
    hope: SocksRefusal['hope'],
    options: { cause: unknown; next?: string | undefined },
  ) {
    super('unreachable', message, options)
    this.hope = hope
  }
}

function refusalFor(reply: number, cause: unknown): SocksRefusal {
  const hope = FINAL.has(reply) ? 'none' : reply === ABSENT ? 'little' : 'some'
  const words = CAUSES[reply] ?? `tor refused for a reason that we do not know (reply ${reply})`
  return new SocksRefusal(words, hope, { cause, next: NEXT[reply] })
}

/**
 * An agent whose connections go through one tor under one isolation pair. The SOCKS handshake is the package's; the socket is
 * opened here, because tor may listen on a unix socket and its own replies (0xF0–0xF7) are the causes that people are told.
 */
export class TorAgent extends SocksProxyAgent {
  readonly #place: SocksPlace
  readonly #pair: { readonly userId: string; readonly password: string }

  constructor(place: SocksPlace, isolation: string) {
    // The address in the URL is never used: `connect` brings its own socket.
    super('socks5h://localhost', { keepAlive: true, maxSockets: 8 })
    this.#place = place
    this.#pair = { userId: 'shallot', password: isolation }
  }

  override async connect(
    request: ClientRequest,
    options: Parameters<SocksProxyAgent['connect']>[1],
  ): Promise<Socket> {
    const socket = connect(this.#place)
    const onAbandoned = () => socket.destroy()
    request.once('close', onAbandoned)
    const reply = watchReply(socket)
    try {
      await connected(socket)
      await SocksClient.createConnection({
        command: 'connect',
        proxy: { host: 'localhost', port: 1080, type: 5, ...this.#pair },
        destination: { host: options.host!, port: Number(options.port) },
        existing_socket: socket,
        timeout: 120_000,
      })
      return socket
    } catch (error) {
      socket.destroy()
      throw reply.code === undefined ? error : refusalFor(reply.code, error)
    } finally {
      reply.stop()
      request.off('close', onAbandoned)
    }
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', (cause) => {
      reject(
        new SocksRefusal('no tor answers at the SOCKS socket', 'none', {
          cause,
          next: 'leave out --tor-socks, and shallot runs a tor of its own',
        }),
      )
    })
  })
}

/** The handshake is method (2 bytes), login (2 bytes), then the reply, whose second byte is the code. */
function watchReply(socket: Socket): { code: number | undefined; stop(): void } {
  let seen = 0
  const onData = (chunk: Uint8Array) => {
    const at = 5 - seen
    if (at >= 0 && at < chunk.length && chunk[at] !== 0) watched.code = chunk[at]
    seen += chunk.length
  }
  const watched: { code: number | undefined; stop(): void } = {
    code: undefined,
    stop: () => socket.off('data', onData),
  }
  socket.once('connect', () => socket.prependListener('data', onData))
  return watched
}
