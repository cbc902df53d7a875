// SPDX-License-Identifier: GPL-3.0-or-later
import { parseId } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { type Fields, fieldsOf, listOf, optionalNumberIn, optionalTextIn, textIn } from '../fields.ts'
import { findableOrigin, isWildcard } from '../place.ts'
import { thingLine } from '../things.ts'
import { sayTime } from '../time.ts'
import { verb } from '../verb.ts'
import { table } from '../voice.ts'

export const status = verb({
  command: 'status',
  says: 'How the home is: devices, Tor, and whether each onion address is reachable, with the cause if not',
  examples: [
    ['status', ''],
    ['status --home invitation.txt', 'from elsewhere'],
  ],
  async run(tools) {
    const api = await tools.api()
    const report = fieldsOf(await api.get('/status'), 'a status')
    const way = await api.way()
    const names = await deviceNames(api, report.services)
    tools.voice.tell(
      { ok: true, way: way.kind, ...(way.by !== undefined && { by: way.by }), ...report },
      () => sayStatus(report, way.words, names),
    )
  },
})

function sayStatus(report: Fields, way: string, names: DeviceNames): string {
  const rows = [
    ['reached', way],
    ['version', optionalTextIn(report, 'version') ?? '?'],
    ['devices', sayCounts(report.devices)],
    ['link', sayPlace(report.link)],
    ['LAN', sayLan(optionalTextIn(report, 'lan'))],
    ['tor', sayTor(report.tor)],
  ]
  return [table(rows), '', ...sayServices(report.services, names)].join('\n').trimEnd()
}

function sayCounts(value: unknown): string {
  const { connected, known } = fieldsOf(value ?? {}, 'counts')
  return `${connected ?? '?'} connected of ${known ?? '?'}`
}

const EVERYWHERE = 'every address of its machine'

function sayPlace(value: unknown): string {
  const { host, port } = fieldsOf(value ?? {}, 'a place')
  if (typeof host === 'string' && isWildcard(host)) return `${EVERYWHERE}, port ${port ?? '?'}`
  return `${host ?? '?'}:${port ?? '?'}`
}

function sayLan(origin: string | undefined): string {
  if (origin === undefined) return 'off'
  return findableOrigin(origin) ?? `${EVERYWHERE}, port ${URL.parse(origin)?.port ?? '?'}`
}

function sayTor(value: unknown): string {
  const { percent, summary, ready } = fieldsOf(value ?? {}, 'the state of tor')
  return ready === true ? 'ready' : `${percent ?? 0} % ${typeof summary === 'string' ? summary : ''}`.trim()
}

function sayServices(value: unknown, names: DeviceNames): string[] {
  if (value === undefined) return []
  const services = listOf(value, 'a list of services').flatMap((each) => serviceLines(each, names))
  if (services.length === 0) return ['No onion address. Invite somebody with: shallot onion invite <name>']
  return [table([SERVICE_HEADS, ...services])]
}

export const SERVICE_HEADS = ['onion service', 'since', 'is', 'address'] as const

const STATES: Readonly<Record<string, string>> = {
  queued: 'waiting for its turn',
  publishing: 'being published',
  published: 'published, not yet tried from outside',
  reachable: 'reachable',
  unreachable: 'NOT reachable',
  off: 'off: the daemon runs without Tor',
}

/** A device's own onion service is called by its id; people know it by its name. */
export type DeviceNames = ReadonlyMap<string, string>

/** Asked for only where a service is a device's: over Tor each question takes its time. */
export async function deviceNames(api: Api, services: unknown): Promise<DeviceNames> {
  const isAnyOfDevice = services !== undefined && listOf(services, 'a list of services').some(isOfDevice)
  if (!isAnyOfDevice) return new Map()
  const things = listOf(await api.get('/things'), 'a list of devices').map(thingLine)
  return new Map(things.map(({ id, name }) => [id, name]))
}

function isOfDevice(value: unknown): boolean {
  return parseId(textIn(fieldsOf(value, 'an onion service'), 'name')) !== undefined
}

/** Name, since when, state with its cause, address; behind it the addresses that other homes offer to the same. */
export function serviceLines(value: unknown, names: DeviceNames): string[][] {
  const service = fieldsOf(value, 'an onion service')
  const others = listOf(service.others ?? [], 'addresses at other homes').map((each) => {
    const other = fieldsOf(each, 'an address at another home')
    return [
      `${textIn(service, 'name')}, at ${textIn(other, 'home')}`,
      '',
      'offered there',
      textIn(other, 'address'),
    ]
  })
  return [serviceLine(service, names), ...others]
}

function serviceLine(service: Fields, names: DeviceNames): string[] {
  const state = fieldsOf(service.status ?? {}, 'a state')
  const [name, cause] = [optionalTextIn(state, 'state') ?? '?', optionalTextIn(state, 'cause')]
  const is = Object.hasOwn(STATES, name) ? STATES[name]! : name
  const called = textIn(service, 'name')
  const isGuests = optionalTextIn(service, 'service')?.startsWith('guest:') === true
  return [
    isGuests ? sayGuest(service) : (names.get(called) ?? called),
    sayTime(optionalNumberIn(state, 'since')) ?? '?',
    cause ? `${is}: ${cause}` : is,
    optionalTextIn(service, 'address') ?? '',
  ]
}

/** Whose guest comes by an address that is offered here for another home. */
function sayGuest(service: Fields): string {
  const [who, home] = [optionalTextIn(service, 'who'), optionalTextIn(service, 'home')]
  return `${who ?? 'somebody'}, a guest of ${home ?? 'another home'}`
}
