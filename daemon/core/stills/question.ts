// SPDX-License-Identifier: GPL-3.0-or-later
/** Which pictures somebody asks for (SPEC 19.5), as a path and its query say. */
import { DIGEST_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { decoded, readBytes, readInteger, readQuery } from '../../base/query.ts'

/** In place of a digest: the newest that the caller may see. */
const LATEST = 'latest'
const LIST_MAX = 100
const LIST_FALLBACK = 20
/** How long an answer may wait for a picture, in seconds. */
const WAIT_S_MAX = 25

export const LIST_PARAMETERS: readonly string[] = ['command', 'property', 'before', 'limit', 'wait']
export const PICTURE_PARAMETERS: readonly string[] = ['property']

/** A list of pictures, newest first. */
export interface StillsQuestion {
  /** One of several cameras of a device. */
  readonly property?: string | undefined
  /** Those alone that were taken for it. */
  readonly command?: Uint8Array | undefined
  /** Those alone that came before the one of this digest. */
  readonly before?: Uint8Array | undefined
  readonly limit: number
  readonly waitMs: number
}

/** One picture. */
export interface PictureQuestion {
  readonly property?: string | undefined
  readonly digest: Uint8Array | 'latest'
}

type Query = ReadonlyMap<string, string>

export function readStillsQuestion(query: Query): Verdict<StillsQuestion, 'bad-request'> {
  const limit = readInteger(query, 'limit', { least: 1, most: LIST_MAX, fallback: LIST_FALLBACK })
  if (!limit.ok) return limit
  const wait = readInteger(query, 'wait', { least: 0, most: WAIT_S_MAX, fallback: 0 })
  if (!wait.ok) return wait
  const [command, before] = ['command', 'before'].map((name) =>
    readBytes(query.get(name), DIGEST_BYTES, DIGEST_BYTES),
  )
  if ((query.has('command') && !command) || (query.has('before') && !before))
    return no('bad-request', 'a command or a picture is named by its SHA-256, base64url')
  const [property, waitMs] = [query.get('property'), wait.value * 1000]
  return yes({ property, command, before, limit: limit.value, waitMs })
}

/** @param named  a digest as base64url, or `latest` */
export function readPictureQuestion(named: string, query: Query): Verdict<PictureQuestion, 'not-found'> {
  const digest = named === LATEST ? LATEST : readBytes(named, DIGEST_BYTES, DIGEST_BYTES)
  return digest ? yes({ property: query.get('property'), digest }) : no('not-found', 'no such picture')
}

/** Of a request that was sealed for a path of SPEC 19.5. */
export type Look = {
  /** The device, by its id or as somebody calls it. */
  readonly named: string
} & ({ readonly list: StillsQuestion } | { readonly picture: PictureQuestion })

/** @returns bad-request or not-found for what is no such path, as a hub answers its own clients */
export function readLook(path: string): Verdict<Look, 'bad-request' | 'not-found'> {
  const [, thing = '', digest, queryText = ''] =
    /^\/things\/([^/?]+)\/stills(?:\/([^/?]+))?(?:\?(.*))?$/s.exec(path) ?? []
  const named = decoded(thing)
  if (thing === '' || named === undefined) return no('bad-request', 'this is no question for pictures')
  const query = readQuery(queryText, digest === undefined ? LIST_PARAMETERS : PICTURE_PARAMETERS)
  if (!query.ok) return query
  if (digest === undefined) {
    const list = readStillsQuestion(query.value)
    return list.ok ? yes({ named, list: list.value }) : list
  }
  const picture = readPictureQuestion(digest, query.value)
  return picture.ok ? yes({ named, picture: picture.value }) : picture
}
