// SPDX-License-Identifier: GPL-3.0-or-later

import { equal } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import type { Frame } from '../../core/envelope/index.ts'
import { type DeviceLeaf, deviceLeaf } from '../../core/identity/certificates.ts'
import { idOf } from '../../core/model/index.ts'
import type { LinkRoom } from './room.ts'

/**
 * When a device is given its next certificate (SPEC 6.7): after two thirds of the life of this one, and at once when
 * another CA than its own issues now. A certificate from the future is ours all the same: this hub's clock was set back.
 */
export function renewalDue(leaf: DeviceLeaf, issuer: Uint8Array): Instant {
  if (!equal(leaf.ca, issuer)) return 0
  return leaf.from + Math.floor(((leaf.until - leaf.from) * 2) / 3)
}

/** The next certificate of a known device, sealed for the life that said `nonce`; undefined for one that has no name here. */
export function nextPapers(room: LinkRoom, key: Uint8Array, nonce: Uint8Array): Frame | undefined {
  const { issuer, random, clock, voice, desk } = room
  const device = idOf(key)
  const name = desk.nameOf(device)
  if (name === undefined) return undefined
  return voice.enrolled(device, nonce, deviceLeaf(issuer(), key, random.bytes(8), clock.now()), name)
}
