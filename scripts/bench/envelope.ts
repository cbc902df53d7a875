// SPDX-License-Identifier: GPL-3.0-or-later
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { systemRandom } from '../../daemon/base/random.ts'
import {
  type Frame,
  nativeEd25519,
  openEnvelope,
  type Receiver,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { DEVICE_ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { against, type Bench, cpuSecondsOf, type Results } from './sample.ts'

const ROUNDS = 9
const BATCH = 2000
const HOME = idOf(new Uint8Array(32).fill(7))
const ed25519 = nativeEd25519()

/** A reading of two samples, as a weather sensor seals one. */
export function sealReading(signer: Signer, sequence: number): Frame {
  const at = 1_790_000_000_000 + sequence
  return sealEnvelope(
    {
      ...{ type: 'reading', audience: HOME, sealedAt: 0, epoch: new Uint8Array(8).fill(3), sequence },
      values: [
        { affordance: 1, at, value: sequence % 2 === 0 },
        { affordance: 2, at, value: sequence % 100 },
      ],
    },
    signer,
  )
}

/** Verifies as many signatures of messages that long and does nothing else; verifications per core-second. */
export class VerifyAlone {
  readonly #key: KeyObject
  readonly #signed: { readonly message: Uint8Array; readonly signature: Uint8Array }[]

  constructor(messageBytes: number, count = BATCH) {
    const signer = ed25519.signer(systemRandom.bytes(32))
    this.#key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: idOf(signer.key) },
      format: 'jwk',
    })
    this.#signed = Array.from({ length: count }, () => {
      const message = systemRandom.bytes(messageBytes)
      return { message, signature: signer.sign(message) }
    })
  }

  perCoreSecond(): number {
    const seconds = cpuSecondsOf(() => {
      for (const { message, signature } of this.#signed)
        if (!verify(null, message, this.#key, signature)) throw new Error('a signature did not verify')
    })
    return this.#signed.length / seconds
  }
}

/** `envelope.open` against the verification in it. */
export async function envelope({ say }: Bench): Promise<Results> {
  say('envelope.open: opening readings, and verifying their signatures alone')
  const signer = ed25519.signer(systemRandom.bytes(32))
  const frames = Array.from({ length: BATCH }, (_, sequence) => sealReading(signer, sequence))
  const alone = new VerifyAlone(signedBytes(frames[0]!.length))
  const [opened, verified]: [number[], number[]] = [[], []]
  for (let round = -2; round < ROUNDS; round++) {
    const opens = frames.length / cpuSecondsOf(() => openAll(frames))
    const verifies = alone.perCoreSecond()
    if (round < 0) continue
    opened.push(opens)
    verified.push(verifies)
  }
  return { 'envelope.open': against(opened, verified, 'opens/core-s') }
}

const receiver: Receiver = {
  sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
  accepts: (body) => body.type === 'reading',
  isAudience: (body) => body.audience === HOME,
}

function openAll(frames: readonly Frame[]): void {
  for (const frame of frames) {
    const opened = openEnvelope(frame, receiver, ed25519)
    if (!opened.ok) throw new Error(`the bench sealed what does not open: ${opened.why}`)
  }
}

/** Of the Sig_structure: the envelope without its signature, its tag and its empty map, with a context of its own. */
export function signedBytes(frameBytes: number): number {
  return frameBytes - 69 + 13
}
