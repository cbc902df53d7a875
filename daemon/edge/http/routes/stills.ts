// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../../schemas/gen/ts/codes.ts'
import { DIGEST_BYTES } from '../../../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../../../base/bytes.ts'
import type { Channel } from '../../../base/channel.ts'
import { deadline } from '../../../base/clock.ts'
import { ignore, no, type Verdict, yes } from '../../../base/error.ts'
import { abortable } from '../../../base/lifetime.ts'
import type { HomeEvent } from '../../../core/feed.ts'
import { affordanceOf, type Device } from '../../../core/model/index.ts'
import type { Coming, KeptStill } from '../../../core/stills/index.ts'
import { json, type Outlet, type Reply, refused } from '../answer.ts'
import { readBytes, readInteger } from '../fields.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'

const LIST_MAX = 100
const LIST_FALLBACK = 20
/** How long an answer may wait for a picture, in seconds. */
const WAIT_S_MAX = 25
/** So much of a picture is read at a time: what waits for a slow client is this, and what its socket holds. */
const PIECE_BYTES = 8192
/** In place of a digest: the newest that the caller may see. */
const LATEST = 'latest'

/** Pictures of devices (SPEC 19.5). */
export function stillRoutes(deps: RouteDeps): Route[] {
  const get = (
    path: string,
    query: readonly string[],
    run: (asking: Asking) => Reply | Promise<Reply>,
  ): Route => ({
    ...{ method: 'GET', path, who: 'all', ofThing: true, query, run },
  })
  return [
    get('/things/:id/stills', ['command', 'property', 'limit', 'wait'], (asking) => list(deps, asking)),
    get('/things/:id/stills/:digest', ['property'], (asking) => show(deps, asking)),
  ]
}

/** The device, if it has a property `still` that the caller may read now; and which of those, or of the one that is asked for. */
function findCamera(
  { home }: RouteDeps,
  asking: Asking,
): Verdict<{ readonly device: Device; readonly readable: ReadonlySet<number> }, Code> {
  const found = findThing(home, asking, asking.params.id!)
  if (!found.ok) return found
  const device = found.value
  const wanted = asking.query.get('property')
  const properties = device.affordances.filter((each) => {
    const affordance = affordanceOf(each)
    return affordance?.capability.name === 'still' && (wanted === undefined || affordance.name === wanted)
  })
  if (properties.length === 0) return no('no-such-affordance', `${device.name} takes no such pictures`)
  const judged = properties.map((each) => ({ each, may: asking.sight.may(device, each, 'read') }))
  const readable = new Set(judged.flatMap(({ each, may }) => (may.may ? [each] : [])))
  const [{ may }] = judged as [(typeof judged)[number]]
  if (readable.size === 0 && !may.may) return no(may.why, may.detail)
  const isElsewhere = device.home !== undefined && home.stills.list(device.id, 1).length === 0
  if (isElsewhere)
    return no('still-elsewhere', `pictures of ${device.name} stay in ${device.home}: ask that home`)
  return yes({ device, readable })
}

async function list(deps: RouteDeps, asking: Asking): Promise<Reply> {
  const { home } = deps
  const { query } = asking
  const camera = findCamera(deps, asking)
  if (!camera.ok) return refused(camera)
  const limit = readInteger(query, 'limit', { least: 1, most: LIST_MAX, fallback: LIST_FALLBACK })
  if (!limit.ok) return refused(limit)
  const wait = readInteger(query, 'wait', { least: 0, most: WAIT_S_MAX, fallback: 0 })
  if (!wait.ok) return refused(wait)
  const command = query.has('command')
    ? readBytes(query.get('command'), DIGEST_BYTES, DIGEST_BYTES)
    : undefined
  if (query.has('command') && !command)
    return refused(no('bad-request', 'a command is named by its SHA-256, base64url'))
  const { device, readable } = camera.value
  if (wait.value > 0) await untilNews(deps, device, command, wait.value * 1000)
  const stills = home.stills.list(device.id, limit.value, command)
  const coming = home.stills.coming(device.id, command)
  return json({
    stills: stills.filter(({ affordance }) => readable.has(affordance)).map(tellStill),
    ...(coming && { coming: tellComing(coming) }),
  })
}

/** Until a picture for this command is kept, or will not be, or got further; at once when it is here. */
async function untilNews(
  { home, clock }: RouteDeps,
  device: Device,
  command: Uint8Array | undefined,
  ms: number,
): Promise<void> {
  const isOver = command && home.stills.coming(device.id, command)?.code !== undefined
  if (isOver || (command && home.stills.list(device.id, 1, command).length > 0)) return
  const events = home.feed.watch()
  using patience = deadline(clock, ms)
  try {
    await abortable(nextStill(events, device, command), patience.signal)
  } catch (error) {
    ignore(error, 'nothing came in the time that the client gave')
  } finally {
    events.close()
  }
}

async function nextStill(
  events: Channel<HomeEvent>,
  { id }: Device,
  command: Uint8Array | undefined,
): Promise<void> {
  for await (const event of events) {
    const isStill = event.event === 'still' && event.device === id
    if (isStill && (!command || equal(event.command, command))) return
  }
}

function show(deps: RouteDeps, asking: Asking): Reply {
  const { home } = deps
  const camera = findCamera(deps, asking)
  if (!camera.ok) return refused(camera)
  const { device, readable } = camera.value
  const named = asking.params.digest!
  const digest = readBytes(named, DIGEST_BYTES, DIGEST_BYTES)
  const still =
    named === LATEST
      ? home.stills.list(device.id, LIST_MAX).find(({ affordance }) => readable.has(affordance))
      : digest && home.stills.get(device.id, digest)
  if (!still || !readable.has(still.affordance)) {
    return refused(no('not-found', 'no such picture'))
  }
  return {
    kind: 'stream',
    type: 'image/jpeg',
    endless: false,
    headers: { 'content-length': String(still.size), 'shallot-still': toBase64url(still.frame) },
    run: (outlet) => tellPicture(deps, still, outlet),
  }
}

/** One that goes while it is told breaks off: the length in the head says that something is missing. */
async function tellPicture(
  { home }: RouteDeps,
  { device, digest, size }: KeptStill,
  outlet: Outlet,
): Promise<void> {
  for (let at = 0; at < size; ) {
    const piece = home.stills.read(device, digest, at, PIECE_BYTES)
    if (!piece || piece.length === 0) throw new Error('a picture went while it was told')
    await outlet.write(piece)
    at += piece.length
  }
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
