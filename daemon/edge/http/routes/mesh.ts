// SPDX-License-Identifier: GPL-3.0-or-later

import { ENVELOPE_BYTES_MAX, MESH_CODE_CHARS_MAX } from '../../../../schemas/gen/ts/wire.ts'
import { no } from '../../../base/error.ts'
import type { Adoptable, MeshHome, OpenInvitation } from '../../../core/mesh/index.ts'
import { idOf, parseId } from '../../../core/model/index.ts'
import { json, type Reply, refused } from '../answer.ts'
import { readBytes, readInteger, readObject } from '../fields.ts'
import type { Asking, Route, RouteDeps } from '../route.ts'
import { tellBytes } from '../telling.ts'
import { tellEntry } from '../telling-people.ts'

const PINGS_MAX = 50
const LOG_MAX = 1000
const LOG_FALLBACK = 100

/** The other homes of the owner: who they are, how they are reached, inviting and removing them (SPEC 14). */
export function meshRoutes(deps: RouteDeps): Route[] {
  const { mesh } = deps.home
  const ofHome = { ofThing: false, who: 'owner' } as const
  return [
    { ...ofHome, method: 'GET', path: '/mesh', run: () => report(deps) },
    { ...ofHome, method: 'POST', path: '/mesh/invitations', run: (asking: Asking) => invite(deps, asking) },
    {
      ...ofHome,
      method: 'GET',
      path: '/mesh/invitations/:ticket',
      run({ params }: Asking) {
        const invitation = mesh.invitations.get(params.ticket!)
        return invitation ? json(tellInvitation(invitation)) : refused(no('not-found', 'no such invitation'))
      },
    },
    {
      ...ofHome,
      method: 'POST',
      path: '/mesh/join',
      takes: { type: 'application/json' },
      run: (asking: Asking) => join(deps, asking),
    },
    {
      ...ofHome,
      method: 'GET',
      path: '/mesh/members/:id/log',
      query: ['before', 'limit'],
      run: (asking: Asking) => readLog(deps, asking),
    },
    {
      ...ofHome,
      method: 'POST',
      path: '/mesh/members/:id/ping',
      query: ['times'],
      run: (asking: Asking) => ping(deps, asking),
    },
    { ...ofHome, method: 'GET', path: '/mesh/devices', run: () => listDevices(deps) },
    {
      ...ofHome,
      method: 'PUT',
      path: '/mesh/devices/:id',
      takes: { type: 'application/cose' },
      run: (asking: Asking) => adopt(deps, asking),
    },
    {
      ...ofHome,
      method: 'GET',
      path: '/mesh/join',
      run: () => (mesh.joining ? json(mesh.joining) : refused(no('not-found', 'no invitation was taken up'))),
    },
  ]
}

function report({ home: { mesh } }: RouteDeps): Reply {
  return json({ own: mesh.own, members: mesh.report(), logs: mesh.authors() })
}

function readLog({ home }: RouteDeps, { params, query }: Asking): Reply {
  const limit = readInteger(query, 'limit', { least: 1, most: LOG_MAX, fallback: LOG_FALLBACK })
  if (!limit.ok) return refused(limit)
  const most = Number.MAX_SAFE_INTEGER
  const before = readInteger(query, 'before', { least: 1, most, fallback: most })
  if (!before.ok) return refused(before)
  const id = parseId(params.id!)
  if (!id || !home.mesh.authors().some((author) => author.id === id))
    return refused(no('not-found', 'no log of it is here'))
  return json({
    entries: home.mesh.log(id, before.value, limit.value).map((entry) => tellEntry(home, entry, true)),
  })
}

async function ping({ home: { mesh } }: RouteDeps, { params, query }: Asking): Promise<Reply> {
  const times = readInteger(query, 'times', { least: 1, most: PINGS_MAX, fallback: 1 })
  if (!times.ok) return refused(times)
  const id = parseId(params.id!)
  if (!id || !mesh.papers.isMember(id)) return refused(no('not-found', 'no such daemon'))
  const pinged = await mesh.ping(id, times.value)
  return pinged.ok ? json({ ms: pinged.value }) : refused(pinged)
}

async function invite({ home: { mesh } }: RouteDeps, { caller }: Asking): Promise<Reply> {
  const invited = await mesh.invite({ signer: caller.id, origin: caller.origin })
  if (!invited.ok) return refused(invited)
  return json({ ...tellInvitation(invited.value), code: invited.value.code.reveal() })
}

function join({ home: { mesh } }: RouteDeps, { body, caller }: Asking): Reply {
  const fields = readObject(body, ['code', 'member'])
  if (!fields.ok) return refused(fields)
  const { code } = fields.value
  const member = readBytes(fields.value.member, 1, ENVELOPE_BYTES_MAX)
  if (typeof code !== 'string' || code.length > MESH_CODE_CHARS_MAX || !member) {
    return refused(no('bad-request', 'the body is {"code": …, "member": …}'))
  }
  const joined = mesh.join(code, member, { signer: caller.id, origin: caller.origin })
  return joined.ok ? json(joined.value) : refused(joined)
}

function listDevices({ home: { adoption, mesh } }: RouteDeps): Reply {
  return json({ own: mesh.own, devices: adoption.list().map((device) => tellDevice(mesh, device)) })
}

/** The id in the path is what the record must be of. */
async function adopt({ home }: RouteDeps, { params, body, caller }: Asking): Promise<Reply> {
  const enrolment = home.authority.groups.enrolment(body)
  if (enrolment && idOf(enrolment.body.key) !== params.id)
    return refused(no('bad-request', 'the record is of another device'))
  const taken = await home.adoption.take(body, caller)
  return taken.ok ? json(tellDevice(home.mesh, taken.value)) : refused(taken)
}

/** `home` is what the daemon that has it is called. */
function tellDevice(mesh: MeshHome, { id, name, hub, record }: Adoptable): object {
  return { id, name, hub, home: hub && mesh.papers.nameOf(hub), record: tellBytes(record) }
}

function tellInvitation({ ticket, expiresAt, guest }: OpenInvitation): object {
  return { ticket, expiresAt, ...(guest && { guest }) }
}
