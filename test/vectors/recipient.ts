// SPDX-License-Identifier: GPL-3.0-or-later
/** The device that the update vectors describe, made of the daemon's own parts (SPEC 15). */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { equal, fromHex, toHex } from '../../daemon/base/bytes.ts'
import { no } from '../../daemon/base/error.ts'
import {
  admit,
  type BodyOf,
  decodeCbor,
  type Ed25519,
  type Frame,
  type Manifest,
  openEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { openTrust, type Trust } from '../../daemon/core/policy/index.ts'
import { judgeOffer } from '../../daemon/core/updates/index.ts'
import { CHUNK_BYTES, IMAGE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'

interface Underway {
  readonly name: string
  readonly manifest: Manifest
  image: Uint8Array
}

export class Recipient {
  readonly #ed25519: Ed25519
  #context: Record<string, string> = {}
  #trusted: Trust | undefined
  #record: BodyOf<'enrolment'> | undefined
  #underway: Underway | undefined

  constructor(ed25519: Ed25519) {
    this.#ed25519 = ed25519
  }

  /** Takes one field of the context; false when it is not one. */
  learn(field: string, value: string): boolean {
    const known = [
      'home',
      'audience',
      'now',
      'nonce',
      'limit',
      'root',
      'hub',
      'device',
      'image',
      'floor',
      'slot',
    ]
    if (!known.includes(field)) return false
    this.#context = { ...this.#context, [field]: value }
    return true
  }

  get #now(): number {
    return Number(this.#context.now)
  }

  get #trust(): Trust {
    if (!this.#trusted) {
      const trusted = openTrust(fromHex(this.#context.root!)!, [], this.#ed25519)
      assert(trusted.ok && trusted.value.home === this.#context.home, 'home is the id of root')
      this.#trusted = trusted.value
    }
    return this.#trusted
  }

  /** @returns the code reached */
  receive(frame: Frame): string {
    if (frame[0] !== 0xd2) return this.#note(frame)
    const { release } = this.#record ?? {}
    const opened = openEnvelope(
      frame,
      {
        sizeMax: Number(this.#context.limit),
        accepts: ({ type }, signer) => {
          if (type === 'owner') return equal(signer, this.#trust.root)
          if (type === 'enrolment') return this.#trust.isOwner(signer)
          assert.equal(type, 'manifest', 'nothing else is in these vectors')
          return release ? equal(signer, release) : no('no-release-key')
        },
        isAudience: ({ type, audience }) =>
          audience === (type === 'manifest' ? idOf(release!) : this.#context.home),
      },
      this.#ed25519,
    )
    if (!opened.ok) return opened.why
    const admitted = admit(opened.value, { now: this.#now })
    if (!admitted.ok) return admitted.why
    const { body } = admitted.value
    if (body.type === 'owner') {
      const added = this.#trust.addOwner(frame, this.#now)
      return added.ok ? 'ok' : added.why
    }
    if (body.type === 'manifest') return this.#offer(body, frame)
    this.#record = body as BodyOf<'enrolment'>
    return 'ok'
  }

  #offer(manifest: Manifest, frame: Frame): string {
    const [vendor, imageClass, sequence] = this.#context.image!.split(' ')
    const running = Number(sequence)
    const code = judgeOffer(manifest, {
      vendor: vendor!,
      imageClass: imageClass!,
      running,
      floor: Math.max(running, Number(this.#context.floor ?? 0)),
      slotBytes: Number(this.#context.slot),
    })
    const name = toHex(sha256(frame))
    if (code === 'ok' && this.#underway?.name !== name)
      this.#underway = { name, manifest, image: new Uint8Array() }
    return code
  }

  #note(frame: Frame): string {
    const item = decodeCbor(frame)
    if (!item.ok || !Array.isArray(item.value) || item.value.length !== 3) return 'bad-note'
    const [first, offset, bytes] = item.value
    if (first !== 1 || typeof offset !== 'number' || !(bytes instanceof Uint8Array)) return 'bad-note'
    if (offset < 0 || offset > IMAGE_BYTES_MAX || bytes.length < 1 || bytes.length > CHUNK_BYTES)
      return 'bad-note'
    return this.#chunk(offset, bytes)
  }

  #chunk(offset: number, bytes: Uint8Array): string {
    const way = this.#underway
    if (!way || way.image.length === way.manifest.size) return 'unexpected-message'
    const left = way.manifest.size - way.image.length
    if (offset !== way.image.length || bytes.length !== Math.min(left, CHUNK_BYTES)) return 'bad-note'
    way.image = Uint8Array.from([...way.image, ...bytes])
    if (bytes.length < left || equal(sha256(way.image), way.manifest.digest)) return 'ok'
    this.#underway = undefined
    return 'image-digest'
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
