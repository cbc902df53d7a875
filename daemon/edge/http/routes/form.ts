// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The page without scripts (SPEC 9.6): a link whose token stands in the path shows what its grants give and takes forms.
 * The hub acts by those grants and by nothing else; whoever has the link can do as much.
 */
import { CODES, type Code } from '../../../../schemas/gen/ts/codes.ts'
import { no, type Verdict, yes } from '../../../base/error.ts'
import { type Affordance, affordanceOf, type Device, fromWire, toWire } from '../../../core/model/index.ts'
import type { Sight } from '../../../core/sight.ts'
import { empty, problem, type Reply } from '../answer.ts'
import { readQuery } from '../fields.ts'
import { type PlainRow, type PlainThing, tellPlain } from '../plain.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { findAffordance } from './things.ts'

const FORM = { type: 'application/x-www-form-urlencoded' } as const

export function formRoutes(deps: RouteDeps): Route[] {
  const shared = { who: 'all', ofThing: false, form: true } as const
  return [
    {
      ...shared,
      method: 'GET',
      path: '/form/:token',
      query: ['said'],
      run: (asking: Asking) => show(deps, asking),
    },
    {
      ...shared,
      method: 'POST',
      path: '/form/:token/things/:id/properties/:name',
      takes: FORM,
      run: (asking: Asking) => act(deps, asking, 'property'),
    },
    {
      ...shared,
      method: 'POST',
      path: '/form/:token/things/:id/actions/:name',
      takes: { ...FORM, optional: true },
      run: (asking: Asking) => act(deps, asking, 'action'),
    },
  ]
}

function show({ home }: RouteDeps, { sight, caller, params, query, languages }: Asking): Reply {
  const said = query.get('said')
  if (said !== undefined && !isCode(said)) return problem('bad-request', 'no such code')
  const seen = home.devices.list().filter((device) => sight.sees(device))
  const things = seen.map((device) => thingOf(device, home.devices.twin(device.id).reported, sight))
  return tellPlain({
    path: formPath(params.token!),
    name: caller.name,
    things: things.filter(({ rows }) => rows.length > 0),
    said,
    languages,
  })
}

function formPath(token: string): string {
  return `/form/${encodeURIComponent(token)}`
}

function isCode(text: string): text is Code {
  return Object.hasOwn(CODES, text)
}

type Reported = readonly { readonly affordance: number; readonly value: number | boolean }[]

function thingOf(device: Device, reported: Reported, sight: Sight): PlainThing {
  const rows = device.affordances.flatMap((number): PlainRow[] => {
    const affordance = affordanceOf(number)
    if (!affordance) return []
    const isAction = affordance.capability.kind === 'action'
    const mayUse = sight.holds(device, number, isAction ? 'invoke' : 'write')
    const mayRead = !isAction && sight.may(device, number, 'read').may
    if (!mayUse && !mayRead) return []
    const sample = mayRead ? reported.find((each) => each.affordance === number) : undefined
    const value = sample && fromWire(affordance.capability, sample.value)
    return [{ affordance, value, mayUse }]
  })
  return { id: device.id, name: device.name, connected: device.presence.connected, rows }
}

/** What came of it is told on the page that follows, so that loading it anew does nothing once more. */
async function act(deps: RouteDeps, asking: Asking, kind: 'property' | 'action'): Promise<Reply> {
  const code = await carryOut(deps, asking, kind)
  return empty(303, { location: `${formPath(asking.params.token!)}?said=${code}` })
}

async function carryOut({ home }: RouteDeps, asking: Asking, kind: 'property' | 'action'): Promise<Code> {
  const device = findThing(home, asking, asking.params.id!)
  if (!device.ok) return device.why
  const affordance = findAffordance(device.value, kind, asking.params.name!)
  if (!affordance.ok) return affordance.why
  const value = readValue(asking.body, affordance.value)
  if (!value.ok) return value.why
  const operation = kind === 'property' ? 'write' : 'invoke'
  const target = { device: device.value, affordance: affordance.value.number, operation } as const
  const acted = await home.desk.act(target, value.value, asking.caller)
  return acted.ok ? 'ok' : acted.why
}

function readValue(
  body: Uint8Array,
  { capability }: Affordance,
): Verdict<number | boolean | undefined, 'bad-request' | 'bad-value'> {
  const fields = readQuery(new TextDecoder().decode(body), ['value'])
  if (!fields.ok) return fields
  const text = fields.value.get('value') ?? ''
  if (capability.type === 'none') return text === '' ? yes(undefined) : no('bad-value')
  const said = text === 'true' || text === 'false' ? text === 'true' : readNumber(text)
  const value = toWire(capability, said)
  return value === undefined ? no('bad-value') : yes(value)
}

function readNumber(text: string): number | undefined {
  return /^-?\d{1,9}(?:\.\d{1,6})?$/.test(text) ? Number(text) : undefined
}
