// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Where the hub is, for devices of this home that cannot find it any more (SPEC 6.8), and where devices' own servers are, for
 * browsers (18.1). In: questions to the LAN's mDNS group; out: an answer to who asked for exactly this home, or for exactly such a
 * server, from an address of a private network.
 *
 * Always true: it never speaks first; a question that is not ours, or from elsewhere, has no answer; switched off, there is no
 * socket. Absent on purpose: announcements, browsing, caching, IPv6; a name of the home that says whose it is.
 */
import { createSocket, type Socket } from 'node:dgram'
import { BlockList } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { ignore, RoomError } from '../../base/error.ts'
import { once } from '../../base/lifetime.ts'
import type { Log } from '../../base/log.ts'
import { answerTo, discoveryLabel } from './answer.ts'
import { serversAnswer } from './servers.ts'

export class DiscoveryError extends RoomError<'cannot-listen'> {}

export interface DiscoveryDeps {
  readonly clock: Clock
  readonly log: Log
}

export interface DiscoveryOptions {
  /** The home's root key. */
  readonly root: Uint8Array
  /** The device link's. */
  readonly port: number
  /** This machine's IPv4 addresses on private networks, asked for at each answer: LANs are renumbered. */
  readonly addresses: () => readonly string[]
  /** IPv4 of the device whose own server has this label, if it is here. */
  readonly serverAt?: (label: string) => string | undefined
  /** Who gets no answer now: it was sent elsewhere. */
  readonly ignores?: (address: string) => boolean
  /** Where to listen; the mDNS group's port on all interfaces if not said, and then that group is joined. */
  readonly listen?: { readonly host: string; readonly port: number }
}

export interface Discovery extends AsyncDisposable {
  readonly port: number
}

const GROUP = '224.0.0.251'
const MDNS_PORT = 5353
/** Questions answered in a second; the rest wait for a better one, as RFC 6762 §6 asks of answers too. */
const ANSWERS_PER_SECOND_MAX = 20
const SECOND_MS = 1000

const NEAR = new BlockList()
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const)
  NEAR.addSubnet(net, bits)

/** @throws DiscoveryError cannot-listen */
export async function openDiscovery(
  deps: DiscoveryDeps,
  options: DiscoveryOptions,
  signal: AbortSignal,
): Promise<Discovery> {
  signal.throwIfAborted()
  const socket = await listening(options)
  if (!options.listen && !joinGroup(socket, options.addresses())) deps.log.say('warn', 'discovery-deaf')
  const label = discoveryLabel(options.root)
  const allowance = new Allowance(() => deps.clock.monotonic())
  socket.on('error', (error) => deps.log.taskFailed('discovery', error))
  socket.on('message', (question, from) => {
    if (!NEAR.check(from.address) || !allowance.take()) return
    const address = nearest(options.addresses(), from.address)
    if (address === undefined) return
    const answer = options.ignores?.(from.address)
      ? undefined
      : answerTo(question, label, address, options.port)
    if (answer) return socket.send(answer, from.port, from.address, ignoreSending)
    const { serverAt } = options
    const servers = serverAt && serversAnswer(question, serverAt, from.port !== MDNS_PORT)
    if (!servers) return
    if (servers.toGroup) sendToGroup(socket, servers.bytes, address)
    else socket.send(servers.bytes, from.port, from.address, ignoreSending)
  })
  const dispose = once(() => new Promise<void>((closed) => socket.close(() => closed())))
  signal.addEventListener('abort', dispose, { once: true })
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', dispose)
      return dispose()
    },
  }
}

function listening({ listen }: DiscoveryOptions): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  return new Promise((resolve, reject) => {
    const { host, port } = listen ?? { host: '0.0.0.0', port: MDNS_PORT }
    socket.once('error', (error) => {
      socket.close()
      reject(
        new DiscoveryError('cannot-listen', `cannot listen for mDNS on port ${port} (discovery can be off)`, {
          cause: error,
        }),
      )
    })
    socket.bind({ port, address: host }, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

/** Joins on each network of ours. @returns false where there is none to join on: a machine without a LAN yet is no fault */
function joinGroup(socket: Socket, addresses: readonly string[]): boolean {
  const joined = addresses.filter((address) => {
    try {
      socket.addMembership(GROUP, address)
      return true
    } catch (error) {
      ignore(error, 'an address that went, or a network without multicast')
      return false
    }
  })
  return joined.length > 0
}

/** @param address  of ours, on the network that it goes to */
function sendToGroup(socket: Socket, bytes: Uint8Array, address: string): void {
  try {
    socket.setMulticastInterface(address)
    socket.setMulticastTTL(255)
    socket.send(bytes, MDNS_PORT, GROUP, ignoreSending)
  } catch (error) {
    ignore(error, 'an address that went: who asked will ask again')
  }
}

/** The address of ours that shares most of its first bits with the one that asks: on a machine with several LANs, the right one. */
function nearest(own: readonly string[], asking: string): string | undefined {
  const bits = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const distance = (address: string) => (bits(address) ^ bits(asking)) >>> 0
  return own.toSorted((a, b) => distance(a) - distance(b))[0]
}

class Allowance {
  readonly #monotonic: () => number
  #since = Number.NEGATIVE_INFINITY
  #taken = 0

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  take(): boolean {
    const now = this.#monotonic()
    if (now - this.#since >= SECOND_MS) {
      this.#since = now
      this.#taken = 0
    }
    return ++this.#taken <= ANSWERS_PER_SECOND_MAX
  }
}

function ignoreSending(error: Error | null): void {
  if (error) ignore(error, 'who asked will ask again')
}
