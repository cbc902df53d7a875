// SPDX-License-Identifier: GPL-3.0-or-later
/** Authorities of a home for the deciding rooms: real keys from made-up words, kept in memory. */
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { deviceCaSeedOf, hubCasOf, makeGeneration } from '../../daemon/config/generation-keys.ts'
import {
  type Frame,
  nativeEd25519,
  type Pins,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { derive } from '../../daemon/core/identity/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import type { Announced, Generation, GenerationVault } from '../../daemon/core/ports-generations.ts'

/** Every home of these tests grows from this entropy. */
export const WORDS = new Secret(new Uint8Array(32).fill(77))

export const rootOf = (words: Secret): Signer => nativeEd25519().signer(derive(words, 'root').reveal())

/** What `shallot ca rotate` hands in, from the generation after `from` to `to`. */
export function announcedFor(hubKey: Uint8Array, from: number, to: number, words = WORDS): Announced {
  const making = { hubKey, now: Date.now(), random: systemRandom }
  const steps = Array.from({ length: to - from }, (_, i) => makeGeneration(words, from + 1 + i, making))
  return { steps, deviceCaSeed: deviceCaSeedOf(words, to) }
}

export class MemoryVault implements GenerationVault {
  present: Generation
  hubCas: readonly Uint8Array[]
  deviceCaSeed: Secret
  former: readonly Generation[] = []
  spare: readonly Generation[] = []
  announced: Announced | undefined

  constructor(hubKey: Uint8Array, words: Secret = WORDS) {
    const { pins: _, ...present } = makeGeneration(words, 0, { hubKey, now: 0, random: systemRandom })
    this.present = present
    this.hubCas = hubCasOf(words, 0)
    this.deviceCaSeed = deviceCaSeedOf(words, 0)
  }

  get otherDeviceCas(): readonly Uint8Array[] {
    return [...this.former, ...this.spare].map(({ deviceCa }) => deviceCa)
  }

  announce(next: Announced): void {
    this.announced = next
  }

  abandon(): void {
    this.announced = undefined
  }

  enforce(hubCas: readonly Uint8Array[]): void {
    const [last, ...between] = this.announced!.steps.toReversed()
    this.former = [...between, this.present, ...this.former]
    this.present = last!
    this.deviceCaSeed = this.announced!.deviceCaSeed
    this.hubCas = hubCas
    this.announced = undefined
  }

  forget({ before, spare }: { readonly before: number; readonly spare: boolean }): void {
    this.former = this.former.filter(({ generation }) => generation >= before)
    if (spare) this.spare = []
  }
}

/** For rooms of which nobody asks about generations. */
export function stillGenerations(hubKey: Uint8Array) {
  return { vault: new MemoryVault(hubKey), taken: () => 0, onEnforced: () => {} }
}

/** As `announcedFor`, in a home whose root is not made from words. */
export function announcedBy(root: Signer, hubKey: Uint8Array, from: number, to: number): Announced {
  const { steps, deviceCaSeed } = announcedFor(hubKey, from, to)
  const sealed = steps.map((step) => ({ ...step, pins: pinsFrame(root, step.generation) }))
  return { steps: sealed, deviceCaSeed }
}

export function pinsFrame(by: Signer, generation: number, change: Partial<Pins> = {}): Frame {
  const claims = { audience: idOf(by.key), sealedAt: 0, epoch: new Uint8Array(8), sequence: generation }
  return sealEnvelope(
    { type: 'pins', ...claims, generation, hubCas: hubCasOf(WORDS, generation), ...change },
    by,
  )
}
