// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import type { PartyId } from '../model/index.ts'
import type { Papers } from './papers.ts'
import type { LogShelf, MeshRoom } from './ports.ts'
import type { Talk } from './talk.ts'
import { SKEW_MS_MAX, sayFault, saySkew, sayUnkept, sayUntaken, sayWay } from './trouble.ts'

/** One daemon of the home, as `shallot mesh status` tells. */
export interface MemberReport {
  readonly id: PartyId
  readonly name: string
  readonly own: boolean
  readonly connected: boolean
  readonly heardAt?: Instant | undefined
  readonly rttMs?: number | undefined
  /** Messages to it on the connection there is. */
  readonly said?: number | undefined
  /** Entries of its log that are here, and how many of any log it has that are not. */
  readonly entries: number
  readonly missing: number
  /** What is wrong, for people. */
  readonly trouble?: string | undefined
}

interface Facts {
  readonly own: PartyId
  readonly now: Instant
  readonly papers: Papers
  readonly talk: Talk
  readonly shelf: LogShelf
  /** Once there is one. */
  readonly room: MeshRoom | undefined
  /** Why the disk did not take what others said last. */
  readonly unkept: string | undefined
  readonly silentSince: (member: PartyId) => Instant | undefined
}

/** This daemon, also when it was removed, and all others of the home. */
export function reportOf(facts: Facts): readonly MemberReport[] {
  const { own, papers, talk, shelf, room } = facts
  const away = papers.isRemoved(own) ? [{ id: own, name: papers.nameOf(own), beacon: undefined }] : []
  return [...away, ...papers.members()].map(({ id, name, beacon }) => ({
    id,
    name,
    own: id === own,
    connected: id === own || talk.peers().includes(id),
    heardAt: id === own ? undefined : facts.silentSince(id),
    rttMs: room?.rtt(id),
    said: room?.said(id),
    entries: shelf.head(id).position,
    missing: talk.exchange.missing(id),
    trouble: id === own ? ownTrouble(facts) : troubleOf(facts, id, beacon !== undefined),
  }))
}

function ownTrouble({ own, papers, unkept }: Facts): string | undefined {
  if (papers.isRemoved(own)) {
    return 'This daemon was removed from the home by an owner. To use this machine again, make it anew with `shallot restore --as`.'
  }
  return unkept && sayUnkept(unkept)
}

function troubleOf(facts: Facts, member: PartyId, hasBeacon: boolean): string | undefined {
  const { talk, now } = facts
  const fault = talk.exchange.faults().find(({ author }) => author === member)
  const [untaken, skew] = [talk.exchange.untakenSince(member, now), talk.skewOf(member) ?? 0]
  const said = [
    wayTrouble(facts, member, hasBeacon),
    fault && sayFault(fault.why),
    untaken !== undefined && sayUntaken(now - untaken),
    Math.abs(skew) > SKEW_MS_MAX && saySkew(skew),
  ].filter((sentence) => typeof sentence === 'string')
  return said.length > 0 ? said.join(' ') : undefined
}

function wayTrouble(
  { room, talk, papers, own }: Facts,
  member: PartyId,
  hasBeacon: boolean,
): string | undefined {
  const trouble = room?.trouble(member)
  if (trouble) return sayWay(trouble)
  if (talk.peers().includes(member)) return undefined
  if (!hasBeacon) {
    return 'It was not heard yet, and nobody has told how it is reached. Start it, or invite it anew.'
  }
  return papers.way(member, own)
    ? 'There is no connection yet. It is being called; a new address may need a minute to be found.'
    : 'It has not said yet by which address it is reached from here. It will when it is heard, by way of any other daemon.'
}
