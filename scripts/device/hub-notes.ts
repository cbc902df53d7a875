// SPDX-License-Identifier: GPL-3.0-or-later
import { no, type Verdict, yes } from '../../daemon/base/error.ts'
import { decodeCbor } from '../../daemon/core/envelope/index.ts'
import { type Code, codeByNumber } from '../../schemas/gen/ts/codes.ts'

/** What a hub may say to a device beside envelopes (SPEC 6.3). */
export type HubNote =
  | { readonly note: 'stored'; readonly epoch: Uint8Array; readonly sequence: number }
  | { readonly note: 'refusal'; readonly code: Code }

/** A note as a device reads it: the one shape of each, or `bad-note`. */
export function readHubNote(frame: Uint8Array): Verdict<HubNote, 'bad-note'> {
  const item = decodeCbor(frame)
  if (!item.ok || !Array.isArray(item.value) || item.value.length !== 2) return no('bad-note')
  const [first, second] = item.value
  if (typeof second !== 'number' || second < 0) return no('bad-note')
  if (first instanceof Uint8Array && first.length === 8) {
    return yes({ note: 'stored', epoch: Uint8Array.from(first), sequence: second })
  }
  const code = codeByNumber(second)
  return first === 0 && second !== 0 && code ? yes({ note: 'refusal', code }) : no('bad-note')
}
