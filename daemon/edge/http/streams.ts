// SPDX-License-Identifier: GPL-3.0-or-later
import type { Caller } from '../../core/receive.ts'
import type { HttpHome } from './home.ts'

interface Open {
  readonly caller: Caller
  readonly end: () => void
}

/** Answers that go on: each ends in the moment in which its caller may ask no more. */
export class OpenStreams {
  readonly #open = new Set<Open>()
  readonly #home: Pick<HttpHome, 'desk' | 'feed'>

  constructor(home: Pick<HttpHome, 'desk' | 'feed'>) {
    this.#home = home
    home.feed.tap((event) => {
      if (event.event !== 'rights') return
      for (const { caller, end } of this.#open) if (!home.desk.counts(caller)) end()
    })
  }

  enter(caller: Caller, end: () => void): Disposable {
    const open = { caller, end }
    this.#open.add(open)
    // Somebody may have been taken back since the request was proved.
    if (!this.#home.desk.counts(caller)) end()
    return { [Symbol.dispose]: () => void this.#open.delete(open) }
  }
}
