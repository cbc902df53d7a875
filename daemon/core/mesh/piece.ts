// SPDX-License-Identifier: GPL-3.0-or-later
import { ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { decodeEntry, entryHash } from '../chain.ts'
import { type Ed25519, type EnvelopeCode, type Frame, openEnvelope } from '../envelope/index.ts'
import { idOf, type PartyId } from '../model/index.ts'
import type { EntryKind } from '../ports.ts'
import type { Papers } from './papers.ts'
import type { LogHead, Run } from './ports.ts'

export type PieceFault = 'known' | 'gap' | 'chain' | 'forked' | 'unsigned' | 'envelope' | 'later' | 'stranger'

/** What an entry of this kind carries was sealed by whom the entry names, or the daemon that wrote it lied. */
const CARRIES_SEALED: ReadonlySet<EntryKind> = new Set<EntryKind>([
  'command',
  'receipt',
  'enrolled',
  'confirmed',
  'adopted',
  'permit',
])

/**
 * Whether a run follows from `head` and is signed for by its author, envelopes inside included (SPEC 14.5).
 * @param maySkip  the beginning may be missing: its author pruned it, and says so itself, or nothing is here yet
 * @returns the hashes, one an entry; nothing may be kept of a run that fails
 */
export async function judgePiece(
  author: PartyId,
  run: Run,
  head: LogHead,
  maySkip: boolean,
  papers: Papers,
  ed25519: Ed25519,
): Promise<Verdict<readonly Uint8Array[], PieceFault>> {
  if (!papers.wasMember(author)) return no('stranger', 'its author was never a daemon of this home')
  const last = run.from + run.entries.length - 1
  if (last <= head.position) return no('known')
  const skips = run.from !== head.position + 1
  if (skips && !(maySkip && run.from > head.position)) return no('gap')
  if (!skips && !equal(run.before, head.hash)) {
    return no('forked', 'what follows here follows from other entries than those we hold')
  }
  const hashes: Uint8Array[] = []
  const sealed: Sealed[] = []
  let previous = run.before
  for (const [at, body] of run.entries.entries()) {
    const entry = decodeEntry(body)
    if (!entry || entry.position !== run.from + at)
      return no('chain', `entry ${run.from + at} is not in its place`)
    previous = entryHash(previous, body)
    hashes.push(previous)
    const { position, kind, frame, signer } = entry
    if (CARRIES_SEALED.has(kind) && frame !== undefined) sealed.push({ position, frame, signer })
  }
  const beacon = papers.openBeacon(run.beacon, author)
  if (beacon?.body.position !== last) return no('unsigned', 'it does not end where its author signed')
  if (!equal(beacon.body.hash, previous)) {
    return no('forked', 'what its author signed here follows from other entries than those we hold')
  }
  for (let at = 0; at < sealed.length; at += ASIDE_AT_ONCE) {
    const fault = await sealedAsSaid(sealed.slice(at, at + ASIDE_AT_ONCE), ed25519)
    if (fault) return fault
  }
  return yes(hashes)
}

/** As many as keep the other threads busy: what waits for them should die young. */
const ASIDE_AT_ONCE = 32

/** An envelope in an entry, and who sealed it by what the entry says. */
interface Sealed {
  readonly position: number
  readonly frame: Frame
  readonly signer: PartyId | undefined
}

/** Everything about the envelopes but their signatures here; these aside, all at once. */
async function sealedAsSaid(
  sealed: readonly Sealed[],
  ed25519: Ed25519,
): Promise<Verdict<never, PieceFault> | undefined> {
  const signatures: { readonly position: number; readonly isTrue: Promise<boolean> }[] = []
  for (const { position, frame, signer } of sealed) {
    const aside: Ed25519 = {
      ...ed25519,
      verify(...signed) {
        const isTrue = ed25519.verifyAside?.(...signed) ?? Promise.resolve(ed25519.verify(...signed))
        signatures.push({ position, isTrue })
        return true
      },
    }
    const receiver = {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (_body: unknown, key: Uint8Array) => signer === undefined || idOf(key) === signer,
      isAudience: () => true,
    }
    const opened = openEnvelope(frame, receiver, aside)
    if (!opened.ok) return faultOf(position, opened.why)
  }
  const all = await Promise.all(signatures.map(({ isTrue }) => isTrue))
  const wrong = all.indexOf(false)
  return wrong < 0 ? undefined : faultOf(signatures[wrong]!.position, 'bad-signature')
}

function faultOf(position: number, why: EnvelopeCode): Verdict<never, PieceFault> {
  return why === 'unknown-type'
    ? no('later', `entry ${position} is of a later version of Shallot: bring this daemon to that version`)
    : no('envelope', `entry ${position} carries what its signer did not seal`)
}
