// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../../schemas/gen/ts/codes.ts'
import { toBase64url, toHex } from '../../../base/bytes.ts'
import type { Verdict } from '../../../base/error.ts'
import type { Looking } from '../../../core/mesh/index.ts'
import { affordanceOf, type Device } from '../../../core/model/index.ts'
import {
  type Coming,
  findStill,
  judgeView,
  type KeptStill,
  LIST_PARAMETERS,
  listStills,
  PICTURE_PARAMETERS,
  readPictureQuestion,
  readStillsQuestion,
  type StillList,
  type StillsQuestion,
} from '../../../core/stills/index.ts'
import { json, type Outlet, problem, type Reply, refused } from '../answer.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'

/** So much of a picture is read at a time: what waits for a slow client is this, and what its socket holds. */
const PIECE_BYTES = 8192
const NOTHING = new Uint8Array()

/** Pictures of devices (SPEC 19.5), also of other homes' (19.6). */
export function stillRoutes(deps: RouteDeps): Route[] {
  const get = (path: string, query: readonly string[], run: (asking: Asking) => Promise<Reply>): Route => ({
    ...{ method: 'GET', path, who: 'all', ofThing: true, query, run },
  })
  return [
    get('/things/:id/stills', LIST_PARAMETERS, (asking) => list(deps, asking)),
    get('/things/:id/stills/:digest', PICTURE_PARAMETERS, (asking) => show(deps, asking)),
  ]
}

/** The device, if it has a property `still` that the caller may read now; and which of those, or of the one that is asked for. */
function findCamera(
  { home }: RouteDeps,
  asking: Asking,
): Verdict<{ readonly device: Device; readonly readable: ReadonlySet<number> }, Code> {
  const found = findThing(home, asking, asking.params.id!)
  if (!found.ok) return found
  const readable = judgeView(asking.sight, found.value, asking.query.get('property'))
  return readable.ok ? { ok: true, value: { device: found.value, readable: readable.value } } : readable
}

async function list(deps: RouteDeps, asking: Asking): Promise<Reply> {
  const { home } = deps
  const camera = findCamera(deps, asking)
  if (!camera.ok) return refused(camera)
  const question = readStillsQuestion(asking.query)
  if (!question.ok) return refused(question)
  const { device, readable } = camera.value
  const { clock } = deps
  const { feed, stills } = home
  const look = (which: StillsQuestion) => listStills({ clock, feed, stills }, device, readable, which)
  if (device.home === undefined) return tellList(await look(question.value))
  if (asking.isHead) return noHead(device)
  const there = await home.mesh.pictures.looks.list(device.id, lookingFor(asking, readable))
  // What it took while it was in this home stays here, and is older.
  const { before } = question.value
  const isPast = before && stills.get(device.id, before)
  const here = await look({ ...question.value, before: isPast && before, waitMs: 0 })
  if (!there.ok) return here.stills.length === 0 ? refused(there) : tellList(here)
  const known = new Set(there.value.stills.map(({ digest }) => toHex(digest)))
  const all = [...there.value.stills, ...here.stills.filter(({ digest }) => !known.has(toHex(digest)))]
  return tellList({ stills: all.slice(0, question.value.limit), coming: there.value.coming })
}

async function show(deps: RouteDeps, asking: Asking): Promise<Reply> {
  const { home } = deps
  const camera = findCamera(deps, asking)
  if (!camera.ok) return refused(camera)
  const question = readPictureQuestion(asking.params.digest!, asking.query)
  if (!question.ok) return refused(question)
  const { device, readable } = camera.value
  const here = findStill(home.stills, device, readable, question.value)
  const isThere = device.home !== undefined && (!here.ok || question.value.digest === 'latest')
  if (isThere && asking.isHead) return noHead(device)
  const there = isThere
    ? await home.mesh.pictures.looks.picture(device.id, lookingFor(asking, readable), question.value)
    : undefined
  if (there?.ok) {
    const { still, bytes } = there.value
    return tellPicture(still, (at, size) => bytes.subarray(at, at + size))
  }
  if (!here.ok) return refused(there ?? here)
  const still = here.value
  return tellPicture(still, (at, size) => home.stills.read(still.device, still.digest, at, size))
}

/** What goes to the other home: the request as it was sealed; by a token this hub asks, whose key holds its grants. */
function lookingFor({ caller, sealed, target }: Asking, readable: ReadonlySet<number>): Looking {
  return { caller: caller.id, path: target, request: sealed ?? NOTHING, readable }
}

/** The request goes to the other home as it was sealed, and is taken there for GET alone. */
function noHead({ name, home }: Device): Reply {
  const says = `pictures of ${name} are told by ${home}, whole`
  return problem('bad-request', says, { status: 405, headers: { allow: 'GET' } })
}

/** One that goes while it is told breaks off: the length in the head says that something is missing. */
function tellPicture(
  { size, frame }: KeptStill,
  read: (at: number, size: number) => Uint8Array | undefined,
): Reply {
  return {
    kind: 'stream',
    type: 'image/jpeg',
    endless: false,
    headers: { 'content-length': String(size), 'shallot-still': toBase64url(frame) },
    async run(outlet: Outlet) {
      for (let at = 0; at < size; ) {
        const piece = read(at, PIECE_BYTES)
        if (!piece || piece.length === 0) throw new Error('a picture went while it was told')
        await outlet.write(piece)
        at += piece.length
      }
    },
  }
}

function tellList({ stills, coming }: StillList): Reply {
  return json({ stills: stills.map(tellStill), ...(coming && { coming: tellComing(coming) }) })
}

function tellStill({ affordance, command, digest, size, at, receivedAt, frame }: KeptStill): object {
  return {
    digest: toBase64url(digest),
    property: affordanceOf(affordance)!.name,
    size,
    at,
    receivedAt,
    command: toBase64url(command),
    frame: toBase64url(frame),
  }
}

function tellComing({ command, digest, size, got, code }: Coming): object {
  return { command: toBase64url(command), digest: toBase64url(digest), size, got, ...(code && { code }) }
}
