// SPDX-License-Identifier: GPL-3.0-or-later
/** Grants for somebody who has no key yet: kept by whoever gives them until their phone comes, and sealed for it then. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fromBase64url, toBase64url, toHex } from '../../base/bytes.ts'
import { isCode } from '../../base/error.ts'
import { writePrivate } from '../../config/vault.ts'
import { CliError } from '../error.ts'
import type { Deal } from './deal.ts'
import type { Terms } from './terms.ts'

const PROMISES_MAX = 64

function directoryOf(owner: string): string {
  return join(owner, 'promises')
}

function fileOf(person: Uint8Array): string {
  return `${toHex(person)}.json`
}

/** @throws CliError queue-full */
export async function keepPromise(owner: string, person: Uint8Array, deal: Deal): Promise<void> {
  const kept = await promisesTo(owner, person)
  if (kept.length >= PROMISES_MAX) {
    throw new CliError('queue-full', `${deal.name} was promised ${PROMISES_MAX} grants already`, {
      next: 'add their phone first: shallot phone add',
    })
  }
  write(owner, person, [...kept, deal])
}

/** In the order they were made. @throws CliError bad-config when the file was damaged */
export async function promisesTo(owner: string, person: Uint8Array): Promise<readonly Deal[]> {
  const path = join(directoryOf(owner), fileOf(person))
  try {
    return parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (isCode(error, 'ENOENT')) return []
    if (!(error instanceof SyntaxError)) throw error
    throw new CliError('bad-config', `${path} is damaged`, {
      cause: error,
      next: 'move it away, and grant again what was in it',
    })
  }
}

/** @returns whether there was such a promise */
export async function breakPromise(owner: string, person: Uint8Array, id: Uint8Array): Promise<boolean> {
  const kept = await promisesTo(owner, person)
  const left = kept.filter((deal) => toHex(deal.id) !== toHex(id))
  if (left.length === kept.length) return false
  if (left.length === 0) await dropPromises(owner, person)
  else write(owner, person, left)
  return true
}

export async function dropPromises(owner: string, person: Uint8Array): Promise<void> {
  await rm(join(directoryOf(owner), fileOf(person)), { force: true })
}

function write(owner: string, person: Uint8Array, deals: readonly Deal[]): void {
  writePrivate(directoryOf(owner), fileOf(person), JSON.stringify(deals.map(toJson)))
}

function toJson({ id, name, terms, parent }: Deal): object {
  const { devices, what, leaseS, expiresAt, notBefore, share, hours, uses } = terms
  const named = devices.map((each) =>
    typeof each === 'string' ? { group: each } : { key: toBase64url(each) },
  )
  return {
    id: toBase64url(id),
    name,
    terms: { devices: named, what, leaseS, expiresAt, notBefore, share, hours, uses },
    ...(parent && { parent: toBase64url(parent) }),
  }
}

/** The file is our own and private; what is sealed from it is checked again by the shape of a grant. */
function parse(text: string): readonly Deal[] {
  const list = JSON.parse(text) as {
    id: string
    name: string
    terms: Record<string, unknown>
    parent?: string
  }[]
  return list.map(({ id, name, terms, parent }) => ({
    id: bytes(id),
    name,
    ...(parent !== undefined && { parent: bytes(parent) }),
    terms: {
      ...(terms as unknown as Terms),
      devices: (terms.devices as { group?: string; key?: string }[]).map(
        ({ group, key }) => group ?? bytes(key!),
      ),
    },
  }))
}

function bytes(text: string): Uint8Array {
  const value = fromBase64url(text)
  if (!value) throw new SyntaxError('not base64url')
  return value
}
