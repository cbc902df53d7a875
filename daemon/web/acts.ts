// SPDX-License-Identifier: GPL-3.0-or-later
/** The hub's log (SPEC 9.7) → who did what: a command and what became of it are one act. */
import { sha256 } from '@noble/hashes/sha2.js'
import { type Code, codeByNumber } from '../../schemas/gen/ts/codes.ts'
import { toBase64url } from '../base/bytes.ts'
import { affordanceOf, fromWire, type PartyId } from '../core/model/index.ts'
import { knownCode, type Value } from './answers.ts'
import {
  fieldsOf,
  isAbsent,
  listIn,
  numberIn,
  optionalBytesIn,
  optionalIdIn,
  optionalTextIn,
  textIn,
} from './fields.ts'
import { type Believed, openSealed } from './proof.ts'

const ENTRIES_MAX = 1000

export interface Act {
  readonly index: number
  readonly at: number
  /** A kind of the log, or `command` with its result. */
  readonly kind: string
  readonly device?: PartyId | undefined
  readonly signer?: PartyId | undefined
  /** As the hub names whom the key belongs to. */
  readonly person?: string | undefined
  readonly origin?: string | undefined
  readonly note?: string | undefined
  readonly code?: Code | undefined
  /** What was asked for, from the envelope that its signer sealed. */
  readonly asked?: { readonly name: string; readonly value?: Value | undefined } | undefined
  /** The envelope in it was sealed by who is named. */
  readonly sealed: boolean
}

/** One of the log, its envelope looked at. */
export interface Entry extends Act {
  readonly frame?: Uint8Array | undefined
  /** Base64url of the SHA-256 of the command that it answers. */
  readonly command?: string | undefined
}

/** Oldest first. @param known  by their index: what is among them is not looked at again */
export function readEntries(
  answer: unknown,
  believed: Believed | undefined,
  known: ReadonlyMap<number, Entry> = new Map(),
): readonly Entry[] {
  return listIn(fieldsOf(answer), 'entries', ENTRIES_MAX).map((each) => {
    const entry = readEntry(each)
    return known.get(entry.index) ?? checked(entry, believed)
  })
}

/** Oldest first in, newest first out. */
export function actsOf(entries: readonly Entry[]): readonly Act[] {
  const results = new Map<string, Entry>()
  for (const entry of entries) {
    if ((entry.kind === 'receipt' || entry.kind === 'expired') && entry.command)
      results.set(entry.command, entry)
  }
  const answered = new Set<Entry>()
  const acts = entries.map((entry): Entry => {
    if (entry.kind !== 'command' || !entry.frame) return entry
    const result = results.get(toBase64url(sha256(entry.frame)))
    if (!result) return entry
    answered.add(result)
    return { ...entry, code: result.kind === 'expired' ? 'expired' : (result.code ?? 'ok') }
  })
  return acts.filter((act) => !answered.has(act)).reverse()
}

function readEntry(entry: unknown): Entry {
  const fields = fieldsOf(entry)
  return {
    index: numberIn(fields, 'index'),
    at: numberIn(fields, 'at'),
    kind: textIn(fields, 'kind'),
    device: optionalIdIn(fields, 'device'),
    signer: optionalIdIn(fields, 'signer'),
    person: isAbsent(fields, 'person') ? undefined : textIn(fieldsOf(fields.person), 'name'),
    origin: optionalTextIn(fields, 'origin'),
    note: optionalTextIn(fields, 'note'),
    code: knownCode(fields.code),
    frame: optionalBytesIn(fields, 'frame'),
    command: optionalTextIn(fields, 'command'),
    sealed: false,
  }
}

/** What the log says was asked, or answered, is believed from the envelope alone, and only when its signer sealed it. */
function checked(entry: Entry, believed: Believed | undefined): Entry {
  const { frame } = entry
  // What somebody had done at a device, the device tells.
  const sealer = entry.kind === 'act' ? entry.device : entry.signer
  const body =
    frame && sealer && believed ? openSealed(frame, believed.ed25519, (key) => key === sealer) : undefined
  if (!body) return entry
  if (body.type === 'receipt') return { ...entry, sealed: true, code: codeByNumber(body.code) }
  if (body.type !== 'command' && body.type !== 'act') return { ...entry, sealed: true }
  const code = body.type === 'act' ? codeByNumber(body.code) : entry.code
  const affordance = affordanceOf(body.affordance)
  if (!affordance) return { ...entry, sealed: true, code }
  const said = body.type === 'act' ? undefined : body.value
  const value = said === undefined ? undefined : fromWire(affordance.capability, said)
  return { ...entry, sealed: true, code, asked: { name: affordance.name, value } }
}
