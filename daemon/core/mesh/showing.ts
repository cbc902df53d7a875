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
  /** Watched only while there is somebody to tell. */
  #events: Channel<HomeEvent> | undefined
  /** As each was shown last; the book replaces what has changed. */
  #shown = new Map<PartyId, Device>()
  #lost = 0

  constructor(deps: ShowingDeps) {
    this.#deps = deps
  }

  showAll(peer: PartyId): void {
    if (!this.#events) {
      this.#events = this.#deps.feed.watch()
      this.#lost = 0
      this.#follow(this.#events)
    }
    for (const device of this.#deps.devices.list()) this.#deps.talk.say(peer, this.#thing(device))
  }

  /** Tells what has changed since it was told last; cheap when nothing has. */
  tick(): void {
    const { devices, talk } = this.#deps
    const shown = new Map(devices.list().map((device) => [device.id, device]))
    const before = this.#shown
    this.#shown = shown
    if (talk.peers().length === 0) {
      this.#rest()
      return
    }
    for (const [id, device] of shown) if (before.get(id) !== device) talk.sayToAll(this.#thing(device))
    for (const id of before.keys()) if (!shown.has(id)) talk.sayToAll({ word: 'gone', device: id })
    const lost = this.#events?.lost ?? 0
    if (lost > this.#lost) {
      this.#lost = lost
      for (const device of shown.values()) talk.sayToAll(this.#thing(device))
    }
  }

  [Symbol.dispose](): void {
    this.#rest()
  }

  #rest(): void {
    this.#events?.close()
    this.#events = undefined
  }

  async #follow(events: Channel<HomeEvent>): Promise<void> {
    const { devices, talk } = this.#deps
    for await (const event of events) {
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
