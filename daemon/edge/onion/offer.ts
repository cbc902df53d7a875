// SPDX-License-Identifier: GPL-3.0-or-later
import { equal, toBase32 } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import { Latch } from '../../base/lifetime.ts'
import type { Secret } from '../../base/secret.ts'
import { x25519Public } from '../../core/identity/index.ts'
import { type OnionKey, onionKeyOf, serviceIdOf } from './address.ts'
import { type OnionCode, OnionError } from './error.ts'
import { targetPath } from './torrc.ts'

/** An onion service the daemon wants to have. */
export interface OnionService {
  /** Unique among the services offered. */
  readonly name: string
  /** 32 bytes; the address follows from it. */
  readonly seed: Secret
  /** Absolute path of the unix socket that connections are handed to. */
  readonly target: string
  /** The port of the onion address, 1 to 65535. */
  readonly port: number
  /** X25519 public keys, 32 bytes each, that may find the service; none means everybody who has the address. */
  readonly clients: readonly { readonly publicKey: Uint8Array }[]
  /** X25519 private key, 32 bytes, by which the daemon's own probe finds a service that has clients; it may be a client's. */
  readonly probeKey?: Secret
}

/**
 * queued: tor has not heard of it. publishing: tor is placing it in the directories. published: one directory has it.
 * reachable, unreachable: measured through Tor from outside.
 */
export type OnionState = 'queued' | 'publishing' | 'published' | 'reachable' | 'unreachable'

export interface OnionCause {
  readonly code: OnionCode
  /** For a person. */
  readonly sentence: string
}

export interface OnionStatus {
  readonly name: string
  readonly address: string
  readonly state: OnionState
  /** Why it is not (yet) reachable, or why that is not known. */
  readonly cause?: OnionCause
  /** When the state became what it is. */
  readonly since: Instant
  /** Directories that took the descriptor since it was last added. */
  readonly uploads: number
  /** When it was last measured. */
  readonly probedAt?: Instant
}

const CLIENTS_MAX = 330
const X25519_BYTES = 32

/** One service on its way to being reachable: its key, its state and the commands that add it. */
export class Offer {
  readonly service: OnionService
  readonly key: OnionKey
  readonly id: string
  readonly withdrawn = new AbortController()
  #doubted = new AbortController()
  firstUpload = new Latch<void>()
  #status: OnionStatus
  readonly #target: string
  readonly #now: () => Instant
  readonly #changed: (status: OnionStatus) => void

  /** @throws OnionError bad-service | bad-path */
  constructor(
    service: OnionService,
    torDirectory: string | undefined,
    now: () => Instant,
    changed: (status: OnionStatus) => void,
  ) {
    check(service)
    this.service = service
    this.#target = targetPath(service.target, torDirectory)
    this.key = onionKeyOf(service.seed)
    this.id = serviceIdOf(this.key.address)
    this.#now = now
    this.#changed = changed
    this.#status = {
      name: service.name,
      address: this.key.address,
      state: 'queued',
      since: now(),
      uploads: 0,
    }
  }

  get status(): OnionStatus {
    return this.#status
  }

  /** Whether our own probe can find it. */
  get measurable(): boolean {
    return this.service.clients.length === 0 || this.service.probeKey !== undefined
  }

  /** Somebody who came by it fell silent: it is measured next, however lately it was. */
  doubt(): void {
    this.#doubted.abort()
  }

  /** Until it is doubted again. */
  believe(): AbortSignal {
    if (this.#doubted.signal.aborted) this.#doubted = new AbortController()
    return this.#doubted.signal
  }

  become(state: OnionState, cause?: OnionCause): void {
    const { name, address, uploads, since, probedAt, state: before } = this.#status
    this.#set({
      name,
      address,
      state,
      since: state === before ? since : this.#now(),
      uploads: state === 'publishing' || state === 'queued' ? 0 : uploads,
      ...(cause === undefined ? {} : { cause }),
      ...(probedAt === undefined ? {} : { probedAt }),
    })
  }

  probed(): void {
    this.#status = Object.freeze({ ...this.#status, probedAt: this.#now() })
  }

  uploaded(): void {
    this.#set({ ...this.#status, uploads: this.#status.uploads + 1 })
    this.firstUpload.open()
  }

  /** The ADD_ONION line (control-spec §3.27). Holds the private key: never log it. */
  addCommand(): string {
    const { service } = this
    const keys = clientKeysOf(service)
    return [
      `ADD_ONION ED25519-V3:${this.key.expandedBase64()}`,
      ...(keys.length > 0 ? ['Flags=V3Auth'] : []),
      `Port=${service.port},unix:${this.#target}`,
      ...keys.map((key) => `ClientAuthV3=${toBase32(key).toUpperCase()}`),
    ].join(' ')
  }

  /** The line by which our own tor may read the descriptor of a service that has clients; undefined when all may. */
  probeKeyCommand(): string | undefined {
    const { clients, probeKey } = this.service
    if (clients.length === 0 || probeKey === undefined) return undefined
    return `ONION_CLIENT_AUTH_ADD ${this.id} x25519:${probeKey.reveal().toBase64()}`
  }

  #set(status: OnionStatus): void {
    this.#status = Object.freeze(status)
    this.#changed(status)
  }
}

/** Every key that may read the descriptor: the clients' and, where there are any, our own probe's. */
function clientKeysOf(service: OnionService): Uint8Array[] {
  const keys = service.clients.map((client) => client.publicKey)
  if (keys.length === 0 || service.probeKey === undefined) return keys
  const own = x25519Public(service.probeKey)
  return keys.some((key) => equal(key, own)) ? keys : [...keys, own]
}

function check(service: OnionService): void {
  const refuse = (why: string): never => {
    throw new OnionError('bad-service', `the onion service ${service.name} ${why}`)
  }
  if (!Number.isInteger(service.port) || service.port < 1 || service.port > 65_535) {
    refuse('has a port that is not 1 to 65535')
  }
  // Tor refuses descriptors of more clients than fit; better refused here than never published.
  if (service.clients.length > CLIENTS_MAX) refuse(`has more than ${CLIENTS_MAX} clients`)
  const keys = service.clients.map((client) => client.publicKey)
  if (service.probeKey !== undefined) keys.push(service.probeKey.reveal())
  if (keys.some((key) => key.length !== X25519_BYTES)) {
    refuse(`has a client key that is not ${X25519_BYTES} bytes`)
  }
}
