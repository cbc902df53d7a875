// SPDX-License-Identifier: GPL-3.0-or-later
/** Notes: what the two ends of a link tell each other beside envelopes (SPEC 6.3). */
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import { GOT_DIGEST_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { encodeCbor } from '../../core/envelope/index.ts'
import { writeFrame } from './frames.ts'

const ENVELOPE_FIRST_BYTE = 0xd2
const GOT_HEAD = [0x81, 0x40 | GOT_DIGEST_BYTES] as const

export function isEnvelope(frame: Uint8Array): boolean {
  return frame[0] === ENVELOPE_FIRST_BYTE
}

/** "Everything of this epoch up to and including this sequence is on disk", as a frame. */
export function storedFrame(epoch: Uint8Array, sequence: number): Uint8Array {
  return writeFrame(encodeCbor([epoch, sequence]))
}

/** "Refused, I close", as a frame. */
export function refusalFrame(code: Code): Uint8Array {
  return writeFrame(encodeCbor([0, CODES[code]]))
}

/** The digest in a device's note "that envelope has arrived", or undefined for `bad-note`: devices say nothing else. */
export function readGot(note: Uint8Array): Uint8Array | undefined {
  const fits = note.length === GOT_HEAD.length + GOT_DIGEST_BYTES
  if (!fits || note[0] !== GOT_HEAD[0] || note[1] !== GOT_HEAD[1]) return undefined
  return Uint8Array.from(note.subarray(GOT_HEAD.length))
}
