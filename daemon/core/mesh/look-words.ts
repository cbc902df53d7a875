// SPDX-License-Identifier: GPL-3.0-or-later
/** What daemons say to each other of pictures ⇄ items (SPEC 19.6). */
import * as wire from '../../../schemas/gen/ts/wire.ts'
import type { Cbor, Frame } from '../envelope/index.ts'
import { keyOf, type PartyId } from '../model/index.ts'
import type { Reader } from './words.ts'

/** A picture as its device sealed it, and when it arrived. */
export interface LookedStill {
  readonly receivedAt: number
  readonly frame: Frame
}

/** One that is on its way, or was not kept. */
export interface LookedComing {
  readonly command: Uint8Array
  readonly digest: Uint8Array
  readonly size: number
  readonly got: number
  /** A number of codes.csv; 0 while it is on its way. */
  readonly code: number
}

export type LookWord =
  /** Somebody asks here for pictures of a device of yours. */
  | {
      readonly word: 'look'
      readonly number: number
      readonly device: PartyId
      /** For which their request was sealed. */
      readonly path: string
      /** Their sealed request; empty: the daemon that says this asks for itself. */
      readonly request: Frame
      /** Of which picture `have` bytes are here; empty: of none. */
      readonly digest: Uint8Array
      readonly have: number
    }
  /** What there is to see; of a picture its bytes follow. Or a code, and nothing. */
  | {
      readonly word: 'looked'
      readonly number: number
      readonly code: number
      readonly stills: readonly LookedStill[]
      readonly coming?: LookedComing | undefined
    }
  | { readonly word: 'part'; readonly number: number; readonly offset: number; readonly bytes: Uint8Array }
  /** So many bytes are here, in order: more may come. */
  | { readonly word: 'got'; readonly number: number; readonly got: number }

export function lookItem(word: LookWord): Cbor {
  switch (word.word) {
    case 'look': {
      const { number, device, path, request, digest, have } = word
      return [wire.TALK_LOOK, number, keyOf(device), path, request, digest, have]
    }
    case 'looked': {
      const { number, code, stills, coming } = word
      const told = stills.map(({ receivedAt, frame }) => [receivedAt, frame])
      const ways = coming ? [[coming.command, coming.digest, coming.size, coming.got, coming.code]] : []
      return [wire.TALK_LOOKED, number, code, told, ways]
    }
    case 'part':
      return [wire.TALK_PART, word.number, word.offset, word.bytes]
    case 'got':
      return [wire.TALK_GOT, word.number, word.got]
  }
}

export function readLookWord(number: Cbor | undefined, read: Reader): LookWord | undefined {
  switch (number) {
    case wire.TALK_LOOK: {
      const [asked, device] = [read.number(), read.party()]
      const [path, request] = [read.text(wire.LOOK_PATH_BYTES_MAX), read.bytes()]
      const [digest, have] = [read.bytesOrNone(wire.DIGEST_BYTES), read.number()]
      return { word: 'look', number: asked, device, path, request, digest, have }
    }
    case wire.TALK_LOOKED: {
      const [asked, code] = [read.number(), read.number()]
      const stills = read.list(wire.LOOKED_STILLS_MAX, stillOf)
      const [coming] = read.list(1, comingOf)
      return { word: 'looked', number: asked, code, stills, ...(coming && { coming }) }
    }
    case wire.TALK_PART: {
      const [asked, offset, bytes] = [read.number(), read.number(), read.bytes()]
      const fits = bytes.length >= 1 && bytes.length <= wire.PART_BYTES_MAX
      return fits ? { word: 'part', number: asked, offset, bytes } : undefined
    }
    case wire.TALK_GOT:
      return { word: 'got', number: read.number(), got: read.number() }
  }
  return undefined
}

function stillOf(item: Cbor): LookedStill | undefined {
  if (!Array.isArray(item) || item.length !== 2) return undefined
  const [receivedAt, frame] = item
  if (!isCount(receivedAt) || !(frame instanceof Uint8Array)) return undefined
  return { receivedAt, frame: Uint8Array.from(frame) }
}

function comingOf(item: Cbor): LookedComing | undefined {
  if (!Array.isArray(item) || item.length !== 5) return undefined
  const [command, digest, size, got, code] = item
  const isNamed = isDigest(command) && isDigest(digest)
  if (!isNamed || !isCount(size) || !isCount(got) || !isCount(code)) return undefined
  return { command: Uint8Array.from(command), digest: Uint8Array.from(digest), size, got, code }
}

function isCount(item: Cbor | undefined): item is number {
  return typeof item === 'number' && item >= 0
}

function isDigest(item: Cbor | undefined): item is Uint8Array {
  return item instanceof Uint8Array && item.length === wire.DIGEST_BYTES
}
