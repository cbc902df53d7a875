// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Frame, Hello, Message } from '../../core/envelope/message.ts'
import type { Desired, Device, PartyId, Twin } from '../../core/model/index.ts'
import type { DeviceBook, NewDevice } from '../../core/ports.ts'
import type { DeviceTable, Store } from '../store/index.ts'
import type { Roster } from './roster.ts'

/** Decides inside the transaction, by what is on disk; tells the roster when it is kept. */
export class Registry implements DeviceBook {
  readonly #store: Store
  readonly #table: DeviceTable
  readonly #roster: Roster

  constructor(store: Store, table: DeviceTable, roster: Roster) {
    this.#store = store
    this.#table = table
    this.#roster = roster
  }

  get(id: PartyId): Device | undefined {
    return this.#roster.get(id)
  }

  named(name: string): Device | undefined {
    return this.#roster.named(name)
  }

  /** In the order of their enrolment. */
  list(): readonly Device[] {
    return this.#roster.list()
  }

  twin(id: PartyId): Twin {
    return this.#roster.twin(id)
  }

  isForgotten(id: PartyId): boolean {
    return this.#roster.isForgotten(id)
  }

  enrol(device: NewDevice, at: Instant): Promise<Verdict<Device, 'name-taken' | 'forgotten'>> {
    const { id, name } = device
    return this.#change(id, () => {
      if (this.#table.isForgotten(id))
        return no('forgotten', 'this device was removed from the home for ever')
      if (this.#table.get(id)) return yes(undefined)
      if (this.#table.idNamed(name)) return taken(name)
      this.#table.insert(device, at)
      return yes(undefined)
    })
  }

  confirm(id: PartyId, name: string, record: Frame): Promise<Verdict<Device, 'not-found' | 'name-taken'>> {
    return this.#naming(id, name, () => this.#table.confirm(id, name, record))
  }

  rename(id: PartyId, name: string): Promise<Verdict<Device, 'not-found' | 'name-taken'>> {
    return this.#naming(id, name, () => this.#table.rename(id, name))
  }

  forget(id: PartyId, at: Instant): Promise<Verdict<Device, 'not-found'>> {
    return this.#store.write(
      () => {
        const device = this.#table.get(id)
        if (!device) return no('not-found')
        this.#table.forget(id, at)
        return yes(device)
      },
      (verdict) => verdict.ok && this.#roster.forget(id),
    )
  }

  async sessionOpened(id: PartyId, hello: Message<Hello>, at: Instant): Promise<void> {
    // At once, not after the disk: a session that closes meanwhile must find itself open.
    this.#roster.here(id, true, at)
    await this.#store.write(
      () => {
        this.#table.hello(id, hello.body, hello.frame, at)
        return this.#table.get(id)
      },
      (row) => row && this.#roster.put(row),
    )
  }

  sessionClosed(id: PartyId, at: Instant): void {
    this.#roster.here(id, false, at)
  }

  async desire(
    id: PartyId,
    affordance: number,
    value: Desired['value'],
    command: Uint8Array,
    at: Instant,
  ): Promise<void> {
    const desired = { affordance, value, command, at }
    await this.#store.write(
      () => this.#table.desire(id, desired),
      (kept) => kept && this.#roster.desire(id, desired),
    )
  }

  #naming(id: PartyId, name: string, act: () => void): Promise<Verdict<Device, 'not-found' | 'name-taken'>> {
    return this.#change(id, () => {
      if (!this.#table.get(id)) return no('not-found')
      const holder = this.#table.idNamed(name)
      if (holder !== undefined && holder !== id) return taken(name)
      act()
      return yes(undefined)
    })
  }

  /** Runs `decide` in a transaction; a yes becomes the device as it then is, on disk and in the roster. */
  async #change<Why extends string>(
    id: PartyId,
    decide: () => Verdict<undefined, Why>,
  ): Promise<Verdict<Device, Why>> {
    let device: Device | undefined
    const verdict = await this.#store.write(
      () => {
        const decision = decide()
        return decision.ok ? yes(this.#table.get(id)!) : decision
      },
      (kept) => {
        if (kept.ok) device = this.#roster.put(kept.value)
      },
    )
    return verdict.ok ? yes(device!) : verdict
  }
}

function taken(name: string) {
  return no('name-taken', `another device is called ${name}`)
}
