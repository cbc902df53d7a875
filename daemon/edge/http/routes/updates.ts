// SPDX-License-Identifier: GPL-3.0-or-later
import { DIGEST_BYTES } from '../../../../schemas/gen/ts/wire.ts'
import { toBase64url } from '../../../base/bytes.ts'
import type { Channel } from '../../../base/channel.ts'
import { no } from '../../../base/error.ts'
import type { HomeEvent } from '../../../core/feed.ts'
import { IMAGE_FILE_BYTES_MAX, type RolloutView } from '../../../core/updates/index.ts'
import { json, type Outlet, type Reply, refused } from '../answer.ts'
import { readBytes, readInteger, readObject } from '../fields.ts'
import type { Asking, Route, RouteDeps } from '../route.ts'
import { sseEvent, sseStream } from '../sse.ts'

const STAGES_MAX = 16
const TARGET_CHARS_MAX = 256

/** Images come in, and are rolled out to devices (SPEC 15.8). */
export function updateRoutes(deps: RouteDeps): Route[] {
  const ofHome = { ofThing: false, who: 'owner' } as const
  return [
    {
      ...ofHome,
      method: 'PUT',
      path: '/images/:digest',
      query: ['at', 'size'],
      takes: { type: 'application/octet-stream' },
      run: (asking: Asking) => putPart(deps, asking),
    },
    {
      ...ofHome,
      method: 'GET',
      path: '/rollouts',
      run: () => json({ rollouts: deps.home.rollouts.list().map(tellRollout) }),
    },
    {
      ...ofHome,
      method: 'POST',
      path: '/rollouts',
      takes: { type: 'application/json' },
      run: (asking: Asking) => start(deps, asking),
    },
    { ...ofHome, method: 'GET', path: '/rollouts/:id', run: (asking: Asking) => follow(deps, asking) },
    { ...ofHome, method: 'DELETE', path: '/rollouts/:id', run: (asking: Asking) => stop(deps, asking) },
  ]
}

/** A part of an image file, by the digest of its manifest; the answer says how much of it is here. */
async function putPart({ home }: RouteDeps, { params, query, body, caller }: Asking): Promise<Reply> {
  const digest = readBytes(params.digest, DIGEST_BYTES, DIGEST_BYTES)
  if (!digest) return refused(no('bad-request', 'an image is named by the digest of its manifest'))
  const most = IMAGE_FILE_BYTES_MAX
  const at = readInteger(query, 'at', { least: 0, most, fallback: 0 })
  if (!at.ok) return refused(at)
  const size = readInteger(query, 'size', { least: 1, most, fallback: body.length })
  if (!size.ok) return refused(size)
  const put = await home.rollouts.putPart({ digest, at: at.value, size: size.value, bytes: body }, caller)
  return put.ok ? json({ image: params.digest, ...put.value }) : refused(put)
}

async function start({ home }: RouteDeps, { body, caller }: Asking): Promise<Reply> {
  const fields = readObject(body, ['image', 'target', 'stages'])
  if (!fields.ok) return refused(fields)
  const { target, stages = [] } = fields.value
  const image = readBytes(fields.value.image, DIGEST_BYTES, DIGEST_BYTES)
  const isTarget = typeof target === 'string' && target !== '' && target.length <= TARGET_CHARS_MAX
  const isStages = Array.isArray(stages) && stages.length <= STAGES_MAX
  if (!image || !isTarget || !isStages || stages.some((each) => typeof each !== 'number')) {
    return refused(no('bad-request', 'the body is {"image": digest, "target": name, "stages": [sizes]}'))
  }
  const started = await home.rollouts.start({ image, target, stages }, caller)
  if (!started.ok) return refused(started)
  return json(tellRollout(started.value), 201, { location: `/rollouts/${started.value.id}` })
}

async function stop({ home }: RouteDeps, { params, caller }: Asking): Promise<Reply> {
  const stopped = await home.rollouts.stop(numberOf(params.id!), caller)
  return stopped.ok ? json(tellRollout(stopped.value)) : refused(stopped)
}

/** As events until it is over; once, for a client that asks for JSON. */
function follow(deps: RouteDeps, { params, accept, caller }: Asking): Reply {
  const { home } = deps
  const view = home.rollouts.view(numberOf(params.id!))
  if (!view) return refused(no('not-found', 'no such roll-out'))
  if (accept.includes('application/json')) return json(tellRollout(view))
  return sseStream(
    deps,
    caller,
    () => home.feed.watch(),
    (events, outlet) => tell(deps, view.id, events, outlet),
  )
}

async function tell(
  { home }: RouteDeps,
  id: number,
  events: Channel<HomeEvent>,
  outlet: Outlet,
): Promise<void> {
  const say = async (): Promise<boolean> => {
    const view = home.rollouts.view(id)
    if (view) await outlet.write(sseEvent('rollout', tellRollout(view)))
    return view?.state === 'running'
  }
  if (!(await say())) return
  for await (const event of events) {
    if (event.event !== 'rollout' || event.rollout !== id) continue
    if (!(await say())) return
  }
}

function numberOf(text: string): number {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0
}

function tellRollout({ manifestDigest, ...view }: RolloutView): object {
  return { ...view, image: toBase64url(manifestDigest) }
}
