// SPDX-License-Identifier: GPL-3.0-or-later
/** Papers of a home with real seals: owners, daemons, devices, and books that are memory. */
import assert from 'node:assert/strict'
import {
  type Body,
  type Frame,
  nativeEd25519,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import {
  type FarBook,
  type MeshPaper,
  type MeshPaperBook,
  type OtherPapers,
  Papers,
  type Revocations,
  revocationsOf,
} from '../../daemon/core/mesh/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { openTrust, type Trust } from '../../daemon/core/policy/index.ts'
import { signerOf } from './state.ts'

export const ed25519 = nativeEd25519()
export const [ROOT, ADA, BOB, STRANGER, TOWN, CABIN, LAMP] = [1, 2, 3, 4, 5, 6, 7].map((n) =>
  signerOf(4000 + n),
) as [Signer, Signer, Signer, Signer, Signer, Signer, Signer]
export const HOME = idOf(ROOT.key)
export const EPOCH = new Uint8Array(8)

type Loose<B extends Body> = B extends Body ? Omit<B, 'audience' | 'sealedAt' | 'epoch' | 'sequence'> : never

/** Sealed for the home unless `change` says something else. */
export function seal(body: Loose<Body>, by: Signer, sequence = 1, change: Partial<Body> = {}): Frame {
  const claims = { audience: HOME, sealedAt: 1, epoch: EPOCH, sequence }
  return sealEnvelope({ ...claims, ...body, ...change } as Body, by)
}

export const memberOf = (daemon: Signer, name: string, by = ADA, sequence = 1): Frame =>
  seal({ type: 'member', name, key: daemon.key }, by, sequence)

export const listOf = (entries: readonly Uint8Array[], by = ADA, sequence = 1): Frame =>
  seal({ type: 'revocation', entries }, by, sequence)

export const beaconOf = (
  by: Signer,
  sequence = 1,
  change: Partial<Extract<Body, { type: 'beacon' }>> = {},
): Frame => {
  const nothing = new Uint8Array(32)
  const said = {
    type: 'beacon',
    position: 0,
    hash: nothing,
    client: nothing,
    ways: new Uint8Array(),
  } as const
  return seal({ ...said, ...change }, by, sequence)
}

/** The owners' trust, anew: lists that one daemon takes are not another's. */
export function openHomeTrust(): Trust {
  const owners = [ADA, BOB].map(({ key }, at) => seal({ type: 'owner', name: `owner ${at}`, key }, ROOT))
  const trust = openTrust(ROOT.key, owners, ed25519)
  assert(trust.ok)
  return trust.value
}

export const TRUST = openHomeTrust()

/** Lists that go into the trust alone. */
export function listsOf(trust: Trust, kept: (frame: Frame) => void = () => {}): Revocations {
  return revocationsOf(trust, async (frame) => {
    const revoked = trust.revoke(frame, 0)
    if (revoked.ok) kept(frame)
    return revoked
  })
}

export const noOthers: OtherPapers = { frames: () => [], take: async () => 'refused' }

export class MemoryBook implements MeshPaperBook, FarBook {
  /** In the order in which they came, as a restart finds them. */
  readonly lists: Frame[] = []
  readonly #papers = new Map<string, MeshPaper>()
  readonly #things = new Map<string, { member: PartyId; device: PartyId; word: Uint8Array }>()

  papers = () => [...this.#papers.values()]
  async keep(paper: MeshPaper): Promise<void> {
    this.#papers.set(`${paper.kind} ${paper.subject} ${paper.sealer}`, paper)
  }
  things = () => [...this.#things.values()]
  async keepThing(member: PartyId, device: PartyId, word: Uint8Array): Promise<void> {
    this.#things.set(`${member} ${device}`, { member, device, word })
  }
  async dropThing(member: PartyId, device: PartyId): Promise<void> {
    this.#things.delete(`${member} ${device}`)
  }
  async dropMember(member: PartyId): Promise<void> {
    for (const [key, thing] of this.#things) if (thing.member === member) this.#things.delete(key)
  }
}

export interface Desk {
  readonly book: MemoryBook
  readonly papers: Papers
  readonly revocations: Revocations
  readonly trust: Trust
}

/** What one daemon knows, over a book that may hold something already. */
export function openDesk(book = new MemoryBook()): Desk {
  const trust = openHomeTrust()
  for (const frame of book.lists) trust.revoke(frame, 0)
  const revocations = listsOf(trust, (frame) => void book.lists.push(frame))
  return {
    book,
    trust,
    revocations,
    papers: new Papers({ trust, ed25519, book, revocations, others: noOthers }),
  }
}
