// SPDX-License-Identifier: GPL-3.0-or-later
import { ENVELOPE_BYTES_MAX, PERMIT_ID_BYTES, PROOF_BYTES } from '../../../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../../../base/bytes.ts'
import type { Channel } from '../../../base/channel.ts'
import { type Clock, deadline } from '../../../base/clock.ts'
import { no } from '../../../base/error.ts'
import type { HomeEvent } from '../../../core/feed.ts'
import type { PairAnswer } from '../../../core/receive.ts'
import { empty, json, type Outlet, type Reply, refused } from '../answer.ts'
import { readBytes, readInteger, readObject } from '../fields.ts'
import { tellOwners } from '../picture.ts'
import type { Asking, Route, RouteDeps, Stranger, Unproved } from '../route.ts'
import { sseEvent, sseStream } from '../sse.ts'
import { tellBytes } from '../telling.ts'
import { pairingState, tellPairing } from '../telling-people.ts'

/** As long as one answer waits for a confirmation. */
const WAIT_S_MAX = 25

/** A phone joins (SPEC 13.3 to 13.5). */
export function pairingRoutes(deps: RouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/pairings',
      ofThing: false,
      who: 'sharer',
      takes: { type: 'application/json' },
      run: (asking) => open(deps, asking),
    },
    {
      method: 'GET',
      path: '/pairings/:id',
      ofThing: false,
      who: 'sharer',
      run: (asking) => follow(deps, asking),
    },
    {
      method: 'DELETE',
      path: '/pairings/:id',
      ofThing: false,
      who: 'sharer',
      run: (asking) => decline(deps, asking),
    },
    {
      method: 'POST',
      path: '/pairings/:id/pair',
      ofThing: false,
      who: 'nobody',
      query: ['wait'],
      takes: { type: 'application/cose' },
      run: (asking) => pair(deps, asking),
    },
  ]
}

function idIn({ params }: Unproved): Uint8Array {
  return readBytes(params.id, PERMIT_ID_BYTES, PERMIT_ID_BYTES) ?? new Uint8Array()
}

/** `{"pairing": sealed pairing, "proof": the hub's proof key, "invitation": name?, "address": true?}`. */
async function open({ home }: RouteDeps, asking: Asking): Promise<Reply> {
  const fields = readObject(asking.body, ['pairing', 'proof', 'invitation', 'address'])
  if (!fields.ok) return refused(fields)
  const frame = readBytes(fields.value.pairing, 1, ENVELOPE_BYTES_MAX)
  const proof = readBytes(fields.value.proof, PROOF_BYTES, PROOF_BYTES)
  if (!frame || !proof) return refused(no('bad-request', 'pairing and proof are base64url'))
  const { invitation, address } = fields.value
  if (address !== undefined && (address !== true || invitation !== undefined))
    return refused(no('bad-request', 'address is true, and without an invitation'))
  const service = typeof invitation === 'string' ? `invitation:${invitation}` : undefined
  const isThere = home.services.list().some((each) => each.service === service)
  if (invitation !== undefined && !isThere) return refused(no('not-found', 'no such invitation'))
  // An address is taken back with the phone: nobody but an owner says whose it is.
  if (service && asking.caller.kind !== 'owner') return refused(no('forbidden'))
  const way = address ? 'own' : service === undefined ? undefined : { service }
  const opened = await home.desk.pairings.open(frame, proof, way, asking.caller)
  if (!opened.ok) return refused(opened)
  const pairing = toBase64url(opened.value.pairing)
  return json({ pairing, ...opened.value.own }, 201, { location: `/pairings/${pairing}` })
}

/** As events until it is over; once, for a client that asks for JSON. */
function follow(deps: RouteDeps, asking: Asking): Reply {
  const { home, clock } = deps
  const pairing = home.desk.pairings.get(idIn(asking), asking.caller)
  if (!pairing.ok) return refused(pairing)
  if (asking.accept.includes('application/json')) return json(tellPairing(pairing.value, clock.now()))
  return sseStream(
    deps,
    asking.caller,
    () => home.feed.watch(),
    (events, outlet) => tell(deps, asking, events, outlet),
  )
}

async function tell(
  { home, clock }: RouteDeps,
  asking: Asking,
  events: Channel<HomeEvent>,
  outlet: Outlet,
): Promise<void> {
  const id = idIn(asking)
  const say = async (now: number): Promise<boolean> => {
    const found = home.desk.pairings.get(id, asking.caller)
    if (!found.ok) return false
    await outlet.write(sseEvent('pairing', tellPairing(found.value, now)))
    const state = pairingState(found.value, now)
    return state === 'open' || state === 'asked'
  }
  const { expiresAt } = home.pairings.get(id)!
  if (!(await say(clock.now()))) return
  for await (const _change of changesOf(clock, id, events, expiresAt - clock.now(), outlet.signal)) {
    if (!(await say(clock.now()))) return
  }
  // A timer may be a moment early; when it ended the wait, the pairing is stale all the same.
  if (!outlet.signal.aborted) await say(expiresAt)
}

/** Yields whenever this pairing changes, until the time is over or nobody listens any more. */
async function* changesOf(
  clock: Clock,
  id: Uint8Array,
  events: Channel<HomeEvent>,
  ms: number,
  signal: AbortSignal,
): AsyncGenerator<void> {
  using term = deadline(clock, Math.max(0, ms), signal)
  const end = () => events.close()
  term.signal.addEventListener('abort', end, { once: true })
  if (term.signal.aborted) end()
  for await (const event of events) {
    if (event.event === 'pairing' && equal(event.pairing, id)) yield
  }
}

async function decline({ home }: RouteDeps, asking: Asking): Promise<Reply> {
  const declined = await home.desk.pairings.decline(idIn(asking), asking.caller)
  return declined.ok ? empty() : refused(declined)
}

/** The phone's own: it is told at once, or after `wait` seconds, or when something came of it meanwhile. */
async function pair(deps: RouteDeps, asking: Stranger): Promise<Reply> {
  const { home, clock, watchers } = deps
  const wait = readInteger(asking.query, 'wait', { least: 0, most: WAIT_S_MAX, fallback: 0 })
  if (!wait.ok) return refused(wait)
  const id = idIn(asking)
  const ask = () => home.desk.pairings.ask(id, asking.body, asking.place)
  // Before it asks, so that a confirmation in between is not missed.
  const events = home.feed.watch()
  try {
    const first = await ask()
    if (!first.ok) return refused(first)
    const isOver = first.value.state === 'confirmed' || wait.value === 0
    using place = isOver ? undefined : watchers.take(`pairing ${asking.place.origin}`)
    if (!place) return tellAnswer(deps, first.value)
    for await (const _change of changesOf(clock, id, events, wait.value * 1000, asking.gone)) {
      const later = await ask()
      if (!later.ok) return refused(later)
      if (later.value.state === 'confirmed') return tellAnswer(deps, later.value)
    }
    return tellAnswer(deps, first.value)
  } finally {
    events.close()
  }
}

function tellAnswer({ home }: RouteDeps, answer: PairAnswer): Reply {
  if (answer.state === 'unconfirmed') return json({ state: 'unconfirmed', name: answer.name }, 202)
  const { holder, person } = answer
  return json({
    state: 'confirmed',
    holder: tellBytes(holder.frame),
    person: { id: tellBytes(person.id), name: person.name, frame: tellBytes(person.frame) },
    home: home.home,
    hub: home.hub,
    owners: tellOwners(home.authority.trust.owners),
  })
}
