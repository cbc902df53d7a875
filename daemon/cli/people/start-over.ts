// SPDX-License-Identifier: GPL-3.0-or-later
import type { Grant } from '../../core/envelope/index.ts'
import { drawId } from './deal.ts'
import type { Desk } from './desk.ts'
import { isTakenBack, type KnownGrant } from './house.ts'
import { knownLists, putList, type Revoked, sealOnTop } from './revocations.ts'

const SECOND_MS = 1000

/**
 * Makes room in the owner's list: every grant of this owner that still holds is sealed anew under another id, with the uses it has
 * left, and then everything older is void by `revocation-floor`, so that it needs no entry any more. What another owner copied of it
 * is sealed anew with it, and stands in the list. Cut short, nothing is lost: what was taken back stays so, and it can be done again.
 */
export async function startOver(desk: Desk): Promise<Revoked & { readonly sealed: number }> {
  const { house, owner, api } = desk
  const ids = new Set(house.grants.filter(({ by }) => by === owner.id).map(({ id }) => id))
  const own = house.grants.filter(({ id }) => ids.has(id))
  const lists = knownLists(desk, house)
  const ended = ({ revoked, message }: KnownGrant) =>
    revoked ||
    isTakenBack(message, lists) ||
    (message.body.expiresAt ?? Number.POSITIVE_INFINITY) <= owner.now()
  const living = own.filter((grant) => !ended(grant))
  // In the next second: what is sealed anew must not be as old as what it replaces.
  await desk.tools.clock.sleep(SECOND_MS, desk.tools.signal)
  const floor = owner.now()
  const copied = living.filter(({ by }) => by !== owner.id).map(({ message }) => message.body.id)
  const anews = new Map<string, Uint8Array>()
  using step = desk.tools.voice.working('sealing the grants anew')
  for (const [at, { id, message, used }] of living.entries()) {
    step.say(`sealing the grants anew: ${at + 1} of ${living.length}`)
    const { audience: _a, sealedAt: _s, epoch: _e, sequence: _q, uses, ...body } = message.body
    const left = uses === undefined ? undefined : uses - (used ?? 0)
    if (left !== undefined && left < 1) continue
    const anew = anews.get(id) ?? drawId(desk.tools.random)
    anews.set(id, anew)
    const sealed = { ...body, id: anew, ...(left !== undefined && { uses: left }) }
    await api.sendSealed('POST', '/grants', await owner.seal<Grant>(owner.home, sealed))
  }
  const { frame, count } = await sealOnTop({ clock: desk.tools.clock, ...desk }, house, copied, floor)
  const { told } = await putList(api, frame)
  return { sealed: anews.size, entries: count, told }
}
