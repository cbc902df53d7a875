// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Which generation the hub's authorities are in, on disk (SPEC 16): one private file beside the keys, replaced whole, so that a
 * rotation is before or after each of its steps. A home that was never rotated nor restored has none.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { GENERATION_MAX, GENERATIONS_KEPT_MAX, KEY_BYTES } from '../../schemas/gen/ts/wire.ts'
import { fromBase64url, toBase64url } from '../base/bytes.ts'
import { Secret } from '../base/secret.ts'
import { nativeEd25519 } from '../core/envelope/index.ts'
import type { Announced, Generation, GenerationVault } from '../core/ports-generations.ts'
import { ConfigError } from './error.ts'
import { holds, readPrivate, writePrivate } from './vault.ts'

const FILE = 'generations.json'
/** Where the device CA's seed is until the first rotation. */
export const FIRST_DEVICE_CA = 'device-ca.key'
const SEED_BYTES = 32

/** All that the file says. */
export interface KeptGenerations {
  readonly present: Generation
  readonly hubCas: readonly Uint8Array[]
  /** Absent: as in FIRST_DEVICE_CA. */
  readonly deviceCaSeed?: Secret | undefined
  readonly former: readonly Generation[]
  readonly spare: readonly Generation[]
  /** Keys of device CAs that issue no more. A certificate of theirs is renewed whenever its device comes. */
  readonly formerDeviceCas?: readonly Uint8Array[]
  readonly announced?: Announced | undefined
}

const FORMER_DEVICE_CAS_MAX = 4 * GENERATIONS_KEPT_MAX

/** What the hub has where there is no file. */
export interface FirstGeneration {
  readonly hubLeaf: Uint8Array
  readonly hubCas: readonly Uint8Array[]
  readonly deviceCaSeed: Secret
}

export function saveGenerations(directory: string, kept: KeptGenerations): void {
  writePrivate(directory, FILE, `${JSON.stringify(told(kept), null, 2)}\n`)
}

/** @returns undefined for a home without the file @throws ConfigError too-open | bad-config */
export function loadGenerations(directory: string): KeptGenerations | undefined {
  if (!holds(directory, FILE)) return undefined
  const text = new TextDecoder().decode(readPrivate(directory, FILE))
  try {
    return readFile(JSON.parse(text))
  } catch (cause) {
    throw new ConfigError('bad-config', `${directory}/${FILE} is damaged: restore the home from your words`, {
      cause,
    })
  }
}

export function openGenerationVault(directory: string, first: FirstGeneration): GenerationVault {
  return new GenerationFile(directory, first)
}

class GenerationFile implements GenerationVault {
  readonly #directory: string
  #kept: KeptGenerations & { readonly deviceCaSeed: Secret }

  constructor(directory: string, { hubLeaf, hubCas, deviceCaSeed }: FirstGeneration) {
    this.#directory = directory
    const deviceCa = nativeEd25519().signer(deviceCaSeed.reveal()).key
    const first = { present: { generation: 0, hubLeaf, deviceCa }, hubCas, former: [], spare: [] }
    const kept: KeptGenerations = loadGenerations(directory) ?? first
    this.#kept = { ...kept, deviceCaSeed: kept.deviceCaSeed ?? deviceCaSeed }
    this.#dropFirstSeed()
  }

  get present(): Generation {
    return this.#kept.present
  }

  get hubCas(): readonly Uint8Array[] {
    return this.#kept.hubCas
  }

  get deviceCaSeed(): Secret {
    return this.#kept.deviceCaSeed
  }

  get former(): readonly Generation[] {
    return this.#kept.former
  }

  get spare(): readonly Generation[] {
    return this.#kept.spare
  }

  get otherDeviceCas(): readonly Uint8Array[] {
    const { former, spare, formerDeviceCas = [] } = this.#kept
    return [...former, ...spare].map(({ deviceCa }) => deviceCa).concat(formerDeviceCas)
  }

  get announced(): Announced | undefined {
    return this.#kept.announced
  }

  announce(announced: Announced): void {
    this.#keep({ announced })
  }

  abandon(): void {
    this.#keep({ announced: undefined })
  }

  enforce(hubCas: readonly Uint8Array[]): void {
    const { announced, present, former, spare } = this.#kept
    if (!announced) throw new Error('nothing is announced')
    const [last, ...between] = announced.steps.toReversed()
    this.#keep({
      present: last!,
      hubCas,
      deviceCaSeed: announced.deviceCaSeed,
      former: [...between, present, ...former],
      spare: spare.filter(({ generation }) => generation > last!.generation),
      announced: undefined,
    })
    this.#dropFirstSeed()
  }

  forget({ before, spare }: { readonly before: number; readonly spare: boolean }): void {
    const former = this.#kept.former.filter(({ generation }) => generation >= before)
    const gone = this.#kept.former
      .filter((each) => !former.includes(each))
      .concat(spare ? this.#kept.spare : [])
    if (gone.length === 0) return
    const cas = [...gone.map(({ deviceCa }) => deviceCa), ...(this.#kept.formerDeviceCas ?? [])]
    const formerDeviceCas = cas.slice(0, FORMER_DEVICE_CAS_MAX)
    this.#keep({ former, formerDeviceCas, ...(spare && { spare: [] }) })
  }

  #keep(change: Partial<KeptGenerations & { readonly deviceCaSeed: Secret }>): void {
    const next = { ...this.#kept, ...change }
    saveGenerations(this.#directory, next)
    this.#kept = next
  }

  /** The key of a device CA that issues no more is good for nothing. */
  #dropFirstSeed(): void {
    if (loadGenerations(this.#directory)?.deviceCaSeed)
      rmSync(join(this.#directory, FIRST_DEVICE_CA), { force: true })
  }
}

function told(kept: KeptGenerations): object {
  const { present, hubCas, deviceCaSeed, former, spare, formerDeviceCas = [], announced } = kept
  return {
    version: 1,
    present: toldOne(present),
    hubCas: hubCas.map(toBase64url),
    ...(deviceCaSeed && { deviceCaSeed: toBase64url(deviceCaSeed.reveal()) }),
    former: former.map(toldOne),
    spare: spare.map(toldOne),
    formerDeviceCas: formerDeviceCas.map(toBase64url),
    ...(announced && {
      announced: {
        steps: announced.steps.map(toldOne),
        deviceCaSeed: toBase64url(announced.deviceCaSeed.reveal()),
      },
    }),
  }
}

function toldOne({ generation, pins, hubLeaf, deviceCa }: Generation): object {
  const must = { generation, hubLeaf: toBase64url(hubLeaf), deviceCa: toBase64url(deviceCa) }
  return pins ? { ...must, pins: toBase64url(pins) } : must
}

type Json = Readonly<Record<string, unknown>>

/** Throws for anything that `told` would not have written. */
function readFile(json: Json): KeptGenerations {
  if (json.version !== 1) throw new Error('version')
  const announced = json.announced as Json | undefined
  const hubCas = list(json.hubCas, (each) => bytes(each, KEY_BYTES))
  if (hubCas.length !== 2) throw new Error('hubCas')
  return {
    present: readOne(json.present),
    hubCas,
    deviceCaSeed: json.deviceCaSeed === undefined ? undefined : seed(json.deviceCaSeed),
    former: list(json.former, readOne),
    spare: list(json.spare, readOne),
    formerDeviceCas: list(json.formerDeviceCas, (each) => bytes(each, KEY_BYTES)),
    announced: announced && {
      steps: list(announced.steps, readOne),
      deviceCaSeed: seed(announced.deviceCaSeed),
    },
  }
}

function readOne(json: unknown): Generation {
  const { generation, pins, hubLeaf, deviceCa } = json as Json
  if (!Number.isInteger(generation) || Number(generation) < 0 || Number(generation) > GENERATION_MAX)
    throw new Error('generation')
  return {
    generation: Number(generation),
    hubLeaf: bytes(hubLeaf),
    deviceCa: bytes(deviceCa, KEY_BYTES),
    ...(pins !== undefined && { pins: bytes(pins) }),
  }
}

function list<T>(json: unknown, read: (each: unknown) => T): readonly T[] {
  if (!Array.isArray(json)) throw new Error('list')
  return json.map(read)
}

function seed(json: unknown): Secret {
  return new Secret(bytes(json, SEED_BYTES))
}

function bytes(json: unknown, size?: number): Uint8Array {
  const read = typeof json === 'string' ? fromBase64url(json) : undefined
  if (!read || (size !== undefined && read.length !== size)) throw new Error('bytes')
  return read
}
