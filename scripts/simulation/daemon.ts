// SPDX-License-Identifier: GPL-3.0-or-later
import type { Frame, Signer } from '../../daemon/core/envelope/index.ts'
import { BeaconSealer, Keeping, Papers, Talk } from '../../daemon/core/mesh/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { BEACON_CLIENT } from '../../schemas/gen/ts/wire.ts'
import { SimPapers, SimRevocations, SimShelf } from './books.ts'
import { EPOCH, HOME, quickEd25519, signerOf, TRUST } from './seals.ts'
import type { World } from './world.ts'

const HOUR_MS = 3_600_000

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
    this.skewMs = world.dice.roll(2 * HOUR_MS) - HOUR_MS
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
      keeping: new Keeping(),
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
