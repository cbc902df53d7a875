// SPDX-License-Identifier: GPL-3.0-or-later
import { toBase64url } from '../../base/bytes.ts'
import type { Desk } from './desk.ts'
import { isTakenBack, type KnownGrant } from './house.ts'
import { knownLists, putList, type Revoked, sealOnTop } from './revocations.ts'

/**
 * Makes room in the owner's list: every grant of this owner that still holds is sealed anew under its id, and then everything older
 * is void by `revocation-floor`, so that the ids of this owner's grants need no entry any more. Cut short, nothing is lost: what was
 * taken back stays so, and it can be done again.
 */
export async function startOver(desk: Desk): Promise<Revoked & { readonly sealed: number }> {
  const { house, owner, api } = desk
  const own = house.grants.filter(({ by }) => by === owner.id)
  const lists = knownLists(desk, house)
  const ended = ({ revoked, message }: KnownGrant) =>
    revoked ||
    isTakenBack(message, lists) ||
    (message.body.expiresAt ?? Number.POSITIVE_INFINITY) <= owner.now()
  const living = own.filter((grant) => !ended(grant))
  const floor = owner.now()
  using step = desk.tools.voice.working('sealing the grants anew')
  for (const [at, { message }] of living.entries()) {
    step.say(`sealing the grants anew: ${at + 1} of ${living.length}`)
    const { audience: _a, sealedAt: _s, epoch: _e, sequence: _q, ...body } = message.body
    await api.sendSealed('POST', '/grants', await owner.seal(owner.home, body))
  }
  // One that was sealed within this second is no older than the floor: its entry must stay.
  const older = own.filter(({ message }) => message.body.sealedAt < floor)
  const ids = new Set(older.map(({ id }) => id))
  const { frame, count } = await sealOnTop({ clock: desk.tools.clock, ...desk }, house, [], {
    floor,
    without: (entry) => ids.has(toBase64url(entry)),
  })
  const { told } = await putList(api, frame)
  return { sealed: living.length, entries: count, told }
}
