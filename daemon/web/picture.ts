// SPDX-License-Identifier: GPL-3.0-or-later
/** A picture that a device took: waited for, and shown only when it is what the device sealed (SPEC 19). */
import { sha256 } from '@noble/hashes/sha2.js'
import { STILL_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { isCode } from '../base/error.ts'
import type { PartyId } from '../core/model/index.ts'
import { readStills } from './answers.ts'
import type { Asker } from './ask.ts'
import { PageError } from './error.ts'
import { type Believed, proveStill } from './proof.ts'

/** What was checked: the bytes are of this digest, and the device's key sealed that, this size and this time. */
export interface Picture {
  readonly jpeg: Uint8Array
  /** ms; 0: the device did not know. */
  readonly at: number
}

export interface PictureDeps {
  readonly clock: Clock
  readonly asker: Asker
  readonly believed: Believed
  /** So many of so many bytes are at the hub. */
  readonly onProgress: (got: number, size: number) => void
}

/** What the hub is asked to wait, and how long a picture may stand still. */
const WAIT_S = 3
const STALLED_MS_MAX = 60_000
/** How long the bytes are asked for again, and the rest in between. */
const FETCH_MS_MAX = 120_000
const AGAIN_MS = 500

export interface Wanted {
  readonly thing: PartyId
  /** The property `still`, by its name. */
  readonly property: string
  /** SHA-256 of the command that it was taken for; absent: the newest that is kept. */
  readonly command?: Uint8Array | undefined
}

/**
 * @returns undefined when there is none, and none was asked for
 * @throws PageError why the hub did not keep it; still-late; distrust when what it shows is not the device's
 */
export async function fetchPicture(
  deps: PictureDeps,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Picture | undefined> {
  const frame = await frameOf(deps, wanted, signal)
  if (!frame) return undefined
  const { body } = proveStill(frame, wanted.thing, deps.believed)
  const isAnswer = !wanted.command || equal(body.command, wanted.command)
  if (!isAnswer || body.size > STILL_BYTES_MAX)
    throw new PageError('distrust', 'a picture of another command')
  const path = `/things/${wanted.thing}/stills/${toBase64url(body.digest)}`
  const jpeg = await bytesOf(deps, path, signal)
  if (jpeg.length !== body.size || !equal(sha256(jpeg), body.digest)) {
    throw new PageError('distrust', 'the picture is not the one that the device sealed')
  }
  return { jpeg, at: body.at }
}

/** From another home it may come in several goes: each goes on where the one before was. */
async function bytesOf(
  { clock, asker }: PictureDeps,
  path: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const since = clock.monotonic()
  for (;;) {
    try {
      return await asker.bytes({ method: 'GET', path }, STILL_BYTES_MAX, signal)
    } catch (error) {
      if (!isCode(error, 'busy') || clock.monotonic() - since >= FETCH_MS_MAX) throw error
      await clock.sleep(AGAIN_MS, signal)
    }
  }
}

async function frameOf(
  { clock, asker, onProgress }: PictureDeps,
  { thing, property, command }: Wanted,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const awaited = command ? `&command=${toBase64url(command)}&wait=${WAIT_S}` : ''
  const call = {
    method: 'GET',
    path: `/things/${thing}/stills?property=${property}&limit=1${awaited}`,
  } as const
  let got = -1
  let movedAt = clock.monotonic()
  while (clock.monotonic() - movedAt < STALLED_MS_MAX) {
    const { frame, coming } = readStills(await asker.json(call, signal))
    if (frame || !command) return frame
    if (coming?.code) throw new PageError(coming.code, coming.code)
    if (!coming) continue
    if (coming.got !== got) movedAt = clock.monotonic()
    got = coming.got
    onProgress(got, coming.size)
  }
  throw new PageError('still-late', 'the picture has not arrived at the hub')
}
