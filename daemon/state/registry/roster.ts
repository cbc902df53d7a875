// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import type { Sample } from '../../core/envelope/message.ts'
import type { Desired, Device, PartyId, Twin } from '../../core/model/index.ts'

/** What the registry knows without asking the disk: changed only by what has been committed, except for presence. */
export class Roster {
  readonly #devices = new Map<PartyId, Device>()
  readonly #ids = new Map<string, PartyId>()
  readonly #forgotten = new Set<PartyId>()
  readonly #reported = new Map<PartyId, Map<number, Sample>>()
  readonly #desired = new Map<PartyId, Map<number, Desired>>()

  get(id: PartyId): Device | undefined {
    return this.#devices.get(id)
  }

  named(name: string): Device | undefined {
    const id = this.#ids.get(name)
    return id && this.#devices.get(id)
  }

  list(): readonly Device[] {
    return [...this.#devices.values()]
  }

  isForgotten(id: PartyId): boolean {
    return this.#forgotten.has(id)
  }

  twin(id: PartyId): Twin {
    return {
      reported: inOrder(this.#reported.get(id)),
      desired: inOrder(this.#desired.get(id)),
    }
  }

  /** Takes the row as it is on disk; whether the device is here now is known here alone. */
  put(row: Device): Device {
    const known = this.#devices.get(row.id)
    if (known && known.name !== row.name) this.#ids.delete(known.name)
    const { connected, since } = known?.presence ?? row.presence
    const device = { ...row, presence: { ...row.presence, connected, since } }
    this.#devices.set(row.id, device)
    this.#ids.set(row.name, row.id)
    return device
  }

  here(id: PartyId, connected: boolean, since: Instant): void {
    const device = this.#devices.get(id)
    if (!device || (!connected && !device.presence.connected)) return
    this.#devices.set(id, { ...device, presence: { ...device.presence, connected, since } })
  }

  forget(id: PartyId): void {
    const device = this.#devices.get(id)
    if (device) this.#ids.delete(device.name)
    this.#devices.delete(id)
    this.#reported.delete(id)
    this.#desired.delete(id)
    this.#forgotten.add(id)
  }

  report(id: PartyId, samples: readonly Sample[]): void {
    if (!this.#forgotten.has(id)) for (const sample of samples) set(this.#reported, id, sample)
  }

  desire(id: PartyId, desired: Desired): void {
    if (!this.#forgotten.has(id)) set(this.#desired, id, desired)
  }
}

function set<T extends { readonly affordance: number }>(
  all: Map<PartyId, Map<number, T>>,
  id: PartyId,
  value: T,
): void {
  const own = all.get(id) ?? new Map<number, T>()
  all.set(id, own.set(value.affordance, value))
}

function inOrder<T extends { readonly affordance: number }>(own: Map<number, T> | undefined): readonly T[] {
  return own ? [...own.values()].sort((a, b) => a.affordance - b.affordance) : []
}
