// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../base/clock.ts'
import { isCode } from '../base/error.ts'
import type { Random } from '../base/random.ts'
import type { PartyId } from '../core/model/index.ts'
import type { Asker } from './ask.ts'
import { failureOf } from './error.ts'
import {
  admitGuest,
  declineGuest,
  type GuestDeps,
  guestAsking,
  type NewPhone,
  type OpenGuest,
  openGuest,
} from './guest.ts'
import type { Person } from './person.ts'
import type { Guest, Happening } from './state.ts'

export interface GuestsDeps {
  readonly clock: Clock
  readonly random: Random
  readonly origin: string
  readonly person: Person
  readonly asker: Asker
  readonly tell: (happening: Happening) => void
}

const LOOK_MS = 2000

/** One phone at a time on its way in. */
export class Guests {
  readonly #deps: GuestsDeps
  readonly #signal: AbortSignal
  #open: OpenGuest | undefined
  #asking: PartyId | undefined

  constructor(deps: GuestsDeps, signal: AbortSignal) {
    this.#deps = deps
    this.#signal = signal
  }

  /** Shows the code, and looks until a phone asks with it or the code is over. */
  async invite(phone: NewPhone): Promise<void> {
    this.#asking = undefined
    this.#tell({ kind: 'preparing' })
    try {
      const open = await openGuest(this.#deps, phone, this.#signal)
      this.#open = open
      this.#tell({ kind: 'invited', link: open.link })
      await this.#look(open)
    } catch (error) {
      if (!this.#signal.aborted) this.#tell({ kind: 'failed', code: failureOf(error).code })
    }
  }

  async #look(open: OpenGuest): Promise<void> {
    while (this.#open === open && this.#asking === undefined) {
      const asking = await this.#ask(open)
      if (this.#open !== open) return
      this.#asking = asking?.key
      if (asking) return this.#tell({ kind: 'invited', link: open.link, match: asking.match })
      await this.#deps.clock.sleep(LOOK_MS, this.#signal)
    }
  }

  /** A home that does not answer for a while has not said no. */
  async #ask(open: OpenGuest) {
    try {
      return await guestAsking(this.#deps, open, this.#signal)
    } catch (error) {
      if (!isCode(error, 'unreachable')) throw error
      return undefined
    }
  }

  async admit(): Promise<void> {
    const [open, asking] = [this.#open, this.#asking]
    if (!open || !asking) return
    await this.#end(async (deps) => {
      await admitGuest(deps, open, asking, this.#signal)
      this.#tell({ kind: 'in', name: open.name })
    })
  }

  async decline(): Promise<void> {
    const open = this.#open
    if (!open) return this.#tell({ kind: 'none' })
    await this.#end(async (deps) => {
      await declineGuest(deps, open, this.#signal)
      this.#tell({ kind: 'none' })
    })
  }

  async #end(act: (deps: GuestDeps) => Promise<void>): Promise<void> {
    this.#open = undefined
    this.#asking = undefined
    try {
      await act(this.#deps)
    } catch (error) {
      this.#tell({ kind: 'failed', code: failureOf(error).code })
    }
  }

  #tell(guest: Guest): void {
    this.#deps.tell({ it: 'guest', guest })
  }
}
