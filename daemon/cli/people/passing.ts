// SPDX-License-Identifier: GPL-3.0-or-later
/** Passing on (SPEC 12.2): which grant of one's own a new one hangs from. What is not said is as there, and nothing widens. */
import { GRANT_LINKS_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../../base/bytes.ts'
import type { Grant } from '../../core/envelope/index.ts'
import { idOf } from '../../core/model/index.ts'
import { type GroupsOf, widens } from '../../core/policy/index.ts'
import { CliError } from '../error.ts'
import type { Desk } from './desk.ts'
import type { House, KnownGrant } from './house.ts'
import { LEASE, requireEnd, type TermFlags, type Terms } from './terms.ts'

/** What is sealed, and for whoever is no owner what it hangs from. */
export interface Passed {
  readonly terms: Terms
  readonly parent?: Uint8Array
}

/**
 * An owner gives as said. Anybody else passes on of the first grant of theirs that holds all of it.
 * @throws CliError usage; grant-chain when nothing of theirs may be passed on like this; grant-wider when nothing holds as much
 */
export function passOn({ house, owner }: Desk, terms: Terms, flags: TermFlags): Passed {
  if (owner.role === 'owner') {
    requireEnd(terms)
    return { terms }
  }
  const mine = house.grants.filter(({ message: { body }, revoked }) => {
    const hasEnded = body.expiresAt !== undefined && body.expiresAt <= owner.now()
    return body.key && equal(body.key, owner.key) && !revoked && !hasEnded
  })
  const held = mine.filter((grant) => {
    const share = grant.message.body.share ?? 0
    return share > (terms.share ?? 0) && linksOf(house, grant) < GRANT_LINKS_MAX
  })
  const why: string[] = []
  for (const { id, message } of held) {
    const narrow = within(terms, flags, message.body)
    requireEnd(narrow)
    const wider = widens(narrow, message.body, groupsIn(house))
    if (wider === undefined) return { terms: narrow, parent: message.body.id }
    why.push(`${id} (${wider})`)
  }
  if (held.length === 0) {
    throw new CliError('grant-chain', `nothing that ${owner.name} holds may be passed on so far`, {
      next: 'an owner can give a grant that may: shallot grant … --may-share, or --may-share-on',
    })
  }
  throw new CliError('grant-wider', `that is more than ${owner.name} holds: ${why.join(', ')}`, {
    next: 'see what you hold with `shallot grants`, and give no more than one of these',
  })
}

/** What the terms leave open, as the grant above has it: each use is held against both anyway. */
function within(terms: Terms, flags: TermFlags, above: Grant): Terms {
  const { hours, notBefore, expiresAt, uses } = above
  const isOpen = flags.lease === LEASE && above.leaseS > 0
  return {
    ...(hours && { hours }),
    ...(notBefore !== undefined && { notBefore }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(uses !== undefined && { uses }),
    ...terms,
    leaseS: isOpen ? Math.min(terms.leaseS, above.leaseS) : terms.leaseS,
  }
}

/** How many grants it is from the owner's end; more than there can be for one whose parents are not shown. */
function linksOf(house: House, { message: { body } }: KnownGrant, links = 1): number {
  if (!body.parent || links >= GRANT_LINKS_MAX) return links
  const parent = house.grants.find(({ id }) => id === toBase64url(body.parent!))
  return parent ? linksOf(house, parent, links + 1) : GRANT_LINKS_MAX
}

function groupsIn({ things }: House): GroupsOf {
  return (device) => things.find(({ id }) => id === idOf(device))?.groups ?? []
}
