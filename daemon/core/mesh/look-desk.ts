// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Authority } from '../authority.ts'
import type { Caller } from '../callers.ts'
import { type Device, type PartyId, parseId } from '../model/index.ts'
import type { DeviceBook } from '../ports.ts'
import type { Desk } from '../receive.ts'
import { Sight } from '../sight.ts'
import { findStill, judgeView, listStills, readLook, type ViewDeps } from '../stills/index.ts'
import type { ShowDeps, Shown } from './look-shows.ts'

export interface LookDeskDeps extends ViewDeps {
  readonly desk: Pick<Desk, 'identify'>
  readonly authority: Authority
  /** Of which this daemon has charge. */
  readonly devices: DeviceBook
  readonly own: PartyId
  readonly nameOf: (member: PartyId) => string
}

/** What a question of another home may wait here for a picture: its client waits for both. */
const WAIT_MS_MAX = 4000

/** Judges a question for pictures that another daemon passes on, like one of our own clients' (SPEC 19.6). */
export function showHere(deps: LookDeskDeps): ShowDeps['show'] {
  const { authority, devices, stills } = deps
  return async (asked, from): Promise<Verdict<Shown, Code>> => {
    const look = readLook(asked.path)
    if (!look.ok) return look
    const caller = callerOf(deps, asked, from)
    if (!caller.ok) return caller
    const device = devices.get(asked.device)
    if (!device) return no('still-elsewhere')
    if (!isNamed(device, look.value.named, deps.nameOf(deps.own)))
      return no('unauthorized', 'the sealed request is for another device')
    const sight = new Sight(authority, caller.value)
    if (!sight.sees(device)) return no('not-found')
    const question = 'list' in look.value ? look.value.list : look.value.picture
    const readable = judgeView(sight, device, question.property)
    if (!readable.ok) return readable
    if ('list' in look.value) {
      const waitMs = Math.min(look.value.list.waitMs, WAIT_MS_MAX)
      return yes({ list: await listStills(deps, device, readable.value, { ...look.value.list, waitMs }) })
    }
    const still = findStill(stills, device, readable.value, look.value.picture)
    return still.ok ? yes({ still: still.value }) : still
  }
}

/** Who sealed the request; without one the daemon itself, which its connection proved, by the grants that its key holds. */
function callerOf(
  { desk, nameOf }: LookDeskDeps,
  { request, path }: Parameters<ShowDeps['show']>[0],
  from: PartyId,
): Verdict<Caller, Code> {
  const origin = `mesh:${nameOf(from)}`
  if (request.length === 0) return yes({ id: from, name: nameOf(from), kind: 'token', origin })
  const digest = Uint8Array.from(createHash('sha256').digest())
  return desk.identify(request, { method: 'GET', path, digest, origin })
}

/** Whether this is what somebody in another home calls it: by its id, by its name, or by its name in this home. */
function isNamed(device: Device, named: string, home: string): boolean {
  return parseId(named) === device.id || named === device.name || named === `${home}/${device.name}`
}
