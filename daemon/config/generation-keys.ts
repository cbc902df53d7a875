// SPDX-License-Identifier: GPL-3.0-or-later
/** A generation of a hub's authorities, made from the words (SPEC 5, 16.1): private keys of hub CAs live in these calls and nowhere else. */
import type { Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Secret } from '../base/secret.ts'
import { type Frame, nativeEd25519, type Signer, sealEnvelope } from '../core/envelope/index.ts'
import { hubLeaf } from '../core/identity/certificates.ts'
import { derive, type Seed } from '../core/identity/index.ts'
import { idOf } from '../core/model/index.ts'
import type { Generation } from '../core/ports-generations.ts'

export interface GenerationMaking {
  readonly hubKey: Uint8Array
  readonly now: Instant
  readonly random: Random
}

export type MadeGeneration = Generation & { readonly pins: Frame }

/** The root's word on a generation, this hub's leaf in it, and the key of its device CA. */
export function makeGeneration(words: Seed, generation: number, making: GenerationMaking): MadeGeneration {
  const { hubKey, now, random } = making
  const root = signerFor(words, 'root')
  const pins = sealEnvelope(
    {
      type: 'pins',
      audience: idOf(root.key),
      sealedAt: Math.floor(now / 1000),
      epoch: random.bytes(8),
      sequence: generation,
      generation,
      hubCas: hubCasOf(words, generation),
    },
    root,
  )
  return {
    generation,
    pins,
    hubLeaf: hubLeaf(signerFor(words, `hub-ca/${generation}`), hubKey, random.bytes(16)),
    deviceCa: signerFor(words, `device-ca/${generation}`).key,
  }
}

/** What devices of a generation pin: current, then next. */
export function hubCasOf(words: Seed, generation: number): readonly Uint8Array[] {
  return [generation, generation + 1].map((each) => signerFor(words, `hub-ca/${each}`).key)
}

export function deviceCaSeedOf(words: Seed, generation: number): Secret {
  return derive(words, `device-ca/${generation}`)
}

function signerFor(words: Seed, purpose: string): Signer {
  return nativeEd25519().signer(derive(words, purpose).reveal())
}
