// SPDX-License-Identifier: GPL-3.0-or-later
import { nativeEd25519, type Signer } from '../../daemon/core/envelope/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import type { Context } from './text.ts'

const ed25519 = nativeEd25519()
const party = (fill: number): Signer => ed25519.signer(new Uint8Array(32).fill(fill))

/** The same people in every vector. */
export const root = party(1)
export const owner = party(2)
export const hub = party(3)
export const device = party(4)
export const stranger = party(5)
export const otherDevice = party(6)
export const secondOwner = party(9)
export const sitter = party(10)
export const sitterTablet = party(11)
export const guest = party(12)
export const friend = party(13)

export const HOME = idOf(root.key)
export const DEVICE = idOf(device.key)
export const OTHER_DEVICE = idOf(otherDevice.key)
export const NOW = 1_795_600_000
export const NONCE = Uint8Array.fromHex('a0a1a2a3a4a5a6a7')
export const EPOCH = Uint8Array.fromHex('b0b1b2b3b4b5b6b7')

/** A device as receiver. */
export const atDevice: Context = {
  audience: DEVICE,
  now: NOW,
  nonce: NONCE,
  limit: 1024,
  root: root.key,
  owner: [owner.key],
  hub: hub.key,
  device: [device.key],
}
/** The hub as receiver of what is meant for the home. */
export const atHome: Context = { ...atDevice, audience: HOME }
