// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../base/clock.ts'
import { type Verdict, yes } from '../base/error.ts'
import type { Ed25519, EnvelopeCode, Frame, Grant, Message, Zone } from './envelope/index.ts'
import { Groups } from './groups.ts'
import { type Device, idOf } from './model/index.ts'
import { PastGrants } from './past-grants.ts'
import { People } from './people.ts'
import { type Circumstances, Grants, openTrust, type Trust } from './policy/index.ts'
import type { DeviceBook } from './ports.ts'
import type { KeptUseBook, PaperBook } from './ports-people.ts'

/** Grants held at once. */
const GRANTS_MAX = 10_000

/** Everything by which this hub decides who may do what, from the root down. */
export interface Authority {
  readonly trust: Trust
  readonly grants: Grants
  readonly people: People
  readonly groups: Groups
  readonly uses: KeptUseBook
  /** Grants that were recorded and hold no more: taken back, or ended and dropped. */
  past(): readonly Message<Grant>[]
  /** The home's zone now. */
  zone(): Zone | undefined
  /** Seconds since the epoch. */
  now(): number
  /** What a use of this device is judged by at this moment. */
  about(device: Device): Circumstances
}

export interface AuthorityDeps {
  readonly clock: Clock
  readonly ed25519: Ed25519
  readonly papers: PaperBook
  readonly uses: KeptUseBook
  readonly devices: DeviceBook
  readonly zone: () => Zone | undefined
  /** Told how many kept papers of a kind did not verify or hold no more. */
  readonly onRefused?: (kind: string, count: number) => void
}

/**
 * Opens the papers that the home has kept, every one of them anew, over the owners of its directory.
 * What does not verify counts for nothing; the root's lists are read before anything that hangs from an owner.
 */
export function openAuthority(
  deps: AuthorityDeps,
  root: Uint8Array,
  owners: readonly Frame[],
): Verdict<Authority, EnvelopeCode> {
  const { clock, ed25519, papers, uses, devices } = deps
  const trusted = openTrust(root, owners, ed25519)
  if (!trusted.ok) return trusted
  const trust = trusted.value
  const now = () => Math.floor(clock.now() / 1000)
  const groups = new Groups(trust, ed25519)
  const groupsOf = (key: Uint8Array): readonly string[] => {
    const device = devices.get(idOf(key))
    return device ? groups.of(device) : []
  }
  const grants = new Grants(trust, ed25519, { grantsMax: GRANTS_MAX, refuseWider: groupsOf })
  const people = new People({ trust, grants, ed25519 })

  const load = (kind: 'owner' | 'revocation' | 'grant', take: (frame: Frame) => { ok: boolean }): void => {
    const refused = papers.all(kind).filter(({ frame }) => !take(frame).ok).length
    if (refused > 0) deps.onRefused?.(kind, refused)
  }
  // A clock that was set back must not make what was taken then look as if it came from the future.
  load('owner', (frame) => trust.addOwner(frame, 0))
  load('revocation', (frame) => trust.revoke(frame, 0))
  for (const { body } of trust.revocations) grants.believe(body.sealedAt)
  load('grant', (frame) => grants.restore(frame))
  const unread = people.load(papers)
  if (unread > 0) deps.onRefused?.('people', unread)

  const past = new PastGrants({ trust, grants, papers, ed25519 })
  const { zone } = deps
  return yes({
    trust,
    grants,
    people,
    groups,
    uses,
    past: () => past.list(),
    zone,
    now,
    about: (device) => ({ grants, groups: groups.of(device), now: now(), zone: zone(), uses }),
  })
}
