// SPDX-License-Identifier: GPL-3.0-or-later
/** What stills ask of the room that remembers, and what they speak of (SPEC 19). */
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import type { Instant } from '../../base/clock.ts'
import type { Frame } from '../envelope/message.ts'
import type { PartyId } from '../model/index.ts'

/** A picture that is kept, as its device sealed it. */
export interface KeptStill {
  readonly device: PartyId
  /** The property `still` that it belongs to. */
  readonly affordance: number
  /** SHA-256 of the command that it was taken for, and of the picture. */
  readonly command: Uint8Array
  readonly digest: Uint8Array
  readonly size: number
  /** When it was taken, as the device says; 0: it did not know. */
  readonly at: Instant
  readonly receivedAt: Instant
  /** The device's envelope. */
  readonly frame: Frame
}

export interface WhichStills {
  /** Taken for this command. */
  readonly command?: Uint8Array | undefined
  /** That came before the one of this digest; none when there is none of it. */
  readonly before?: Uint8Array | undefined
}

/** Pictures by device and digest, on disk. The book bounds them: of one device, and of all; the oldest go. */
export interface StillBook {
  /** Newest first, at most `limit`; those alone that `which` names. */
  list(device: PartyId, limit: number, which?: WhichStills): readonly KeptStill[]
  get(device: PartyId, digest: Uint8Array): KeptStill | undefined
  /** At most `size` bytes of it from `at`; undefined when it is not there any more. */
  read(device: PartyId, digest: Uint8Array, at: number, size: number): Uint8Array | undefined
  /** Keeps it, once. What has to go for it goes in the same transaction. */
  put(still: KeptStill, picture: Uint8Array): Promise<void>
}

/** The next bytes of a picture, as the link brings them. */
export interface Piece {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** How a picture is getting on: `got` bytes of `size` are here; a code when it is over and not kept. */
export interface Coming {
  readonly command: Uint8Array
  readonly digest: Uint8Array
  readonly size: number
  readonly got: number
  readonly code?: Code | undefined
}
