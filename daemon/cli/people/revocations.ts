// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What this owner has taken back: one list, always sealed on top of the latest there is (SPEC 12.5).
 *
 * Always true: an entry that was ever in the owner's own copy or in the home's stays, unless it is the id of a grant that has ended; a list
 * never has more bytes than a device takes.
 */
import { join } from 'node:path'
import { DEVICE_ENVELOPE_BYTES_MAX, REVOCATION_ENTRIES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { isCode } from '../../base/error.ts'
import { holds, readPrivate, writePrivate } from '../../config/vault.ts'
import type { Frame, Message, Revocation, Signer } from '../../core/envelope/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { fieldsOf, optionalNumberIn } from '../fields.ts'
import { underLock } from '../file-lock.ts'
import type { Person } from '../person.ts'
import { type House, type KnownGrant, openBy } from './house.ts'

export interface RevokeDeps {
  readonly clock: Clock
  readonly api: Api
  readonly owner: Person
  /** The owner's. */
  readonly directory: string
  /** Instead of the owner: the root, while the words are at hand. */
  readonly root?: Signer
}

export interface Revoked {
  /** In the list now. */
  readonly entries: number
  /** How many connected devices have been told. */
  readonly told: number
}

/** Takes back grants (8 bytes) and keys (32), on the hub and through it on every device. @throws CliError grants-full */
export async function takeBack(
  deps: RevokeDeps,
  house: House,
  entries: readonly Uint8Array[],
): Promise<Revoked> {
  const { frame, count } = await sealOnTop(deps, house, entries)
  return { entries: count, ...(await putList(deps.api, frame)) }
}

export async function putList(api: Api, frame: Frame): Promise<{ readonly told: number }> {
  const said = await api.sendSealed('PUT', '/revocations', frame).catch((error) => {
    // A later list of ours, which holds all that this one does, was quicker.
    if (isCode(error, 'replayed')) return {}
    throw error
  })
  return { told: optionalNumberIn(fieldsOf(said ?? {}, 'an answer'), 'told') ?? 0 }
}

/** A new list for all that the latest held, here and at the home, and these; kept here before anybody is told. */
export async function sealOnTop(
  deps: RevokeDeps,
  house: House,
  entries: readonly Uint8Array[],
  anew?: { readonly floor: number; readonly without: (entry: Uint8Array) => boolean },
): Promise<{ frame: Frame; count: number }> {
  const signer = deps.root?.key ?? deps.owner.key
  const file = deps.root ? 'revocation-root' : 'revocation'
  return underLock(deps.clock, join(deps.directory, `${file}.lock`), async () => {
    const lists = knownLists(deps, house, file).filter((list) => equal(list.signer, signer))
    const floor = Math.max(anew?.floor ?? 0, ...lists.map(({ body }) => body.floor ?? 0))
    const all = union([...lists.map(({ body }) => body.entries), entries]).filter(
      (entry) => !anew?.without(entry),
    )
    const seal = (kept: readonly Uint8Array[]) => sealList(deps, kept, floor)
    let kept: readonly Uint8Array[] = all
    let frame = fits(kept) ? await seal(kept) : undefined
    if (!frame || frame.length > DEVICE_ENVELOPE_BYTES_MAX) {
      kept = withoutEnded(all, house.grants, deps.owner.now())
      frame = fits(kept) ? await seal(kept) : undefined
    }
    if (!frame || frame.length > DEVICE_ENVELOPE_BYTES_MAX) throw full(kept.length)
    writePrivate(deps.directory, file, frame)
    return { frame, count: kept.length }
  })
}

/** What the home shows, and our own copy: a hub that hides the latest list does not make it shorter. */
export function knownLists(
  { directory, owner }: Pick<RevokeDeps, 'directory' | 'owner'>,
  house: House,
  file = 'revocation',
): readonly Message<Revocation>[] {
  if (!holds(directory, file)) return house.revocations
  return [openBy('revocation', readPrivate(directory, file), owner), ...house.revocations]
}

function fits(entries: readonly Uint8Array[]): boolean {
  return entries.length <= REVOCATION_ENTRIES_MAX
}

function sealList(deps: RevokeDeps, entries: readonly Uint8Array[], floor: number): Promise<Frame> {
  const { owner, root } = deps
  const body = { type: 'revocation', entries, ...(floor > 0 && { floor }) } as const
  return root ? owner.sealBy<Revocation>(root, owner.home, body) : owner.seal<Revocation>(owner.home, body)
}

function union(lists: readonly (readonly Uint8Array[])[]): readonly Uint8Array[] {
  const all = new Map<string, Uint8Array>()
  for (const list of lists) for (const entry of list) all.set(toBase64url(entry), entry)
  return [...all.values()]
}

/** Clocks differ, and a device may be cut off: a grant is left out a good while after it ended. */
const ENDED_S = 2 * 86_400

/** Without the ids of grants of owners that have ended. Keys stay, and so does what somebody passed on: they could seal it anew. */
export function withoutEnded(
  entries: readonly Uint8Array[],
  grants: readonly KnownGrant[],
  nowS: number,
): readonly Uint8Array[] {
  const ends = new Map<string, boolean>()
  for (const { id, byOwner, message } of grants) {
    const ended = byOwner && message.body.expiresAt !== undefined && message.body.expiresAt + ENDED_S < nowS
    ends.set(id, ended && ends.get(id) !== false)
  }
  return entries.filter((entry) => ends.get(toBase64url(entry)) !== true)
}

function full(count: number): CliError {
  return new CliError('grants-full', `the list of what you have taken back is full: ${count} entries`, {
    next: 'start it over, which seals every grant of yours that still holds anew: shallot revoke --start-over',
  })
}
