// SPDX-License-Identifier: GPL-3.0-or-later
import { ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import type { Clock } from '../base/clock.ts'
import { isCode, type Verdict, yes } from '../base/error.ts'
import {
  type Body,
  type Ed25519,
  type EnvelopeCode,
  type Frame,
  type Grant,
  type Message,
  openEnvelope,
  type Zone,
} from './envelope/index.ts'
import { Groups } from './groups.ts'
import { type Device, idOf } from './model/index.ts'
import { PastGrants } from './past-grants.ts'
import { People } from './people.ts'
import { type Circumstances, Grants, openTrust, type Trust } from './policy/index.ts'
import type { DeviceBook, Entry, Journal } from './ports.ts'
import type { KeptUseBook, PaperBook, PastBook } from './ports-people.ts'

/** Of the log, when this starts: the newest, so that a start takes no longer with the years. */
const ENTRIES_LOOKED_AT = 256
/** Grants held at once. */
const GRANTS_MAX = 10_000
/** Of these, passed on by one key. */
const PASSED_ON_MAX = 256

/** Everything by which this hub decides who may do what, from the root down. */
export interface Authority {
  readonly trust: Trust
  readonly grants: Grants
  readonly people: People
  readonly groups: Groups
  readonly uses: KeptUseBook
  /** Grants that were recorded and hold no more: taken back, or ended and dropped. */
  past(): readonly Message<Grant>[]
  /** Forgets what held no more for so long. @returns how many grants */
  thin(keptMs: number): Promise<number>
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
  readonly past: PastBook
  readonly journal: Pick<Journal, 'read'>
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
  const grants = new Grants(trust, ed25519, {
    grantsMax: GRANTS_MAX,
    passedOnMax: PASSED_ON_MAX,
    refuseWider: groupsOf,
  })
  const people = new People({ trust, grants, ed25519 })

  const load = (kind: 'owner' | 'revocation' | 'grant', take: (frame: Frame) => { ok: boolean }): void => {
    const refused = papers.all(kind).filter(({ frame }) => !take(frame).ok).length
    if (refused > 0) deps.onRefused?.(kind, refused)
  }
  // A clock that was set back must not make what was taken then look as if it came from the future.
  load('owner', (frame) => trust.addOwner(frame, 0))
  load('revocation', (frame) => trust.revoke(frame, 0))
  for (const { body } of trust.revocations) grants.witness(body.sealedAt)
  load('grant', (frame) => grants.restore(frame))
  const unread = people.load(papers)
  if (unread > 0) deps.onRefused?.('people', unread)
  for (const sealedAt of commandsIn(deps)) grants.witnessCommand(sealedAt)
  // What people sealed has been, whatever this machine's clock says now (SPEC 12.3).
  grants.believe(Math.max(deps.past.sealedAt, grants.sealedAt))

  const past = new PastGrants({ trust, grants, papers, past: deps.past, ed25519 })
  const { zone } = deps
  return yes({
    trust,
    grants,
    people,
    groups,
    uses,
    past: () => past.list(),
    thin: (keptMs) => past.thin(clock.now(), keptMs),
    zone,
    now,
    about: (device) => ({ grants, groups: groups.of(device), now: now(), zone: zone(), uses }),
  })
}

/** When the latest commands in the log were sealed; of a log that somebody edited, nothing is known. */
function commandsIn({ journal, ed25519 }: Pick<AuthorityDeps, 'journal' | 'ed25519'>): readonly number[] {
  return latestIn(journal).flatMap(({ frame }) => {
    const accepts = (body: Body) => body.type === 'command'
    const opened =
      frame && openEnvelope(frame, { sizeMax: ENVELOPE_BYTES_MAX, accepts, isAudience: () => true }, ed25519)
    return opened?.ok ? [opened.value.body.sealedAt] : []
  })
}

function latestIn(journal: AuthorityDeps['journal']): readonly Entry[] {
  try {
    return journal.read({ limit: ENTRIES_LOOKED_AT }).filter(({ kind }) => kind === 'command')
  } catch (error) {
    if (!isCode(error, 'corrupt')) throw error
    return []
  }
}
