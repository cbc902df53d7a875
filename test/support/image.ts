// SPDX-License-Identifier: GPL-3.0-or-later
/** Images that say of themselves what real ones say, and manifests for them. */
import { createHash } from 'node:crypto'
import { type Frame, type Manifest, type Signer, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'

/** `size` bytes of noise with the words of firmware/core/image.h somewhere in it. */
export function fakeImage(
  self: { sequence?: number; vendor?: string; imageClass?: string; version?: string } = {},
  size = 5000,
): Uint8Array {
  const { sequence = 2, vendor = 'shallot', imageClass = 'host/lamp', version = '0.2.0' } = self
  const image = Buffer.from(Uint8Array.from({ length: size }, (_, i) => i * 7))
  const at = 1000
  image.fill(0, at, at + 132)
  image.write('shallot-image/1\0', at, 'latin1')
  image.writeUInt32LE(sequence, at + 16)
  image.write(vendor, at + 20, 'latin1')
  image.write(imageClass, at + 52, 'latin1')
  image.write(version, at + 116, 'latin1')
  return Uint8Array.from(image)
}

export function fakeManifest(image: Uint8Array, by: Signer, change: Partial<Manifest> = {}): Frame {
  return sealEnvelope(
    {
      type: 'manifest',
      audience: idOf(by.key),
      sealedAt: 1_795_000_000,
      epoch: new Uint8Array(8),
      sequence: 1,
      imageSequence: 2,
      vendor: 'shallot',
      imageClass: 'host/lamp',
      digest: sha256(image),
      size: image.length,
      firmware: 'lamp 0.2.0',
      ...change,
    },
    by,
  )
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
