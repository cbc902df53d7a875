// SPDX-License-Identifier: GPL-3.0-or-later
/** Memory twins of the remembering ports, for tests of rooms that only need them to behave. */
import { createHash } from 'node:crypto'
import { equal, toHex } from '../../daemon/base/bytes.ts'
import { no, yes } from '../../daemon/base/error.ts'
import type { Sample } from '../../daemon/core/envelope/index.ts'
import type { Desired, Device, PartyId } from '../../daemon/core/model/index.ts'
import type {
  DeviceBook,
  Entry,
  Journal,
  NewEntry,
  OpenPermit,
  PermitBook,
  ReadingBook,
  ServiceBook,
  ServiceRecord,
} from '../../daemon/core/ports.ts'

interface Row {
  device: Device
  readonly reported: Map<number, Sample>
  readonly desired: Map<number, Desired>
}

export function memoryDevices(): DeviceBook {
  const rows = new Map<PartyId, Row>()
  const forgotten = new Set<PartyId>()
  const named = (name: string) => [...rows.values()].find(({ device }) => device.name === name)?.device
  const change = (id: PartyId, to: Partial<Device>): Device => {
    const row = rows.get(id)!
    row.device = { ...row.device, ...to }
    return row.device
  }
  const takeName = (id: PartyId, name: string, more: Partial<Device> = {}) => {
    if (!rows.has(id)) return no('not-found')
    const holder = named(name)
    return holder && holder.id !== id ? no('name-taken') : yes(change(id, { name, ...more }))
  }
  return {
    get: (id) => rows.get(id)?.device,
    named,
    list: () => [...rows.values()].map(({ device }) => device),
    twin(id) {
      const row = rows.get(id)
      return { reported: [...(row?.reported.values() ?? [])], desired: [...(row?.desired.values() ?? [])] }
    },
    isForgotten: (id) => forgotten.has(id),
    async enrol({ id, name, board, firmware, affordances, record }, at) {
      if (forgotten.has(id)) return no('forgotten')
      const known = rows.get(id)
      if (known) return yes(known.device)
      if (named(name)) return no('name-taken')
      const presence = { connected: false, since: at }
      const device: Device = {
        id,
        name,
        board,
        firmware,
        affordances,
        enrolledAt: at,
        record,
        presence,
        lost: 0,
      }
      rows.set(id, { device, reported: new Map(), desired: new Map() })
      return yes(device)
    },
    confirm: async (id, name, record) => takeName(id, name, { record }),
    rename: async (id, name) => takeName(id, name),
    async forget(id) {
      const device = rows.get(id)?.device
      if (!device) return no('not-found')
      rows.delete(id)
      forgotten.add(id)
      return yes(device)
    },
    async sessionOpened(id, { body, frame }, at) {
      change(id, { presence: { connected: true, since: at, nonce: body.epoch, hello: frame } })
    },
    sessionClosed(id, at) {
      const row = rows.get(id)
      if (row) change(id, { presence: { ...row.device.presence, connected: false, since: at } })
    },
    async desire(id, affordance, value, command, at) {
      rows.get(id)?.desired.set(affordance, { affordance, value, command, at })
    },
  }
}

export function memoryReadings(_devices: DeviceBook): ReadingBook {
  const seen = new Set<string>()
  const samples = new Map<string, Sample[]>()
  return {
    async append(device, { body }) {
      const key = `${device} ${toHex(body.epoch)} ${body.sequence}`
      if (seen.has(key)) return 'known'
      seen.add(key)
      for (const sample of body.values) {
        const place = `${device} ${sample.affordance}`
        samples.set(place, [...(samples.get(place) ?? []), sample])
      }
      return 'new'
    },
    history: (device, affordance, since, limit) =>
      (samples.get(`${device} ${affordance}`) ?? []).filter(({ at }) => at >= since).slice(-limit),
  }
}

export function memoryJournal(): Journal & { readonly entries: readonly Entry[] } {
  const entries: Entry[] = []
  return {
    entries,
    async append(entry: NewEntry) {
      const hash = Uint8Array.from(
        createHash('sha256')
          .update(entries.at(-1)?.hash ?? '')
          .update(entry.frame ?? entry.kind)
          .digest(),
      )
      const kept: Entry = { ...entry, index: entries.length + 1, hash }
      entries.push(kept)
      return kept
    },
    read: ({ before = Number.MAX_SAFE_INTEGER, limit, device }) =>
      entries.filter((entry) => entry.index < before && (!device || entry.device === device)).slice(-limit),
    verify: async () => ({ entries: entries.length, head: entries.at(-1)?.hash ?? new Uint8Array(32) }),
  }
}

export function memoryPermits(): PermitBook {
  const permits: OpenPermit[] = []
  const get = (permit: Uint8Array) => permits.find((each) => equal(each.permit, permit))
  return {
    get,
    async open({ permit, name, expiresAt, proofKey }) {
      permits.push({ permit, name, expiresAt, proofKey })
    },
    async use(permit, usedBy, enrol, enrolled) {
      Object.assign(get(permit)!, { usedBy, enrol, enrolled })
    },
  }
}

export function memoryServices(): ServiceBook {
  const records = new Map<string, ServiceRecord>()
  return {
    list: () => [...records.values()],
    get: (service) => records.get(service),
    async put(record) {
      records.set(record.service, record)
    },
    remove: async (service) => records.delete(service),
    nextEpoch: () => 0,
  }
}
