// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The keys of a home on disk (DESIGN §3): what the owner's directory holds, and what the daemon's.
 *
 * Always true: the seed and the root are never written; the owner's key is never in the daemon's directory; the hub CA's
 * private key is used when an owner brings the words, for the hub's leaf, and not kept. What the daemon holds can withhold and delay, not command.
 */
import { GENERATION_MAX, GENERATIONS_SPARE, KEY_BYTES } from '../../schemas/gen/ts/wire.ts'
import { fromBase64url, toBase64url } from '../base/bytes.ts'
import type { Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { Secret } from '../base/secret.ts'
import { nativeEd25519, type Signer, sealEnvelope } from '../core/envelope/index.ts'
import { derive, deriveP256, type Seed } from '../core/identity/index.ts'
import { idOf, type PartyId } from '../core/model/index.ts'
import { ConfigError } from './error.ts'
import { deviceCaSeedOf, hubCasOf, makeGeneration } from './generation-keys.ts'
import { FIRST_DEVICE_CA, type KeptGenerations, loadGenerations, saveGenerations } from './generations.ts'
import { holds, readPrivate, removePrivate, writePrivate } from './vault.ts'

/** What everybody in the home may know. */
export interface HomeFacts {
  readonly home: PartyId
  readonly root: Uint8Array
  /** The root's envelopes that make owners. */
  readonly owners: readonly Uint8Array[]
  /** Raw Ed25519 keys of the hub CA, current then next: what devices pin. */
  readonly hubCas: readonly Uint8Array[]
  /** Which generation these are of (SPEC 16.1). */
  readonly generation: number
}

export interface OwnerRing extends HomeFacts {
  readonly owner: Signer
  readonly name: string
}

export interface HubRing extends HomeFacts {
  readonly hubSeed: Secret
  /** DER, issued by the hub CA for the hub's key. */
  readonly hubLeaf: Uint8Array
  /** An owner's envelope that makes this hub a member. */
  readonly member: Uint8Array
  /** Issues device certificates. */
  readonly deviceCaSeed: Secret
  readonly onionMaster: Secret
  /** P-256 scalar of the web CA, 32 bytes big-endian. */
  readonly webCaScalar: Secret
  /** What a home that is made again knows of its generations, beside the present one. */
  readonly kept?: KeptGenerations | undefined
}

export interface NewHome {
  readonly owner: { readonly seed: Secret; readonly facts: HomeFacts; readonly name: string }
  readonly hub: HubRing
}

/** Every key of a home from its seed, plus a fresh key for this machine's hub. Nothing is written. */
export function createHome(
  seed: Seed,
  options: {
    readonly ownerName: string
    readonly now: Instant
    readonly random: Random
    /** The name of a further daemon of the home, which has addresses of its own (SPEC 5); the first is called `hub`. */
    readonly as?: string | undefined
    /** The generation that the home's authorities are in. */
    readonly generation?: number
    /** The home may be in a later generation than anybody here knows: leaves for some of these, too (SPEC 16.4). */
    readonly isRestored?: boolean
  },
): NewHome {
  const ed25519 = nativeEd25519()
  const signerFor = (purpose: string) => ed25519.signer(derive(seed, purpose).reveal())
  const root = signerFor('root')
  const site = options.as ?? FIRST_SITE
  const generation = options.generation ?? 0
  const ownerSeed = derive(seed, 'owner/0')
  const owner = ed25519.signer(ownerSeed.reveal())
  const hubSeed = new Secret(options.random.bytes(32))
  const hub = ed25519.signer(hubSeed.reveal())
  const home = idOf(root.key)
  const said = {
    audience: home,
    sealedAt: Math.floor(options.now / 1000),
    epoch: options.random.bytes(8),
  }
  const facts: HomeFacts = {
    home,
    root: root.key,
    owners: [
      sealEnvelope({ type: 'owner', ...said, sequence: 0, name: options.ownerName, key: owner.key }, root),
    ],
    hubCas: hubCasOf(seed, generation),
    generation,
  }
  const make = (each: number) => makeGeneration(seed, each, { ...options, hubKey: hub.key })
  const { pins, ...made } = make(generation)
  const spare = Array.from({ length: options.isRestored ? GENERATIONS_SPARE : 0 }, (_, i) =>
    make(generation + 1 + i),
  )
  const present = generation > 0 ? { ...made, pins } : made
  return {
    owner: { seed: ownerSeed, facts, name: options.ownerName },
    hub: {
      ...facts,
      hubSeed,
      hubLeaf: present.hubLeaf,
      member: sealEnvelope({ type: 'member', ...said, sequence: 1, name: site, key: hub.key }, owner),
      deviceCaSeed: deviceCaSeedOf(seed, generation),
      onionMaster: derive(seed, site === FIRST_SITE ? 'onion' : `onion-of/${site}`),
      webCaScalar: deriveP256(seed, 'web-ca/0'),
      ...(options.isRestored && { kept: { present, hubCas: facts.hubCas, former: [], spare } }),
    },
  }
}

/** What the home's first daemon is called. */
const FIRST_SITE = 'hub'

const FACTS = 'home.json'
/** There from the making of a home until its daemon has a database: one that is gone later is missed, and not made anew. */
const UNBEGUN = 'unbegun'
/** Current and next. */
const HUB_CAS = 2

/** @throws ConfigError conflict when a home is there already */
export function saveOwner(directory: string, owner: NewHome['owner']): void {
  requireNoHome(directory)
  writePrivate(directory, 'owner.key', owner.seed.reveal())
  writeFacts(directory, owner.facts, { name: owner.name })
}

/** Whom the root made an owner, as this owner's side has heard by now. @throws ConfigError missing | too-open | bad-config */
export function keepOwners(directory: string, owners: readonly Uint8Array[]): void {
  const { facts, rest } = readFacts(directory, ['name'])
  writeFacts(directory, { ...facts, owners }, rest)
}

/** What devices pin from now on, as this owner's side has heard from the root. @throws ConfigError missing | too-open | bad-config */
export function keepPins(directory: string, pins: Pick<HomeFacts, 'generation' | 'hubCas'>): void {
  const { facts, rest } = readFacts(directory, ['name'])
  const { generation, hubCas } = pins
  writeFacts(directory, { ...facts, generation, hubCas }, rest)
}

/** @throws ConfigError conflict when a home is there already */
export function saveHub(directory: string, hub: HubRing): void {
  requireNoHome(directory)
  writePrivate(directory, 'hub.key', hub.hubSeed.reveal())
  writePrivate(directory, FIRST_DEVICE_CA, hub.deviceCaSeed.reveal())
  writePrivate(directory, 'onion.key', hub.onionMaster.reveal())
  writePrivate(directory, 'web-ca.key', hub.webCaScalar.reveal())
  if (hub.kept) saveGenerations(directory, hub.kept)
  writePrivate(directory, UNBEGUN, '')
  // Last, because its presence is what makes the directory a home.
  writeFacts(directory, hub, { hubLeaf: toBase64url(hub.hubLeaf), member: toBase64url(hub.member) })
}

/** @throws ConfigError missing | too-open | bad-config */
export function loadOwner(directory: string): OwnerRing {
  const { facts, rest } = readFacts(directory, ['name'])
  return {
    ...facts,
    name: rest.name!,
    owner: nativeEd25519().signer(readKey(directory, 'owner.key').reveal()),
  }
}

/** @throws ConfigError missing | too-open | bad-config */
export function loadHub(directory: string): HubRing {
  const { facts, rest } = readFacts(directory, ['hubLeaf', 'member'])
  const later = loadGenerations(directory)
  return {
    ...facts,
    ...(later && { hubCas: later.hubCas, generation: later.present.generation }),
    hubSeed: readKey(directory, 'hub.key'),
    hubLeaf: later?.present.hubLeaf ?? requireBytes(directory, rest.hubLeaf!),
    member: requireBytes(directory, rest.member!),
    deviceCaSeed: later?.deviceCaSeed ?? readKey(directory, FIRST_DEVICE_CA),
    onionMaster: readKey(directory, 'onion.key'),
    webCaScalar: readKey(directory, 'web-ca.key'),
  }
}

export function holdsHome(directory: string): boolean {
  return holds(directory, FACTS)
}

/** Whether no daemon has kept anything of this home here. */
export function isUnbegun(directory: string): boolean {
  return holds(directory, UNBEGUN)
}

/** From now on its database belongs to it. */
export function hasBegun(directory: string): void {
  removePrivate(directory, UNBEGUN)
}

function requireNoHome(directory: string): void {
  if (holdsHome(directory)) {
    throw new ConfigError(
      'conflict',
      `${directory} holds a home already: move it away or name another directory`,
    )
  }
}

function readKey(directory: string, name: string): Secret {
  const bytes = readPrivate(directory, name)
  if (bytes.length !== 32)
    throw new ConfigError('bad-config', `${directory}/${name} is not a key of 32 bytes`)
  return new Secret(bytes)
}

function writeFacts(directory: string, facts: HomeFacts, rest: Record<string, string>): void {
  const { home, owners, hubCas, generation } = facts
  const pins = { hubCas: hubCas.map(toBase64url), ...(generation > 0 && { generation }) }
  const json = { version: 1, home, owners: owners.map(toBase64url), ...pins, ...rest }
  writePrivate(directory, FACTS, `${JSON.stringify(json, null, 2)}\n`)
}

function readFacts(
  directory: string,
  more: readonly string[],
): { facts: HomeFacts; rest: Record<string, string> } {
  const damaged = (what: string) =>
    new ConfigError('bad-config', `${directory}/${FACTS} is damaged (${what}): restore it from your words`)
  let json: Record<string, unknown> | null
  try {
    json = JSON.parse(new TextDecoder().decode(readPrivate(directory, FACTS)))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw damaged('not JSON')
  }
  if (json?.version !== 1) throw damaged('version')
  const root = typeof json.home === 'string' ? fromBase64url(json.home) : undefined
  if (root?.length !== KEY_BYTES) throw damaged('home')
  const rest: Record<string, string> = {}
  for (const name of more) {
    const text = json[name]
    if (typeof text !== 'string') throw damaged(name)
    rest[name] = text
  }
  const list = (name: string): Uint8Array[] => {
    const texts = json[name]
    if (!Array.isArray(texts)) throw damaged(name)
    return texts.map((text) => requireBytes(directory, text))
  }
  const [owners, hubCas] = [list('owners'), list('hubCas')]
  if (owners.length === 0) throw damaged('owners')
  if (hubCas.length !== HUB_CAS || hubCas.some((key) => key.length !== KEY_BYTES)) throw damaged('hubCas')
  const { generation = 0 } = json
  if (typeof generation !== 'number' || !(generation >= 0 && generation <= GENERATION_MAX))
    throw damaged('generation')
  return { facts: { home: idOf(root), root, owners, hubCas, generation }, rest }
}

function requireBytes(directory: string, text: unknown): Uint8Array {
  const bytes = typeof text === 'string' ? fromBase64url(text) : undefined
  if (!bytes)
    throw new ConfigError('bad-config', `${directory}/${FACTS} is damaged: restore it from your words`)
  return bytes
}
