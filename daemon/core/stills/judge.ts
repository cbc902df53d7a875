// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import { PIECE_BYTES, STILL_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Still } from '../envelope/index.ts'
import { affordanceOf, type Device } from '../model/index.ts'
import type { Piece } from './ports.ts'

const [MARKER, BEGINS, ENDS] = [0xff, 0xd8, 0xd9]
const LEAST_BYTES = 4

/** Before any of it is taken: the device has such a property, and the picture is not too large (SPEC 19.3). */
export function judgeStill(
  device: Device,
  { affordance, size }: Still,
): Verdict<undefined, 'no-such-affordance' | 'still-too-large'> {
  const isThere = device.affordances.includes(affordance)
  if (!isThere || affordanceOf(affordance)?.capability.name !== 'still') return no('no-such-affordance')
  return size > STILL_BYTES_MAX ? no('still-too-large') : yes(undefined)
}

/** Whether this piece is the next of a picture of which `got` bytes are here. */
export function isNext({ offset, bytes }: Piece, got: number, size: number): boolean {
  return offset === got && bytes.length === Math.min(PIECE_BYTES, size - got)
}

/** All of it is here: it is what the device sealed, and a whole JPEG as far as its ends say (ITU-T T.81 B.1.1.3). */
export function judgePicture(
  { digest }: Pick<Still, 'digest'>,
  picture: Uint8Array,
): Verdict<undefined, 'still-digest' | 'still-broken'> {
  if (!equal(createHash('sha256').update(picture).digest(), digest)) return no('still-digest')
  const isMarker = (at: number, second: number) => picture[at] === MARKER && picture[at + 1] === second
  const isWhole = picture.length >= LEAST_BYTES && isMarker(0, BEGINS) && isMarker(picture.length - 2, ENDS)
  return isWhole ? yes(undefined) : no('still-broken')
}
