// SPDX-License-Identifier: GPL-3.0-or-later
/** Enrolments that were begun and not confirmed yet: the secret stays in the owner's directory, 0600, until then (SPEC 7.3). */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ENROL_SECRET_BYTES } from '../../schemas/gen/ts/wire.ts'
import { fromBase64url, toBase64url, toHex } from '../base/bytes.ts'
import type { Instant } from '../base/clock.ts'
import { isCode } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import { writePrivate } from '../config/vault.ts'
import { CliError } from './error.ts'
import { typedLast } from './typed.ts'

export interface Pending {
  readonly name: string
  readonly secret: Secret
  readonly expiresAt: Instant
  readonly permit: Uint8Array
}

/** A device that used its code may wait this long for its owner, after the code itself is void. */
const KEPT_MS = 30 * 86_400_000

function directoryOf(owner: string): string {
  return join(owner, 'enrolments')
}

function fileOf(permit: Uint8Array): string {
  return `${toHex(permit)}.json`
}

export function keepPending(owner: string, pending: Pending): void {
  const { name, secret, expiresAt, permit } = pending
  const text = JSON.stringify({
    name,
    secret: toBase64url(secret.reveal()),
    expiresAt,
    permit: toBase64url(permit),
  })
  writePrivate(directoryOf(owner), fileOf(permit), text)
}

export async function dropPending(owner: string, permit: Uint8Array): Promise<void> {
  await rm(join(directoryOf(owner), fileOf(permit)), { force: true })
}

/** The latest enrolment begun under this name; old ones are cleared away. @throws CliError not-found */
export async function findPending(owner: string, name: string, now: Instant): Promise<Pending> {
  let latest: Pending | undefined
  for (const pending of await listPending(owner)) {
    if (pending.expiresAt + KEPT_MS < now) await dropPending(owner, pending.permit)
    else if (pending.name === name && (!latest || pending.expiresAt > latest.expiresAt)) latest = pending
  }
  if (latest) return latest
  throw new CliError('not-found', `no enrolment of ${name} was begun with this owner's directory`, {
    next: `begin one with \`shallot enrol ${typedLast(name)}\``,
  })
}

async function listPending(owner: string): Promise<readonly Pending[]> {
  try {
    const names = (await readdir(directoryOf(owner))).filter((name) => /^[0-9a-f]{16}\.json$/.test(name))
    const read = names.map(async (name) => parse(await readFile(join(directoryOf(owner), name), 'utf8')))
    return (await Promise.all(read)).filter((each) => each !== undefined)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return []
    throw error
  }
}

function parse(text: string): Pending | undefined {
  try {
    const { name, secret, expiresAt, permit } = JSON.parse(text)
    const [secretBytes, permitBytes] = [fromBase64url(String(secret)), fromBase64url(String(permit))]
    if (secretBytes?.length !== ENROL_SECRET_BYTES || permitBytes?.length !== 8) return undefined
    if (typeof name !== 'string' || !Number.isSafeInteger(expiresAt)) return undefined
    return { name, expiresAt, secret: new Secret(secretBytes), permit: permitBytes }
  } catch {
    return undefined
  }
}
