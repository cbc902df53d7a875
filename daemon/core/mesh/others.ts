// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import { ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import type { Verdict } from '../../base/error.ts'
import type { Caller } from '../callers.ts'
import type { PeopleDesk } from '../desks/people.ts'
import { type Body, type Ed25519, type Frame, openEnvelope } from '../envelope/index.ts'
import { idOf, type PartyId } from '../model/index.ts'
import type { PaperBook, PaperKind } from '../ports-people.ts'
import type { Charges } from './charges.ts'

/** Papers about people and what they may: not the mesh's to judge, but to carry to every home (SPEC 12, 13, 14.4). */
export interface OtherPapers {
  /** In an order in which each finds what it hangs from. */
  frames(): readonly Frame[]
  take(
    frame: Frame,
    from: { readonly id: PartyId; readonly name: string },
  ): Promise<'new' | 'known' | 'refused'>
}

export interface OthersDeps {
  readonly home: PartyId
  readonly ed25519: Ed25519
  readonly papers: PaperBook
  readonly people: PeopleDesk
  /** Records of devices that name a daemon (SPEC 14.7). */
  readonly charges: Pick<Charges, 'take'>
}

/** Parents before what hangs from them. */
const KINDS: readonly PaperKind[] = ['owner', 'person', 'holder', 'grant', 'enrolment']
const REPLACED: readonly PaperKind[] = ['owner', 'person', 'holder', 'enrolment']
/** Refused once, for instance because its parent is not here yet, it is not judged again at every word. */
const REFUSED_MAX = 512

export function othersOf({ home, ed25519, papers, people, charges }: OthersDeps): OtherPapers {
  const refused = new Set<string>()
  let grants: ReadonlySet<string> = new Set()
  /** A grant never changes: looked through anew only when there are more or fewer. Of the others a later one takes the place. */
  const isHeld = (frame: Frame, digest: string): boolean => {
    const held = papers.all('grant')
    if (held.length !== grants.size) grants = new Set(held.map((paper) => digestOf(paper.frame)))
    return (
      grants.has(digest) ||
      REPLACED.some((kind) => papers.all(kind).some((paper) => equal(paper.frame, frame)))
    )
  }

  const hand = (
    { body, frame }: { readonly body: Body; readonly frame: Frame },
    caller: Caller,
  ): Promise<Verdict<unknown, string>> | undefined => {
    if (body.type === 'owner') return people.owner(frame, idOf(body.key), caller.origin)
    if (body.type === 'person') return people.person(frame, body.person, caller)
    if (body.type === 'holder') return people.holder(frame, idOf(body.key), caller)
    if (body.type === 'grant') return people.grant(frame, caller)
    if (body.type === 'enrolment') return charges.take(frame, caller)
    return undefined
  }

  return {
    frames: () =>
      KINDS.flatMap((kind) =>
        papers.all(kind).flatMap(({ frame, goneAt }) => (goneAt === undefined ? [frame] : [])),
      ),
    async take(frame, from) {
      const digest = digestOf(frame)
      if (refused.has(digest) || isHeld(frame, digest)) return 'known'
      const opened = openEnvelope(
        frame,
        {
          sizeMax: ENVELOPE_BYTES_MAX,
          accepts: (body) => (KINDS as readonly string[]).includes(body.type),
          isAudience: (body) => body.audience === home,
        },
        ed25519,
      )
      const caller: Caller = { ...from, kind: 'owner', origin: `mesh:${from.name}` }
      const handed = opened.ok ? await hand(opened.value, caller) : undefined
      if (handed?.ok && handed.value === 'known') return 'known'
      if (handed?.ok) {
        // It may be what another one hangs from.
        refused.clear()
        return 'new'
      }
      if (refused.size >= REFUSED_MAX) refused.clear()
      refused.add(digest)
      return 'refused'
    },
  }
}

function digestOf(frame: Frame): string {
  return createHash('sha256').update(frame).digest('hex')
}
