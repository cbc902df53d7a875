// SPDX-License-Identifier: GPL-3.0-or-later
import { join } from 'node:path'
import { NAME_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { utf8 } from '../base/bytes.ts'
import type { Config } from '../config/index.ts'
import { createHome, holdsHome, loadHub, loadOwner, saveHub, saveOwner } from '../config/keyring.ts'
import type { Seed } from '../core/identity/index.ts'
import type { PartyId } from '../core/model/index.ts'
import { CliError } from './error.ts'
import type { Tools } from './tools.ts'

const DIRECTORIES = [
  ['owner', '--owner'],
  ['data', '--data'],
] as const

/** @throws CliError home-exists, before anybody has written down words for nothing */
export function requireNoHome(config: Config): void {
  const held = DIRECTORIES.filter(([key]) => holdsHome(config[key]))
  const [half] = held
  if (half && held.length === 1) {
    throw new CliError(
      'home-exists',
      `${config[half[0]]} belongs to a home whose other directory is not here; it was not touched`,
      {
        next: `\`shallot restore\` with its 24 words makes what is missing; for another home name another ${half[1]}`,
      },
    )
  }
  for (const [key, flag] of held) requireFreeDirectory(config[key], flag)
}

/** What one directory lacks can be made from the words; @throws CliError home-exists when both are there. */
export function requireSomeMissing(config: Config): void {
  if (DIRECTORIES.every(([key]) => holdsHome(config[key]))) requireNoHome(config)
}

/** @throws CliError home-exists */
export function requireFreeDirectory(directory: string, flag: string): void {
  if (!holdsHome(directory)) return
  throw new CliError('home-exists', `there is a home in ${directory} already; it was not touched`, {
    next: `name another directory with ${flag}, or move that one away yourself`,
  })
}

/** sun_path has 108 bytes, with a zero at the end. */
const SOCKET_BYTES_MAX = 107
const OWN_SOCKET = 'api.sock'
/** Of an onion address, named by the hash of it. */
const FACE_SOCKET = 'faces/0123456789ab.sock'

/** @throws CliError bad-config for a directory in which no daemon could listen, before a home is made there */
export function requireSocketPlace({ data, tor }: Config): void {
  const longest = join(data, tor.kind === 'off' ? OWN_SOCKET : FACE_SOCKET)
  const excess = Buffer.byteLength(longest) - SOCKET_BYTES_MAX
  const next = 'name another directory with --data or SHALLOT_DATA'
  if (excess > 0) {
    throw new CliError('bad-config', `the path of ${data} is ${excess} bytes too long for sockets in it`, {
      next,
    })
  }
  // It is told of a socket in a command in which nothing can be quoted; a tor of our own runs beside them.
  if (tor.kind === 'existing' && /[^\x21-\x7e]|["\\,]/.test(data)) {
    const wanted = 'ASCII without blanks, commas, quotes and backslashes'
    throw new CliError('bad-config', `to a tor that runs already the path of ${data} must be ${wanted}`, {
      next,
    })
  }
}

export interface Founding {
  readonly ownerName: string
  readonly as?: string | undefined
  readonly isRestored?: boolean
}

/** @throws CliError usage, before anybody has written down words for nothing */
export function requireNames({ ownerName, as }: Founding): void {
  const rule = `1 to 32 letters, digits, dots, dashes or spaces, of at most ${NAME_BYTES_MAX} bytes`
  if (!isName(ownerName)) throw new CliError('usage', `the owner's name is ${rule}`)
  if (as !== undefined && !isName(as)) throw new CliError('usage', `the name of a home is ${rule}`)
}

function isName(text: string): boolean {
  const isPlain = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,31}$/u.test(text)
  return isPlain && utf8(text).length <= NAME_BYTES_MAX
}

export interface Founded {
  readonly home: PartyId
  readonly owner: string
  readonly data: string
}

/**
 * Makes the keys and writes both directories, the owner's and the daemon's; one that holds this home already is left as it is.
 * The root is forgotten when this returns.
 * @throws CliError home-exists when one holds another home
 */
export function foundHome(tools: Tools, seed: Seed, making: Founding): Founded {
  const { owner, data } = tools.configured.config
  const isThere = { owner: holdsHome(owner), data: holdsHome(data) }
  // The owner's side knows the authorities of the home; the words alone do not.
  const generation = isThere.owner ? loadOwner(owner).generation : 0
  const home = createHome(seed, { ...making, generation, now: tools.clock.now(), random: tools.random })
  if (isThere.owner) requireSame(owner, loadOwner(owner).home, home.hub.home)
  if (isThere.data) requireSame(data, loadHub(data).home, home.hub.home)
  if (!isThere.owner) keep(owner, '--owner', () => saveOwner(owner, home.owner))
  if (!isThere.data) keep(data, '--data', () => saveHub(data, home.hub))
  return { home: home.hub.home, owner, data }
}

function requireSame(directory: string, held: PartyId, ours: PartyId): void {
  if (held === ours) return
  throw new CliError(
    'home-exists',
    `${directory} belongs to another home than these words; it was not touched`,
  )
}

/** What no rights could mend: the path leads to no place for a directory. */
const NOWHERE: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EEXIST',
  'ENAMETOOLONG',
  'ELOOP',
])

/** What the file system refuses is the person's to mend, and no fault of ours. */
function keep(directory: string, flag: string, save: () => void): void {
  try {
    save()
  } catch (cause) {
    if (!isErrno(cause)) throw cause
    const code = NOWHERE.has(cause.code) ? 'usage' : 'forbidden'
    throw new CliError(code, `the home was not made: ${directory} cannot be written (${cause.code})`, {
      cause,
      next: `name a directory of yours with ${flag}; words shown just now are of no home`,
    })
  }
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
