// SPDX-License-Identifier: GPL-3.0-or-later
import { ENVELOPE_BYTES_MAX, PERMIT_ID_BYTES, PROOF_BYTES } from '../../../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../../../base/bytes.ts'
import type { Channel } from '../../../base/channel.ts'
import { deadline } from '../../../base/clock.ts'
import { no } from '../../../base/error.ts'
import type { HomeEvent } from '../../../core/feed.ts'
import type { OpenPermit } from '../../../core/ports.ts'
import { json, type Outlet, type Reply, refused } from '../answer.ts'
import { readBytes, readObject } from '../fields.ts'
import type { Asking, Route, RouteDeps } from '../route.ts'
import { sseEvent, sseStream } from '../sse.ts'
import { tellPermit } from '../telling.ts'

/** A permit in, what becomes of it, and the owner's record of the device that used it (SPEC 7). */
export function enrolmentRoutes(deps: RouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/enrolments',
      who: 'owner',
      ofThing: false,
      takes: { type: 'application/json' },
      run: (asking) => open(deps, asking),
    },
    {
      method: 'GET',
      path: '/enrolments/:permit',
      who: 'owner',
      ofThing: false,
      run: (asking) => follow(deps, asking),
    },
    {
      method: 'PUT',
      path: '/enrolments/:permit/record',
      who: 'owner',
      ofThing: false,
      takes: { type: 'application/cose' },
      run: (asking) => confirm(deps, asking),
    },
  ]
}

/** `{"permit": sealed permit, "proof": the hub's proof key}`, both base64url. */
async function open({ home }: RouteDeps, { body, caller }: Asking): Promise<Reply> {
  const fields = readObject(body, ['permit', 'proof'])
  if (!fields.ok) return refused(fields)
  const frame = readBytes(fields.value.permit, 1, ENVELOPE_BYTES_MAX)
  const proof = readBytes(fields.value.proof, PROOF_BYTES, PROOF_BYTES)
  if (!frame || !proof) return refused(no('bad-request', 'permit and proof are base64url'))
  const opened = await home.desk.permit(frame, proof, caller)
  if (!opened.ok) return refused(opened)
  const permit = toBase64url(opened.value)
  return json({ permit }, 201, { location: `/enrolments/${permit}` })
}

/** As events until it is used or stale; once, for a client that asks for JSON. */
function follow(deps: RouteDeps, { params, accept, caller }: Asking): Reply {
  const { home, clock } = deps
  const id = readBytes(params.permit, PERMIT_ID_BYTES, PERMIT_ID_BYTES)
  const permit = id && home.permits.get(id)
  if (!permit) return refused(no('permit-unknown'))
  if (accept.includes('application/json')) return json(tellPermit(permit, clock.now()))
  return sseStream(
    deps,
    caller,
    () => home.feed.watch(),
    (events, outlet) => tell(deps, permit.permit, events, outlet),
  )
}

async function tell(
  { home, clock }: RouteDeps,
  id: Uint8Array,
  events: Channel<HomeEvent>,
  outlet: Outlet,
): Promise<void> {
  const say = (permit: OpenPermit, now: number) =>
    outlet.write(sseEvent('enrolment', tellPermit(permit, now)))
  const permit = home.permits.get(id)!
  await say(permit, clock.now())
  if (permit.usedBy) return
  using term = deadline(clock, Math.max(0, permit.expiresAt - clock.now()), outlet.signal)
  const end = () => events.close()
  term.signal.addEventListener('abort', end, { once: true })
  if (term.signal.aborted) end()
  for await (const event of events) {
    if (event.event === 'enrolment' && equal(event.permit, id)) break
  }
  if (outlet.signal.aborted) return
  // A timer may be a moment early; when it ended the wait, the permit is stale all the same.
  await say(home.permits.get(id)!, term.signal.aborted ? permit.expiresAt : clock.now())
}

async function confirm({ home }: RouteDeps, { params, body, caller }: Asking): Promise<Reply> {
  if (!readBytes(params.permit, PERMIT_ID_BYTES, PERMIT_ID_BYTES)) return refused(no('permit-unknown'))
  const confirmed = await home.desk.confirm(body, caller)
  return confirmed.ok ? json({ id: confirmed.value.id, name: confirmed.value.name }) : refused(confirmed)
}
