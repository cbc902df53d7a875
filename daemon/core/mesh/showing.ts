// SPDX-License-Identifier: GPL-3.0-or-later
import type { Channel } from '../../base/channel.ts'
import type { Feed, HomeEvent } from '../feed.ts'
import type { Device, PartyId } from '../model/index.ts'
import type { DeviceBook, ReadingBook } from '../ports.ts'
import type { Talk } from './talk.ts'
import type { ThingWord } from './words.ts'

export interface ShowingDeps {
  readonly devices: DeviceBook
  readonly readings: ReadingBook
  readonly feed: Feed
  readonly talk: Talk
}

const NOTHING = new Uint8Array()

/** Our own devices, shown to the other daemons: all of them to one that connects, then what changes. */
export class Showing implements Disposable {
  readonly #deps: ShowingDeps
  readonly #events: Channel<HomeEvent>
  /** As each was shown last; the book replaces what has changed. */
  #shown = new Map<PartyId, Device>()
  #lost = 0

  constructor(deps: ShowingDeps) {
    this.#deps = deps
    this.#events = deps.feed.watch()
    this.#follow()
  }

  showAll(peer: PartyId): void {
    for (const device of this.#deps.devices.list()) this.#deps.talk.say(peer, this.#thing(device))
  }

  /** Tells what has changed since it was told last; cheap when nothing has. */
  tick(): void {
    const { devices, talk } = this.#deps
    const shown = new Map(devices.list().map((device) => [device.id, device]))
    const before = this.#shown
    this.#shown = shown
    if (talk.peers().length === 0) return
    for (const [id, device] of shown) if (before.get(id) !== device) talk.sayToAll(this.#thing(device))
    for (const id of before.keys()) if (!shown.has(id)) talk.sayToAll({ word: 'gone', device: id })
    if (this.#events.lost > this.#lost) {
      this.#lost = this.#events.lost
      for (const device of shown.values()) talk.sayToAll(this.#thing(device))
    }
  }

  [Symbol.dispose](): void {
    this.#events.close()
  }

  async #follow(): Promise<void> {
    const { devices, talk } = this.#deps
    for await (const event of this.#events) {
      if (event.event === 'reading' && event.frame && devices.get(event.device)) {
        talk.sayToAll({ word: 'reading', device: event.device, frame: event.frame })
      } else if (event.event === 'presence') this.tick()
    }
  }

  #thing(device: Device): ThingWord {
    const { presence, affordances } = device
    return {
      word: 'thing',
      device: device.id,
      name: device.name,
      board: device.board,
      firmware: device.firmware,
      affordances,
      connected: presence.connected,
      since: presence.since,
      lost: device.lost,
      hello: presence.hello ?? NOTHING,
      record: device.record ?? NOTHING,
      readings: this.#deps.readings.reportedBy(device.id),
    }
  }
}
