// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Addresses of the owner's other homes for who came by an invitation of one (SPEC 14.9): kept in a private file beside what led
 * here, so that they are at hand when that home is down. Each is a home code, with the same root.
 */
import { createHash } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { equal, toBase64url, toHex } from '../base/bytes.ts'
import { ignore, isCode, sentenceOf } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import { type HomeCode, onionKey, readHomeCode, writeHomeCode } from '../core/identity/index.ts'
import { isDeviceName } from '../core/model/index.ts'
import type { Api } from './api.ts'
import { CliError } from './error.ts'
import { fieldsOf, listOf, optionalBytesIn, textIn } from './fields.ts'
import type { Voice } from './voice.ts'

export interface OtherHome {
  readonly home: string
  readonly code: HomeCode
}

export interface KeptOthers {
  /** The list as the home marks it: it is asked for again when that changes. */
  readonly mark: string
  /** What the home itself is called among them. */
  readonly here?: string | undefined
  readonly others: readonly OtherHome[]
  /** By which of them the home was reached last, and when: its own address did not lead there then. */
  readonly lately?: { readonly home: string; readonly at: number } | undefined
}

const OTHERS_MAX = 8
const FILE_CHARS_MAX = 65_536
/** For so long the address that worked is tried first. */
const LATELY_MS = 600_000

/** As the home marks an empty list. */
const NONE: KeptOthers = { mark: '0', others: [] }

/**
 * Where the list is kept: beside the key file, or the file with the code; for a code that was given as it is, in the owner's
 * directory, by the address in it.
 */
export function othersFile(
  { home, identity, owner }: { home?: string | undefined; identity?: string | undefined; owner: string },
  code: HomeCode,
): string {
  if (home !== undefined && !home.startsWith('shallot:')) return `${home}.others`
  if (identity !== undefined) return `${identity}.others`
  const of = createHash('sha256').update(code.onion).digest().subarray(0, 6)
  return join(owner, `others-${toHex(of)}`)
}

/** What is kept for this code; what cannot be read, or is for another one, is as if there were nothing. */
export async function loadOthers(file: string, code: HomeCode): Promise<KeptOthers> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (!isCode(error, 'ENOENT')) ignore(error, 'without it the home has one address, as before')
    return NONE
  }
  return (text.length <= FILE_CHARS_MAX && parse(text, code)) || NONE
}

/** The addresses in the order in which they are tried, the home's own as the first or, when it lately did not answer, behind another. */
export function inOrder(
  { others, lately }: KeptOthers,
  now: number,
): { first: readonly OtherHome[]; rest: readonly OtherHome[] } {
  const isLate = lately && now >= lately.at && now - lately.at < LATELY_MS
  const first = isLate ? others.filter(({ home }) => home === lately.home) : []
  return { first, rest: others.filter((each) => !first.includes(each)) }
}

/** Keeps by which home this one was reached, or that it answered itself. */
export async function keepLately(
  file: string,
  code: HomeCode,
  kept: KeptOthers,
  by: string | undefined,
  now: number,
): Promise<void> {
  if (by === undefined && kept.lately === undefined) return
  const lately = by === undefined ? undefined : { home: by, at: now }
  await write(file, code, { ...kept, lately }).catch((error) =>
    ignore(error, 'next time the own address is tried first again'),
  )
}

/** Asks anew when the home has marked its list otherwise than the one that is kept. What was asked for is done by then: a fault is told. */
export async function followOthers(
  deps: { readonly api: Api; readonly voice: Voice },
  file: string,
  code: HomeCode,
): Promise<void> {
  const { api, voice } = deps
  if (api.others === undefined) return
  const kept = await loadOthers(file, code)
  if (kept.mark === api.others) return
  try {
    const picture = fieldsOf(await api.get('/home'), 'a picture of the home')
    const here = textIn(picture, 'here')
    await write(file, code, { mark: api.others, here, others: readOthers(picture.others, code) })
  } catch (error) {
    voice.note(`the addresses at other homes could not be kept: ${sentenceOf(error)}`)
  }
}

function readOthers(said: unknown, { root }: HomeCode): readonly OtherHome[] {
  return listOf(said, 'a list of homes')
    .slice(0, OTHERS_MAX)
    .map((each) => {
      const fields = fieldsOf(each, 'another home')
      const onion = onionKey(textIn(fields, 'address'))
      const home = textIn(fields, 'home')
      if (!onion || !isDeviceName(home))
        throw new CliError('bad-answer', 'the home told of another one with no address or no name')
      const clientKey = optionalBytesIn(fields, 'clientKey')
      if (clientKey && clientKey.length !== CLIENT_KEY_BYTES)
        throw new CliError('bad-answer', 'the home told of a client key that is none')
      return { home, code: { root, onion, lan: [], ...(clientKey && { clientKey: new Secret(clientKey) }) } }
    })
}

const CLIENT_KEY_BYTES = 32

function parse(text: string, code: HomeCode): KeptOthers | undefined {
  let json: Record<string, unknown> | null
  try {
    json = JSON.parse(text)
  } catch (error) {
    ignore(error, 'damaged: asked for again')
    return undefined
  }
  if (json?.of !== toBase64url(code.onion) || typeof json.mark !== 'string' || !Array.isArray(json.others))
    return undefined
  // Without it a name would mean another device there than here.
  if (typeof json.here !== 'string') return undefined
  const others = json.others.slice(0, OTHERS_MAX).flatMap((each) => {
    const read = typeof each?.code === 'string' ? readHomeCode(each.code) : undefined
    // Whoever wrote into this file must not lead to another home.
    if (!read?.ok || typeof each.home !== 'string' || !equal(read.value.root, code.root)) return []
    return [{ home: each.home as string, code: read.value }]
  })
  const { at, home } = (json.lately ?? {}) as Record<string, unknown>
  const lately = typeof at === 'number' && typeof home === 'string' ? { at, home } : undefined
  return { mark: json.mark, here: json.here, others, lately }
}

/** Whole or not at all, and private: it holds client keys. */
async function write(
  file: string,
  { onion }: HomeCode,
  { mark, here, others, lately }: KeptOthers,
): Promise<void> {
  const list = others.map(({ home, code }) => ({ home, code: writeHomeCode(code).reveal() }))
  const text = JSON.stringify({ of: toBase64url(onion), mark, here, others: list, lately }, null, 2)
  const beside = `${file}.new`
  await rm(beside, { force: true })
  await writeFile(beside, `${text}\n`, { flag: 'wx', mode: 0o600 })
  await rename(beside, file)
}
