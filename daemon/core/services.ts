// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Onion services (SPEC 10): who was invited, which device has an address of its own, and what each of these is like now.
 *
 * Always true: every invitation has its own address, derived from the onion master, its name and epoch; withdrawing one
 * touches no other. An invitation that moves has two until its holder has come by the new one. Publishing happens elsewhere
 * and later; nothing here waits for it.
 */
import assert from 'node:assert/strict'
import { LABEL_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { fromBase32 } from '../base/bytes.ts'
import type { Clock, Instant } from '../base/clock.ts'
import { no, type Verdict, yes } from '../base/error.ts'
import { Turns } from '../base/lifetime.ts'
import type { Secret } from '../base/secret.ts'
import { onionClientKey, onionSeed, x25519Public } from './identity/index.ts'
import type { PartyId } from './model/index.ts'
import type { Journal, ServiceBook, ServiceRecord } from './ports.ts'

/** What is offered to the world as one onion service; the onion room and the HTTP face carry it out. */
export interface Offer {
  readonly service: string
  readonly seed: Secret
  /** X25519 public keys that may read the descriptor; empty: anybody who knows the address. */
  readonly clients: readonly Uint8Array[]
  /** The private key of the one client, for the hub's own probe. */
  readonly probeKey?: Secret
  /** Serves this device alone. */
  readonly only?: PartyId
}

export interface PublicationStatus {
  readonly state: 'queued' | 'publishing' | 'published' | 'reachable' | 'unreachable' | 'off'
  readonly cause?: string
  readonly since: Instant
}

/** Carries offers out: opens the face behind it and publishes the address, in the background. */
export interface Publisher {
  /** @returns the address, at once */
  offer(offer: Offer): Promise<string>
  withdraw(service: string): Promise<void>
  status(service: string): PublicationStatus
}

export interface ServiceView {
  readonly service: string
  readonly address: string
  readonly epoch: number
  readonly authorised: boolean
  readonly createdAt: Instant
  readonly status: PublicationStatus
}

export interface Invitation extends ServiceView {
  /** X25519 private key for the one who is invited; absent when the address alone is enough. */
  readonly clientKey?: Secret
}

export interface Services {
  /** Those that have an address; it takes a moment until one that is new, or waits for its other side's key, has. */
  list(): readonly ServiceView[]
  /** An address for one daemon of the home, which alone can read its descriptor; again the same while it stands. */
  admit(service: string): Promise<Admitted>
  /** An address for whoever holds the client key that comes with it. */
  open(service: string, by: By): Promise<Admitted & { readonly clientKey: Secret }>
  /**
   * An address for a guest of another daemon of the home; again the same while it stands.
   * @returns undefined when it stands with the other kind of authorisation
   */
  lend(
    service: string,
    authorised: boolean,
    by: By,
  ): Promise<(Admitted & { readonly clientKey?: Secret | undefined }) | undefined>
  /** The service by which a request with this origin came, but for an address that was renewed. */
  behind(origin: string): ServiceView | undefined
  /** Anew, or what is there already; a name that was withdrawn gets its next epoch, and so another address. */
  invite(name: string, authorised: boolean, by: By): Promise<Verdict<Invitation, 'conflict' | 'bad-request'>>
  expose(device: PartyId, authorised: boolean, by: By): Promise<Verdict<Invitation, 'conflict'>>
  withdraw(service: string, by: By): Promise<Verdict<void, 'not-found'>>
  /** Another address for an invitation (SPEC 10.4); the one before stays until `arrived`. */
  renew(name: string, by: By): Promise<Verdict<Invitation, 'not-found' | 'conflict'>>
  /** Where to go, for whoever comes by an address that was renewed; once the new one is known to be reachable. */
  movedTo(origin: string): Invitation | undefined
  /** Somebody proven came by this origin: an address that it replaced is done. */
  arrived(origin: string): void
  /** Whether a request with this origin came by this service. */
  isBy(origin: string, service: string): boolean
}

export interface By {
  readonly signer?: PartyId
  readonly origin: string
}

export interface Admitted {
  readonly address: string
  /** The Ed25519 key of the address. */
  readonly key: Uint8Array
}

export interface ServicesDeps {
  readonly clock: Clock
  readonly master: Secret
  readonly book: ServiceBook
  readonly journal: Journal
  readonly publisher: Publisher
  /** The X25519 key that a daemon's address here is for; undefined: it is none of ours any more. */
  readonly clientOf?: (service: string) => Uint8Array | undefined
  /** Told what went wrong where nobody waits for it. */
  readonly onFault: (error: unknown) => void
}

export const INVITATION = 'invitation:'
/** An address for who was let in by another daemon of the home, by what that calls the invitation (SPEC 14.9). */
export const GUEST = 'guest:'
/** In the book: the address that an invitation had before, with the epoch of that. */
const FORMER = 'former:'

/** What an address is derived from: a former one is still an invitation's. */
function derivedFrom(service: string): string {
  return service.startsWith(FORMER) ? INVITATION + service.slice(FORMER.length) : service
}

/** Of an onion address, before `.onion`. */
const ONION_ID_CHARS = 56

/** Offers everything the book holds, and keeps book and offers together from then on. */
export async function openServices(deps: ServicesDeps): Promise<Services> {
  const { clock, book, journal, publisher, master } = deps
  const addresses = new Map<string, string>()
  /** Under which name each is published: one that was renewed in this life keeps the name it had. */
  const published = new Map<string, string>()
  const publication = (service: string): string => published.get(service) ?? service
  const clientKeyOf = ({ service, epoch, authorised }: ServiceRecord): Secret | undefined =>
    authorised ? onionClientKey(master, derivedFrom(service), epoch) : undefined

  const offer = async (record: ServiceRecord): Promise<void> => {
    const { service, epoch } = record
    const clientKey = clientKeyOf(record)
    const client = service.startsWith('mesh:') ? deps.clientOf?.(service) : undefined
    // A daemon's own key reads the descriptor of its address; ours beside it is for the probe.
    if (service.startsWith('mesh:') && !client) return
    const address = await publisher.offer({
      service: publication(service),
      seed: onionSeed(master, derivedFrom(service), epoch),
      clients: client ? [client] : clientKey ? [x25519Public(clientKey)] : [],
      ...(clientKey && { probeKey: clientKey }),
      ...(service.startsWith('device:') && { only: service.slice('device:'.length) as PartyId }),
    })
    addresses.set(service, address)
  }

  const view = (record: ServiceRecord): ServiceView => ({
    ...record,
    address: addresses.get(record.service)!,
    status: publisher.status(publication(record.service)),
  })

  const invitation = (record: ServiceRecord): Invitation => {
    const clientKey = clientKeyOf(record)
    return { ...view(record), ...(clientKey && { clientKey }) }
  }

  const put = async (
    service: string,
    authorised: boolean,
    by: By,
  ): Promise<Verdict<Invitation, 'conflict'>> => {
    const present = book.get(service)
    if (present && !addresses.has(service)) await offer(present)
    if (present && present.authorised !== authorised) {
      return no('conflict', 'it exists with the other kind of authorisation: withdraw it first')
    }
    const record = present ?? { service, epoch: book.nextEpoch(service), authorised, createdAt: clock.now() }
    if (!present) {
      await Promise.all([
        book.put(record),
        journal.append({
          kind: 'invited',
          at: record.createdAt,
          signer: by.signer,
          origin: by.origin,
          note: service,
        }),
      ])
      await offer(record)
    }
    return yes(invitation(record))
  }

  const take = async (service: string, by: By): Promise<Verdict<void, 'not-found'>> => {
    if (!book.get(service)) return no('not-found')
    // First out of the book: after a crash between the two it is not offered again.
    await Promise.all([
      book.remove(service),
      journal.append({
        kind: 'withdrawn',
        at: clock.now(),
        signer: by.signer,
        origin: by.origin,
        note: service,
      }),
    ])
    await unpublish(service)
    return yes(undefined)
  }

  const unpublish = async (service: string): Promise<void> => {
    await publisher.withdraw(publication(service))
    addresses.delete(service)
    published.delete(service)
    lookAtMoves()
  }

  const takeBoth = async (service: string, by: By): Promise<Verdict<void, 'not-found'>> => {
    const former = formerOf(service)
    if (former && book.get(former)) await take(former, by)
    return take(service, by)
  }

  const renew = async (service: string, by: By): Promise<Verdict<Invitation, 'not-found' | 'conflict'>> => {
    const present = book.get(service)
    if (!present) return no('not-found')
    const former = formerOf(service)!
    if (book.get(former)) return no('conflict', 'its holder has not come by the new address yet')
    const at = clock.now()
    const record = { ...present, epoch: book.nextEpoch(service), createdAt: at }
    // Both at once: after a crash there are both addresses, or the old one alone.
    await Promise.all([
      book.put({ ...present, service: former }),
      book.put(record),
      journal.append({ kind: 'invited', at, signer: by.signer, origin: by.origin, note: `${service}, anew` }),
    ])
    addresses.set(former, addresses.get(service)!)
    published.set(former, publication(service))
    published.set(service, `${service}~${record.epoch}`)
    lookAtMoves()
    await offer(record)
    return yes(invitation(record))
  }

  /** By origin, each service that moves, and each that it moves from: few, and asked for at every request. */
  const moving = new Map<string, string>()
  const lookAtMoves = (): void => {
    moving.clear()
    for (const { service } of book.list()) {
      if (!service.startsWith(FORMER)) continue
      for (const each of [service, derivedFrom(service)]) moving.set(originOf(each), each)
    }
  }
  const originOf = (service: string): string => `onion:${publication(service)}`

  // What is decided by the book must still hold when it is carried out.
  const turns = new Turns()
  for (const record of book.list()) {
    // Nobody was there to take it up: an invitation of a daemon does not outlive a restart.
    if (record.service.startsWith('join:')) await book.remove(record.service)
    else await offer(record)
  }

  const admitted = (service: string): Admitted => {
    const address = addresses.get(service)!
    return { address, key: Uint8Array.from(fromBase32(address.slice(0, ONION_ID_CHARS))!.subarray(0, 32)) }
  }
  lookAtMoves()

  return {
    // One that is on disk and not yet offered has no address.
    list: () =>
      book
        .list()
        .filter(({ service }) => addresses.has(service))
        .map(view),
    async invite(name, authorised, by) {
      if (!isName(name)) {
        return no('bad-request', 'a name is 1 to 32 letters, digits, dots, dashes, underscores or spaces')
      }
      return turns.take(() => put(INVITATION + name, authorised, by))
    },
    async admit(service) {
      await turns.take(() => put(service, true, { origin: 'mesh' }))
      return admitted(service)
    },
    async open(service, by) {
      const opened = await turns.take(() => put(service, true, by))
      assert(opened.ok && opened.value.clientKey, 'a service of this kind always has a client key')
      return { ...admitted(service), clientKey: opened.value.clientKey }
    },
    async lend(service, authorised, by) {
      const lent = await turns.take(() => put(service, authorised, by))
      return lent.ok ? { ...admitted(service), clientKey: lent.value.clientKey } : undefined
    },
    behind(origin) {
      const service = origin.replace(/^onion:/, '').replace(/~\d+$/, '')
      const record = originOf(service) === origin ? book.get(service) : undefined
      return record && addresses.has(service) ? view(record) : undefined
    },
    expose: (device, authorised, by) => turns.take(() => put(`device:${device}`, authorised, by)),
    withdraw: (service, by) => turns.take(() => takeBoth(service, by)),
    renew: (name, by) => turns.take(() => renew(INVITATION + name, by)),
    movedTo(origin) {
      const service = moving.get(origin)
      const present = service?.startsWith(FORMER) ? book.get(derivedFrom(service)) : undefined
      const moved = present && invitation(present)
      return moved?.status.state === 'reachable' ? moved : undefined
    },
    arrived(origin) {
      const former = formerOf(moving.get(origin) ?? '')
      if (former === undefined || !book.get(former)) return
      turns.take(() => take(former, { origin })).catch((error) => deps.onFault(error))
    },
    isBy: (origin, service) => origin === originOf(service),
  }
}

function formerOf(service: string): string | undefined {
  return service.startsWith(INVITATION) ? FORMER + service.slice(INVITATION.length) : undefined
}

function isName(name: string): boolean {
  return name.length <= LABEL_BYTES_MAX && /^[A-Za-z0-9](?:[A-Za-z0-9._ -]*[A-Za-z0-9._-])?$/.test(name)
}
