// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * SOCKS5 CONNECT to tor (RFC 1928, RFC 1929, tor's proposal 304), bytes in and bytes out.
 * Our own, although packages exist: over a unix socket tor answers ATYP 4, its extended errors F0 to F7 are the causes
 * we show people, and an abort must close the attempt at once; the packages give one error for all and own the socket.
 */
import { connect, type Socket } from 'node:net'
import { concat, utf8 } from '../../base/bytes.ts'
import { type DialCode, OnionError } from './error.ts'

/** Tor builds separate circuits for pairs that differ; both parts show in tor's circuit list, so neither is secret. */
export interface IsolationPair {
  readonly username: string
  readonly password: string
}

const VERSION = 5
const USERNAME_PASSWORD = 2
const CONNECT = 1
const DOMAIN = 3
const IPV4 = 1
const IPV6 = 4

const CAUSES: Readonly<Record<number, readonly [DialCode, string]>> = {
  1: ['not-served', 'the service was reached or nearly so, but nothing there took the connection'],
  2: ['not-allowed', "tor's own rules forbid this connection"],
  3: ['network-unreachable', 'tor has no way to the network'],
  4: ['host-unreachable', 'tor could not reach the service'],
  5: ['port-refused', 'the service does not offer this port, or allows no more streams'],
  6: ['ttl-expired', 'tor gave up on the way to the service'],
  7: ['not-supported', 'tor does not support this command'],
  8: ['not-supported', 'tor does not support this kind of address'],
  240: ['no-descriptor', 'no directory knows this address: it is not published, or not yet'],
  241: ['bad-descriptor', 'what the directories hold for this address cannot be read'],
  242: ['introduction-failed', 'the service published this address but no longer answers introductions'],
  243: ['rendezvous-failed', 'the service did not come to the rendezvous'],
  244: ['authorisation-missing', 'this address needs a client key and tor has none for it'],
  245: ['authorisation-wrong', 'the client key for this address is wrong or withdrawn'],
  246: ['bad-address', 'this is not a well-formed onion address'],
  247: ['introduction-timeout', 'the service did not answer the introduction in time'],
}

/** What a SOCKS reply code other than 0 means, as this room's error. */
export function socksError(code: number): OnionError {
  const [name, sentence] = CAUSES[code] ?? ['socks-malformed', `tor gave an unknown SOCKS reply ${code}`]
  return new OnionError(name, sentence)
}

export interface SocksStep {
  /** Bytes to send now; empty for none. */
  readonly send: Uint8Array
  /** Once connected: what the service has already said. */
  readonly rest?: Uint8Array
}

/**
 * The client's half of one handshake. Send `hello`, then feed what arrives to `push` until a step has `rest`.
 * Holds at most what one call brought plus 262 bytes.
 */
export class SocksHandshake {
  readonly hello = Uint8Array.of(VERSION, 1, USERNAME_PASSWORD)
  readonly #login: Uint8Array
  readonly #request: Uint8Array
  #held = new Uint8Array(0)
  #stage: 'method' | 'login' | 'reply' = 'method'

  constructor(host: string, port: number, pair: IsolationPair) {
    const [username, password, name] = [pair.username, pair.password, host].map(shortText) as Uint8Array[]
    this.#login = concat(Uint8Array.of(1), username!, password!)
    this.#request = concat(
      Uint8Array.of(VERSION, CONNECT, 0, DOMAIN),
      name!,
      Uint8Array.of(port >> 8, port & 255),
    )
  }

  /** @throws OnionError socks-malformed, or the cause tor names */
  push(bytes: Uint8Array): SocksStep {
    this.#held = Uint8Array.from(concat(this.#held, bytes))
    let send = new Uint8Array(0)
    if (this.#stage === 'method' && this.#held.length >= 2) {
      this.#expect(VERSION, USERNAME_PASSWORD, 'does not take a username')
      send = Uint8Array.from(this.#login)
      this.#stage = 'login'
    }
    if (this.#stage === 'login' && this.#held.length >= 2) {
      this.#expect(1, 0, 'refused the username')
      send = Uint8Array.from(concat(send, this.#request))
      this.#stage = 'reply'
    }
    const rest = this.#stage === 'reply' ? this.#reply() : undefined
    return rest === undefined ? { send } : { send, rest }
  }

  #expect(first: number, second: number, complaint: string): void {
    if (this.#held[0] !== first || this.#held[1] !== second) throw malformed(complaint)
    this.#held = this.#held.slice(2)
  }

  #reply(): Uint8Array | undefined {
    const [version, code, reserved, kind, domainLength] = this.#held
    if (version !== undefined && version !== VERSION) throw malformed('answered with another protocol')
    // Tor's refusals are complete replies, but the code alone says all; waiting for the rest could only hang.
    if (code !== undefined && code !== 0) throw socksError(code)
    if (reserved !== undefined && reserved !== 0) throw malformed('answered with a reserved byte set')
    if (kind === undefined) return undefined
    const addressLength =
      kind === IPV4 ? 4 : kind === IPV6 ? 16 : kind === DOMAIN ? (domainLength ?? 255) + 1 : undefined
    if (addressLength === undefined) throw malformed(`answered with address type ${kind}`)
    const length = 4 + addressLength + 2
    return this.#held.length < length ? undefined : this.#held.slice(length)
  }
}

function shortText(text: string): Uint8Array {
  const bytes = utf8(text)
  if (bytes.length < 1 || bytes.length > 255) {
    throw new OnionError('bad-address', 'a SOCKS field has 1 to 255 bytes')
  }
  return concat(Uint8Array.of(bytes.length), bytes)
}

function malformed(what: string): OnionError {
  return new OnionError('socks-malformed', `the SOCKS socket ${what}`)
}

/**
 * One attempt through tor's SOCKS socket. Waits as long as tor does: the caller's signal is the deadline.
 * @returns the stream, readable from its first byte, with no listener of ours left on it
 * @throws OnionError tor-unreachable | socks-closed | socks-malformed or the cause tor names; the signal's reason
 */
export function socksConnect(
  socksPath: string,
  target: { readonly host: string; readonly port: number; readonly pair: IsolationPair },
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const handshake = new SocksHandshake(target.host, target.port, target.pair)
    const socket = connect(socksPath)
    const settle = (outcome: Uint8Array | { error: unknown }) => {
      socket.off('readable', onReadable).off('error', onError).off('close', onClose)
      signal.removeEventListener('abort', onAbort)
      if (!('error' in outcome)) {
        if (outcome.length > 0) socket.unshift(Buffer.from(outcome))
        return resolve(socket)
      }
      socket.on('error', () => {})
      socket.destroy()
      reject(outcome.error)
    }
    const onAbort = () => settle({ error: signal.reason })
    const onClose = () =>
      settle({ error: new OnionError('socks-closed', 'tor closed the connection before it stood') })
    const onError = (cause: Error) =>
      settle({
        error: new OnionError('tor-unreachable', 'tor does not answer at its SOCKS socket', { cause }),
      })
    // Read by hand, not flowing: the caller must find the stream as if nobody had ever read from it.
    const onReadable = () => {
      try {
        for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
          const step = handshake.push(chunk)
          if (step.send.length > 0) socket.write(step.send)
          if (step.rest !== undefined) return settle(step.rest)
        }
      } catch (error) {
        settle({ error })
      }
    }
    socket.on('readable', onReadable).on('error', onError).on('close', onClose)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('connect', () => socket.write(handshake.hello))
  })
}
