// SPDX-License-Identifier: GPL-3.0-or-later
/** Notes: what the two ends of a link tell each other beside envelopes (SPEC 6.3). */
import { CODES, type Code, codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import {
  GOT_DIGEST_BYTES,
  IMAGE_BYTES_MAX,
  PIECE_BYTES,
  STILL_BYTES_MAX,
} from '../../../schemas/gen/ts/wire.ts'
import { decodeCbor, encodeCbor } from '../../core/envelope/index.ts'
import type { Piece } from '../../core/stills/index.ts'
import type { WantedImage } from '../../core/updates/index.ts'
import { writeFrame } from './frames.ts'

const ENVELOPE_FIRST_BYTE = 0xd2
const PIECE_HEAD = [0x83, 0x02] as const
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

/** The digest in a device's note "that envelope has arrived", or undefined when it is none. */
export function readGot(note: Uint8Array): Uint8Array | undefined {
  const fits = note.length === GOT_HEAD.length + GOT_DIGEST_BYTES
  if (!fits || note[0] !== GOT_HEAD[0] || note[1] !== GOT_HEAD[1]) return undefined
  return Uint8Array.from(note.subarray(GOT_HEAD.length))
}

/** A device's note "the image of this manifest is here up to there" (SPEC 15.4), or undefined when it is none. */
export function readWanted(note: Uint8Array): WantedImage | undefined {
  const item = decodeCbor(note)
  if (!item.ok || !Array.isArray(item.value) || item.value.length !== 3) return undefined
  const [digest, offset, number] = item.value
  if (!(digest instanceof Uint8Array) || digest.length !== GOT_DIGEST_BYTES) return undefined
  if (typeof offset !== 'number' || offset < 0 || offset > IMAGE_BYTES_MAX) return undefined
  const code = typeof number === 'number' ? codeByNumber(number) : undefined
  return code && { digest: Uint8Array.from(digest), offset, code }
}

/** A device's note "the next bytes of the picture" (SPEC 19.3), or undefined when it is none. A view into the note. */
export function readPiece(note: Uint8Array): Piece | undefined {
  if (note[0] !== PIECE_HEAD[0] || note[1] !== PIECE_HEAD[1]) return undefined
  const item = decodeCbor(note)
  if (!item.ok || !Array.isArray(item.value)) return undefined
  const [, offset, bytes] = item.value
  if (typeof offset !== 'number' || offset < 0 || offset > STILL_BYTES_MAX) return undefined
  const isPiece = bytes instanceof Uint8Array && bytes.length > 0 && bytes.length <= PIECE_BYTES
  return isPiece ? { offset, bytes } : undefined
}
