// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Daemons of one home in a world that is made from a seed: a clock that jumps, a network that loses, delays, doubles and reorders
 * what is sent, parts and heals. The rules are those of core/mesh; the rooms around them are memory.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { equal } from '../../daemon/base/bytes.ts'
import { encodeEntry, entryHash, genesisHash } from '../../daemon/core/chain.ts'
import {
  decodeCbor,
  type Ed25519,
  encodeCbor,
  type Frame,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import {
  BeaconSealer,
  type LogHead,
  type LogShelf,
  type MeshPaper,
  type MeshPaperBook,
  Papers,
  type Revocations,
  type Run,
  Talk,
} from '../../daemon/core/mesh/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { openTrust, type Trust } from '../../daemon/core/policy/index.ts'
import { BEACON_CLIENT } from '../../schemas/gen/ts/wire.ts'

/** mulberry32: small, and the same on every machine. */
export class Dice {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  below(count: number): number {
    return Math.floor(this.fraction() * count)
  }
  chance(of: number): boolean {
    return this.fraction() < of
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }
}

const sha512 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return Uint8Array.from(hash.digest())
}

/** Not Ed25519: a keyless imitation a hundred times as fast, which nobody in a simulation tries to break. */
export const quickEd25519: Ed25519 = {
  signer(seed) {
    const key = sha512(seed).slice(0, 32)
    key[0] = 2
    key[31]! &= 0x3f
    return { key, sign: (message) => imitation(key, message) }
  },
  verify: (key, message, signature) => equal(imitation(key, message), signature),
}

function imitation(key: Uint8Array, message: Uint8Array): Uint8Array {
  const signature = sha512(key, message)
  signature[0] = 2
  signature[31]! &= 0x3f
  signature[63]! &= 0x0f
  return signature
}

function signerOf(name: string): Signer {
  return quickEd25519.signer(sha512(new TextEncoder().encode(name)).slice(0, 32))
}

const ROOT = signerOf('root')
export const OWNER = signerOf('owner')
const HOME = idOf(ROOT.key)
const EPOCH = new Uint8Array(8)
const claims = (sequence: number) => ({ audience: HOME, sealedAt: 1, epoch: EPOCH, sequence })
const TRUST: Trust = (() => {
  const owner = sealEnvelope({ type: 'owner', ...claims(1), name: 'ada', key: OWNER.key }, ROOT)
  const trust = openTrust(ROOT.key, [owner], quickEd25519)
  assert(trust.ok)
  return trust.value
})()

export function memberFrame(key: Uint8Array, name: string, sequence: number, by = OWNER): Frame {
  return sealEnvelope({ type: 'member', ...claims(sequence), name, key }, by)
}

/** A revocation list: a version and keys. Lists only grow, as the owner's CLI makes them. */
export function revocationFrame(version: number, keys: readonly Uint8Array[]): Frame {
  return encodeCbor([version, [...keys]])
}

class SimRevocations implements Revocations {
  #version = 0
  #frame: Frame | undefined
  #keys = new Set<PartyId>()

  isRevoked(key: Uint8Array): boolean {
    return this.#keys.has(idOf(key))
  }
  frames(): readonly Frame[] {
    return this.#frame ? [this.#frame] : []
  }
  async take(frame: Frame): Promise<'new' | 'known' | 'refused'> {
    const item = decodeCbor(frame)
    assert(item.ok && Array.isArray(item.value))
    const [version, keys] = item.value as [number, Uint8Array[]]
    if (version <= this.#version) return 'known'
    this.#version = version
    this.#frame = frame
    this.#keys = new Set(keys.map(idOf))
    return 'new'
  }
}

class SimPapers implements MeshPaperBook {
  readonly #kept = new Map<string, MeshPaper>()
  papers(): readonly MeshPaper[] {
    return [...this.#kept.values()]
  }
  async keep(paper: MeshPaper): Promise<void> {
    this.#kept.set(`${paper.kind} ${paper.subject} ${paper.sealer}`, paper)
  }
}

interface Chain {
  readonly entries: Uint8Array[]
  readonly hashes: Uint8Array[]
  readonly signed: Map<number, Frame>
}

/** Small pieces, so that short histories have many. */
const PIECE_ENTRIES = 3

export class SimShelf implements LogShelf {
  readonly #own: PartyId
  readonly #chains = new Map<PartyId, Chain>()

  constructor(own: PartyId) {
    this.#own = own
    this.#chain(own)
  }

  write(note: string, at: number): void {
    const chain = this.#chain(this.#own)
    const body = encodeEntry(chain.entries.length + 1, { kind: 'renamed', at, note })
    chain.hashes.push(entryHash(this.head(this.#own).hash, body))
    chain.entries.push(body)
  }
  authors(): readonly PartyId[] {
    return [...this.#chains.keys()]
  }
  head(author: PartyId): LogHead {
    const hashes = this.#chains.get(author)?.hashes ?? []
    return { position: hashes.length, hash: hashes.at(-1) ?? genesisHash(author) }
  }
  own(from: number): ReturnType<LogShelf['own']> {
    const { entries, hashes } = this.#chain(this.#own)
    const some = entries.slice(from - 1, from - 1 + PIECE_ENTRIES)
    const position = from - 1 + some.length
    const before = hashes[from - 2] ?? genesisHash(this.#own)
    const last = { position, hash: hashes[position - 1]! }
    return some.length > 0 ? { from, before, entries: some, last } : undefined
  }
  others(author: PartyId, from: number): Run | undefined {
    const chain = this.#chains.get(author)
    const to = [...(chain?.signed.keys() ?? [])].filter((at) => at >= from).sort((a, b) => a - b)[0]
    return chain && to !== undefined
      ? {
          ...{ from, before: chain.hashes[from - 2] ?? genesisHash(author) },
          ...{ entries: chain.entries.slice(from - 1, to), beacon: chain.signed.get(to)! },
        }
      : undefined
  }
  read(): readonly [] {
    return []
  }
  async append(author: PartyId, run: Run, hashes: readonly Uint8Array[]): Promise<void> {
    const chain = this.#chain(author)
    assert.equal(run.from, chain.entries.length + 1, 'a run that does not follow was kept')
    chain.entries.push(...run.entries)
    chain.hashes.push(...hashes)
    chain.signed.set(chain.entries.length, run.beacon)
  }
  #chain(author: PartyId): Chain {
    const chain = this.#chains.get(author) ?? { entries: [], hashes: [], signed: new Map() }
    this.#chains.set(author, chain)
    return chain
  }
}

export interface Weather {
  readonly loss: number
  readonly doubling: number
  readonly delayMsMax: number
}

const OVERHEARD_MAX = 200
const HOUR_MS = 3_600_000

/** What the daemons live in: time, the network, and who can reach whom. */
export class World {
  readonly dice: Dice
  readonly daemons: SimDaemon[] = []
  readonly weather: Weather
  now = 10_000_000
  /** Messages that were sent, and connections that stood at most, for what they cost. */
  sent = 0
  /** The last that were said by anybody, for those who replay. */
  readonly overheard: Uint8Array[] = []
  readonly #events: { at: number; order: number; run: () => void | Promise<void> }[] = []
  readonly #links = new Set<string>()
  #order = 0

  constructor(seed: number, weather: Weather) {
    this.dice = new Dice(seed)
    this.weather = weather
  }

  get links(): number {
    return this.#links.size
  }

  add(name: string): SimDaemon {
    const daemon = new SimDaemon(this, name)
    this.daemons.push(daemon)
    return daemon
  }

  find(id: PartyId): SimDaemon {
    return this.daemons.find((each) => each.id === id)!
  }

  later(ms: number, run: () => void | Promise<void>): void {
    this.#events.push({ at: this.now + ms, order: this.#order++, run })
  }

  /** Lets time pass, event by event. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms
    for (;;) {
      this.#events.sort((a, b) => a.at - b.at || a.order - b.order)
      const next = this.#events[0]
      if (!next || next.at > end) break
      this.#events.shift()
      this.now = Math.max(this.now, next.at)
      await next.run()
    }
    this.now = end
  }

  linked(a: SimDaemon, b: SimDaemon): boolean {
    return this.#links.has(linkOf(a, b))
  }

  /** As the onions and the gater have it: only if each takes the other for a daemon of this home. */
  link(a: SimDaemon, b: SimDaemon): void {
    if (a === b || this.linked(a, b) || !a.papers.isMember(b.id) || !b.papers.isMember(a.id)) return
    this.#links.add(linkOf(a, b))
    a.talk.connected(b.id, this.now)
    b.talk.connected(a.id, this.now)
  }

  unlink(a: SimDaemon, b: SimDaemon): void {
    if (!this.#links.delete(linkOf(a, b))) return
    a.talk.gone(b.id, this.now)
    b.talk.gone(a.id, this.now)
  }

  carry(from: SimDaemon, to: SimDaemon, stream: 'talk' | 'log', bytes: Uint8Array): void {
    this.sent++
    if (this.overheard.push(bytes) > OVERHEARD_MAX) this.overheard.shift()
    const { loss, doubling, delayMsMax } = this.weather
    const copies = this.dice.chance(loss) ? 0 : this.dice.chance(doubling) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      this.later(1 + this.dice.below(delayMsMax), async () => {
        if (this.linked(from, to)) assert(await to.talk.heard(from.id, stream, bytes, this.now))
      })
    }
  }
}

function linkOf(a: SimDaemon, b: SimDaemon): string {
  return [a.id, b.id].sort().join(' ')
}

export class SimDaemon {
  readonly id: PartyId
  readonly name: string
  readonly signer: Signer
  readonly shelf: SimShelf
  readonly revocations = new SimRevocations()
  /** How far this daemon's clock is off. */
  readonly skewMs: number
  readonly #book = new SimPapers()
  readonly #world: World
  papers!: Papers
  talk!: Talk

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    this.signer = signerOf(name)
    this.id = idOf(this.signer.key)
    this.skewMs = world.dice.below(2 * HOUR_MS) - HOUR_MS
    this.shelf = new SimShelf(this.id)
    this.start()
  }

  /** Over what it kept, as after a restart. */
  start(): void {
    const world = this.#world
    const { revocations, shelf, signer } = this
    const others = { frames: () => [], take: async () => 'refused' as const }
    this.papers = new Papers({ trust: TRUST, ed25519: quickEd25519, book: this.#book, revocations, others })
    const client = new Uint8Array(32).fill(BEACON_CLIENT)
    const beacons = new BeaconSealer(
      { home: HOME, signer, client, now: () => world.now + this.skewMs, epoch: EPOCH },
      this.papers.sequenceOf(this.id),
    )
    this.talk = new Talk({
      own: this.id,
      ed25519: quickEd25519,
      papers: this.papers,
      shelf,
      beacons,
      revocations,
      others,
      wire: {
        send: (peer, stream, bytes) => world.carry(this, world.find(peer), stream, bytes),
        cut: (peer) => world.later(world.weather.delayMsMax, () => world.unlink(this, world.find(peer))),
      },
      changed: () => {},
      hear: async () => {},
      greeted: () => {},
    })
  }

  restart(): void {
    for (const other of this.#world.daemons) this.#world.unlink(this, other)
    this.start()
  }

  async told(members: readonly Frame[], revocations: readonly Frame[] = []): Promise<void> {
    await this.talk.tell({ members, revocations }, this.#world.now)
  }

  /** The log of each author as this daemon has it, to be compared. */
  state(): string {
    const heads = this.shelf
      .authors()
      .map((author) => [author, this.shelf.head(author)] as const)
      .filter(([, { position }]) => position > 0)
      .map(
        ([author, { position, hash }]) =>
          `${author.slice(0, 6)}:${position}:${Buffer.from(hash).toString('hex', 0, 4)}`,
      )
    const members = this.papers.members().map(({ id, name }) => `${id.slice(0, 6)}=${name}`)
    return [...members, ...heads.sort()].join(' ')
  }
}
