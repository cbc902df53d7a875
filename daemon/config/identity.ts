// SPDX-License-Identifier: GPL-3.0-or-later
/** The key of a script, or of another machine, in one private file (SPEC 13.2): with it goes what its holder was granted, no more. */
import { KEY_BYTES } from '../../schemas/gen/ts/wire.ts'
import { fromBase64url, toBase64url } from '../base/bytes.ts'
import { Secret } from '../base/secret.ts'
import { idOf } from '../core/model/index.ts'
import { ConfigError } from './error.ts'
import type { HomeFacts } from './keyring.ts'
import { readPrivateFile } from './vault.ts'

export interface Identity extends Pick<HomeFacts, 'home' | 'root' | 'owners'> {
  readonly name: string
  readonly seed: Secret
  /** The home code by which the home is reached from elsewhere. */
  readonly reach?: Secret<string>
}

export function writeIdentity(identity: Identity): Secret<string> {
  const { home, owners, name, seed, reach } = identity
  const json = {
    version: 1,
    kind: 'shallot-identity',
    name,
    home,
    owners: owners.map(toBase64url),
    key: toBase64url(seed.reveal()),
    ...(reach && { reach: reach.reveal() }),
  }
  return new Secret(`${JSON.stringify(json, null, 2)}\n`)
}

/** @throws ConfigError missing | too-open | bad-config */
export function loadIdentity(path: string): Identity {
  const text = new TextDecoder().decode(readPrivateFile(path))
  const identity = parse(text)
  if (identity) return identity
  throw new ConfigError('bad-config', `${path} is not an identity, or is damaged`)
}

function parse(text: string): Identity | undefined {
  let json: Record<string, unknown> | null
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  if (json?.version !== 1 || json.kind !== 'shallot-identity' || !Array.isArray(json.owners)) return undefined
  const bytes = (value: unknown) => (typeof value === 'string' ? fromBase64url(value) : undefined)
  const [root, seed] = [bytes(json.home), bytes(json.key)]
  const owners = json.owners.map(bytes).filter((each) => each !== undefined)
  if (root?.length !== KEY_BYTES || seed?.length !== 32 || owners.length !== json.owners.length)
    return undefined
  if (typeof json.name !== 'string' || (json.reach !== undefined && typeof json.reach !== 'string'))
    return undefined
  return {
    home: idOf(root),
    root,
    owners,
    name: json.name,
    seed: new Secret(seed),
    ...(json.reach !== undefined && { reach: new Secret(json.reach) }),
  }
}
