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
import { ignore, isCode } from '../../base/error.ts'
import { holds, readPrivate, writePrivate } from '../../config/vault.ts'
import type { Frame, Message, Revocation, Signer } from '../../core/envelope/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { fieldsOf, optionalNumberIn } from '../fields.ts'
import { underLock } from '../file-lock.ts'
import type { Person } from '../person.ts'
import { type House, type KnownGrant, openBy } from './house.ts'

/** In the owner's directory: the last list that was sealed here. */
const LIST = 'revocation'
const ROOT_LIST = 'revocation-root'

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

/**
 * A new list for all that the latest held, here and at the home, and these; kept here before anybody is told.
 * @param anewFrom  seconds: what this owner sealed before is taken back by the floor, and needs no entry
 */
export async function sealOnTop(
  deps: RevokeDeps,
  house: House,
  entries: readonly Uint8Array[],
  anewFrom?: number,
): Promise<{ frame: Frame; count: number }> {
  const signer = deps.root?.key ?? deps.owner.key
  const file = deps.root ? ROOT_LIST : LIST
  return underLock(deps.clock, join(deps.directory, `${file}.lock`), async () => {
    const lists = knownLists(deps, house, file).filter((list) => equal(list.signer, signer))
    const floor = Math.max(anewFrom ?? 0, ...lists.map(({ body }) => body.floor ?? 0))
    const every = union([...lists.map(({ body }) => body.entries), entries])
    const notes = keepNotes(deps, `${file}-notes`, house.grants, every)
    const isOwn = (entry: Uint8Array) => notes.get(toBase64url(entry))?.own === true
    const all = anewFrom === undefined ? every : every.filter((entry) => !isOwn(entry))
    const made =
      (await fitting(deps, all, floor)) ??
      (await fitting(deps, withoutEnded(all, notes, deps.owner.now()), floor))
    if (!made) throw full(all.length)
    writePrivate(deps.directory, file, made.frame)
    return made
  })
}

/** The sealed list, if a device would take it. */
async function fitting(
  deps: RevokeDeps,
  entries: readonly Uint8Array[],
  floor: number,
): Promise<{ frame: Frame; count: number } | undefined> {
  if (entries.length > REVOCATION_ENTRIES_MAX) return undefined
  const { owner, root } = deps
  const body = { type: 'revocation', entries, ...(floor > 0 && { floor }) } as const
  const frame = await (root
    ? owner.sealBy<Revocation>(root, owner.home, body)
    : owner.seal<Revocation>(owner.home, body))
  return frame.length <= DEVICE_ENVELOPE_BYTES_MAX ? { frame, count: entries.length } : undefined
}

/** What the home shows, and our own copy: a hub that hides the latest list does not make it shorter. */
export function knownLists(
  { directory, owner }: Pick<RevokeDeps, 'directory' | 'owner'>,
  house: House,
  file = LIST,
): readonly Message<Revocation>[] {
  if (!holds(directory, file)) return house.revocations
  return [openBy('revocation', readPrivate(directory, file), owner), ...house.revocations]
}

/**
 * Whether the home's list of this owner lacks what ours has: another machine of this owner, in a home that was cut off, sealed one
 * meanwhile that is later, and counts alone.
 */
export function isOvertaken(
  { directory, owner }: Pick<RevokeDeps, 'directory' | 'owner'>,
  house: House,
): boolean {
  if (!holds(directory, LIST)) return false
  const ours = openBy('revocation', readPrivate(directory, LIST), owner).body
  const theirs = house.revocations.findLast(({ signer }) => equal(signer, owner.key))?.body
  // One that was started over has a floor in the place of entries.
  if (!theirs || theirs.sequence <= ours.sequence || (theirs.floor ?? 0) > (ours.floor ?? 0)) return false
  const there = new Set(theirs.entries.map(toBase64url))
  const notes = `${LIST}-notes`
  const known = new Map(holds(directory, notes) ? readNotes(readPrivate(directory, notes)) : [])
  return withoutEnded(ours.entries, known, owner.now()).some((entry) => !there.has(toBase64url(entry)))
}

function union(lists: readonly (readonly Uint8Array[])[]): readonly Uint8Array[] {
  const all = new Map<string, Uint8Array>()
  for (const list of lists) for (const entry of list) all.set(toBase64url(entry), entry)
  return [...all.values()]
}

/** What is remembered of a grant that was taken back, because the home forgets it. */
interface Note {
  /** When its last copy ends; only of what an owner sealed: somebody who passed something on could seal it anew, with another end. */
  readonly end: number | undefined
  /** Each copy has this owner's own seal, so that the floor of this owner can take it back as well. */
  readonly own: boolean
}

function sumOf(one: Note | undefined, other: Note): Note {
  if (!one) return other
  const end = one.end === undefined || other.end === undefined ? undefined : Math.max(one.end, other.end)
  return { end, own: one.own && other.own }
}

/** Written down while the home still shows these grants. */
function keepNotes(
  { directory, owner }: RevokeDeps,
  file: string,
  grants: readonly KnownGrant[],
  entries: readonly Uint8Array[],
): ReadonlyMap<string, Note> {
  const known = holds(directory, file) ? readNotes(readPrivate(directory, file)) : []
  const shown = grants.map(({ id, by, byOwner, message }): [string, Note] => [
    id,
    { end: byOwner ? message.body.expiresAt : undefined, own: by === owner.id },
  ])
  const wanted = new Set(entries.map(toBase64url))
  const notes = new Map<string, Note>()
  for (const [id, note] of [...known, ...shown]) if (wanted.has(id)) notes.set(id, sumOf(notes.get(id), note))
  writePrivate(
    directory,
    file,
    JSON.stringify([...notes].map(([id, { end, own }]) => [id, end ?? null, own])),
  )
  return notes
}

/** Of a file that is damaged nothing is believed: then less is left out. */
function readNotes(bytes: Uint8Array): readonly (readonly [string, Note])[] {
  try {
    const list: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (!Array.isArray(list)) return []
    return list
      .filter(([id, , own]) => typeof id === 'string' && typeof own === 'boolean')
      .map(([id, end, own]) => [id, { end: Number.isSafeInteger(end) ? end : undefined, own }])
  } catch (error) {
    ignore(error, 'it is a saving, no duty')
    return []
  }
}

/** Clocks differ, and a device may be cut off: a grant is left out a good while after it ended. */
const ENDED_S = 2 * 86_400

/** Without the ids of grants that have ended; keys stay. */
export function withoutEnded(
  entries: readonly Uint8Array[],
  notes: ReadonlyMap<string, Pick<Note, 'end'>>,
  nowS: number,
): readonly Uint8Array[] {
  return entries.filter(
    (entry) => (notes.get(toBase64url(entry))?.end ?? Number.POSITIVE_INFINITY) + ENDED_S >= nowS,
  )
}

function full(count: number): CliError {
  return new CliError('grants-full', `the list of what you have taken back is full: ${count} entries`, {
    next: 'start it over, which seals every grant of yours that still holds anew: shallot revoke --start-over',
  })
}
