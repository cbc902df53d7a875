// SPDX-License-Identifier: GPL-3.0-or-later
/** A firmware home that can update its devices: images of real programs, a release key, and the hub's own streams of chunks. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { systemRandom } from '../../daemon/base/random.ts'
import {
  type Enrolment,
  type Frame,
  type Hello,
  type Manifest,
  type Message,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { readImageSelf, Stream, type WantedImage } from '../../daemon/core/updates/index.ts'
import { buildFirmware, type Port, programPath, type Release } from '../../scripts/firmware.ts'
import { builtFor } from './firmware.ts'
import { codeName, type FirmwareHome, openFirmwareHome, signer, until } from './firmware-home.ts'
import type { LinkHomeOptions } from './link-home.ts'

/** A program that was built as an image to update to. */
export function imageOf(port: Port, program: string, release: Release): Uint8Array {
  buildFirmware(builtFor(port), [program], release)
  return Uint8Array.from(readFileSync(programPath(builtFor(port), program, release)))
}

/** What the release key says of an image, as `shallot firmware seal` has it; `change` spoils it for hostile tests. */
export function manifestOf(image: Uint8Array, by: Signer, change: Partial<Manifest> = {}): Frame {
  const self = readImageSelf(image)!
  return sealEnvelope(
    {
      type: 'manifest',
      audience: idOf(by.key),
      sealedAt: Math.floor(Date.now() / 1000),
      epoch: systemRandom.bytes(8),
      sequence: Date.now(),
      imageSequence: self.sequence,
      vendor: self.vendor,
      imageClass: self.imageClass,
      digest: Uint8Array.from(createHash('sha256').update(image).digest()),
      size: image.length,
      firmware: `image ${self.version}`,
      ...change,
    },
    by,
  )
}

export interface UpdateHome extends FirmwareHome {
  readonly release: Signer
  /** The owner's record of a device, with this release key; the next welcome brings it, and so does the link now. */
  trust(device: { id: PartyId; hello: Message<Hello> }, key?: Uint8Array): Promise<void>
  /** From now on what a device wants of the image of this manifest is sent to it, up to `until` bytes. */
  serve(manifest: Frame, image: Uint8Array, until?: number): void
  /** Called when a device says that it has all of the image of this manifest. */
  whenComplete(manifest: Frame, size: number, act: () => void): void
  /** Offers a manifest and gives the code of the receipt. */
  offer(device: PartyId, manifest: Frame): Promise<string | undefined>
  /** The latest word of a device about the image of this manifest. */
  latest(manifest: Frame): WantedImage | undefined
}

export async function openUpdateHome(options: LinkHomeOptions = {}): Promise<UpdateHome> {
  const base = await openFirmwareHome(options)
  const { home, owner } = base
  const release = signer()
  const letters = home.desk.letters
  return {
    ...base,
    release,
    async trust({ id, hello }, key = release.key) {
      const record: Enrolment = {
        type: 'enrolment',
        audience: home.hub.homeId,
        sealedAt: Math.floor(Date.now() / 1000),
        epoch: systemRandom.bytes(8),
        sequence: Date.now(),
        name: 'device',
        key: hello.signer,
        permit: new Uint8Array(8),
        release: key,
      }
      const frame = sealEnvelope(record, owner)
      home.desk.letters = [...letters, frame]
      await until('room on the link', () => (home.link.send(id, frame) === 'sent' ? true : undefined))
    },
    serve(manifest, image, most = image.length) {
      const digest = digestOf(manifest)
      let stream = new Stream(image)
      home.desk.whenWelcomed = (device) => {
        stream = new Stream(image)
        home.link.send(device, manifest)
      }
      home.desk.whenWanted = (device, wanted) => {
        if (!digest.startsWith(wanted.digest.toHex()) || wanted.code !== 'ok' || wanted.offset >= most) return
        for (const chunk of stream.wanted(wanted.offset) ?? []) home.link.send(device, chunk)
      }
    },
    whenComplete(manifest, size, act) {
      const before = home.desk.whenWanted
      home.desk.whenWanted = (device, wanted) => {
        if (wanted.offset === size && digestOf(manifest).startsWith(wanted.digest.toHex())) act()
        else before(device, wanted)
      }
    },
    async offer(device, manifest) {
      return codeName((await base.send(device, manifest)).body.code)
    },
    latest: (manifest) =>
      home.desk.wants.findLast(({ digest }) => digestOf(manifest).startsWith(digest.toHex())),
    [Symbol.asyncDispose]: () => base[Symbol.asyncDispose](),
  }
}

function digestOf(manifest: Frame): string {
  return createHash('sha256').update(manifest).digest('hex')
}
