// SPDX-License-Identifier: GPL-3.0-or-later
/** One phone that joins (SPEC 13.3 to 13.5): what is kept until an owner has confirmed it, and what only the owner's side can check. */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ENROL_SECRET_BYTES, PAIRING_LIFETIME_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal, fromBase64url, toBase64url, toHex, utf8 } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import { isCode } from '../../base/error.ts'
import { Secret } from '../../base/secret.ts'
import { writePrivate } from '../../config/vault.ts'
import type { Message, Pair } from '../../core/envelope/index.ts'
import { keyProof, matchDigits, type PairKeys, pairKeys } from '../../core/identity/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { fieldsOf, optionalBytesIn, optionalTextIn } from '../fields.ts'
import type { Person } from '../person.ts'
import { parseJson } from '../reach/index.ts'
import type { Tools } from '../tools.ts'
import { typedLast } from '../typed.ts'
import { openBy } from './house.ts'

export interface PendingPhone {
  readonly name: string
  /** Base64url of the person's id. */
  readonly person: string
  readonly secret: Secret
  readonly invitation: string
  readonly expiresAt: Instant
}

export const keysOf = ({ secret }: PendingPhone): PairKeys => pairKeys(secret)

export function pairingId(pending: PendingPhone): string {
  return toBase64url(keysOf(pending).pairing)
}

function directoryOf(owner: string): string {
  return join(owner, 'pairings')
}

function fileOf(pending: PendingPhone): string {
  return `${toHex(keysOf(pending).pairing)}.json`
}

export function keepPairing(owner: string, pending: PendingPhone): void {
  const { secret, ...rest } = pending
  const json = { ...rest, secret: toBase64url(secret.reveal()) }
  writePrivate(directoryOf(owner), fileOf(pending), JSON.stringify(json))
}

export async function dropPairing(owner: string, pending: PendingPhone): Promise<void> {
  await rm(join(directoryOf(owner), fileOf(pending)), { force: true })
}

/** The latest that was begun under this name; those that are over are cleared away. @throws CliError not-found */
export async function findPairing(owner: string, name: string, now: Instant): Promise<PendingPhone> {
  let latest: PendingPhone | undefined
  for (const pending of await listPairings(owner)) {
    if (pending.expiresAt <= now) await dropPairing(owner, pending)
    else if (pending.name === name && (!latest || pending.expiresAt > latest.expiresAt)) latest = pending
  }
  if (latest) return latest
  throw new CliError('not-found', `no phone called ${name} is being added with this owner's directory`, {
    next: `begin with \`shallot phone add --person <person> ${typedLast(name)}\``,
  })
}

async function listPairings(owner: string): Promise<readonly PendingPhone[]> {
  const directory = directoryOf(owner)
  try {
    const names = (await readdir(directory)).filter((name) => /^[0-9a-f]{16}\.json$/.test(name))
    const read = names.map(async (name) => parse(await readFile(join(directory, name), 'utf8')))
    return (await Promise.all(read)).filter((each) => each !== undefined)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return []
    throw error
  }
}

function parse(text: string): PendingPhone | undefined {
  try {
    const { name, person, secret, invitation, expiresAt } = JSON.parse(text)
    const bytes = fromBase64url(String(secret))
    const whole = [name, person, invitation].every((each) => typeof each === 'string')
    if (bytes?.length !== ENROL_SECRET_BYTES || !whole || !Number.isSafeInteger(expiresAt)) return undefined
    return { name, person, invitation, expiresAt, secret: new Secret(bytes) }
  } catch {
    return undefined
  }
}

const PAUSE_MS = 1000
const PAUSES_MAX = PAIRING_LIFETIME_S_MAX

/** The phone's own envelope, when it has come. Asks again when the stream breaks off, until the code is void. */
export async function awaitPhone(tools: Tools, api: Api, pending: PendingPhone): Promise<Uint8Array> {
  const path = `/pairings/${pairingId(pending)}`
  for (let tries = 0; tries < PAUSES_MAX; tries++) {
    try {
      for await (const event of await api.events(path)) {
        if (event.event !== 'pairing') continue
        const said = fieldsOf(parseJson(utf8(event.data)), 'the state of a pairing')
        const frame = optionalBytesIn(said, 'pair')
        if (frame) return frame
        const state = optionalTextIn(said, 'state')
        if (state === 'expired') throw tooLate(pending)
        if (state === 'declined')
          throw new CliError('not-confirmed', `${pending.name} was declined elsewhere`)
      }
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== 'unreachable' || tries === 0) throw error
    }
    if (tools.clock.now() > pending.expiresAt) throw tooLate(pending)
    await tools.clock.sleep(PAUSE_MS, tools.signal)
  }
  throw tooLate(pending)
}

function tooLate({ name }: PendingPhone): CliError {
  return new CliError('permit-expired', `no phone came with the code for ${name} in time`, {
    next: `make another with \`shallot phone add --person <person> ${typedLast(name)}\``,
  })
}

/**
 * The key of the phone that had the code, and the digits it shows.
 * @throws CliError bad-proof when the hub shows a key whose holder did not have the code
 */
export function openPair(
  frame: Uint8Array,
  pending: PendingPhone,
  owner: Person,
): { readonly key: Uint8Array; readonly digits: string } {
  const keys = keysOf(pending)
  const { body, signer }: Message<Pair> = openBy('pair', frame, owner)
  const proven = equal(body.proofForOwner, keyProof(keys.ownerProofKey, signer))
  if (equal(body.pairing, keys.pairing) && proven) {
    return { key: signer, digits: matchDigits(keys.ownerProofKey, signer) }
  }
  throw new CliError('bad-proof', `the key that the home showed for ${pending.name} did not have the code`, {
    next: 'do not use this hub before you know why; begin again with a new code',
  })
}
