// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { SimDaemon } from './daemon.ts'
import { Dice } from './dice.ts'

export interface Weather {
  readonly loss: number
  readonly doubling: number
  readonly delayMsMax: number
}

const OVERHEARD_MAX = 200

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
      this.later(1 + this.dice.roll(delayMsMax), async () => {
        if (this.linked(from, to)) assert(await to.talk.heard(from.id, stream, bytes, this.now))
      })
    }
  }
}

function linkOf(a: SimDaemon, b: SimDaemon): string {
  return [a.id, b.id].sort().join(' ')
}
