// SPDX-License-Identifier: GPL-3.0-or-later
import type { PartyId } from '../../core/model/index.ts'
import type { Session } from './session.ts'

/** The one session of each device that has said hello. */
export class Roster {
  readonly #sessions = new Map<PartyId, Session>()

  get size(): number {
    return this.#sessions.size
  }

  get(device: PartyId): Session | undefined {
    return this.#sessions.get(device)
  }

  sessions(): Iterable<Session> {
    return this.#sessions.values()
  }

  /** Makes `session` the device's; the one before it ends. */
  enter(device: PartyId, session: Session): void {
    const before = this.#sessions.get(device)
    if (before === session) return
    before?.end('superseded')
    this.#sessions.set(device, session)
  }

  leave(device: PartyId, session: Session): void {
    if (this.#sessions.get(device) === session) this.#sessions.delete(device)
  }
}
