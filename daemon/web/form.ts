// SPDX-License-Identifier: GPL-3.0-or-later
/** Links to pages without scripts (SPEC 9.6): the hub is passed narrow grants for each, and acts by nothing else. */
import { sha256 } from '@noble/hashes/sha2.js'
import { toBase64url, toHex, utf8 } from '../base/bytes.ts'
import type { Grant } from '../core/envelope/browser.ts'
import { keyOf, type PartyId } from '../core/model/index.ts'
import { type DealDeps, wireTerms } from './deal.ts'
import { fieldsOf, listIn, textIn } from './fields.ts'
import type { Terms } from './people.ts'

const TOKENS_MAX = 1000

/** @returns the token, which is shown once and kept nowhere here; the hub gets its hash alone */
export async function makeForm(
  { asker, person, random, hub }: DealDeps & { readonly hub: PartyId },
  terms: readonly Terms[],
  signal: AbortSignal,
): Promise<string> {
  const token = `shallot_${toBase64url(random.bytes(32))}`
  const name = `page-${toHex(random.bytes(3))}`
  const grants = terms.map((each) =>
    person.seal<Grant>({ type: 'grant', name, key: keyOf(hub), id: random.bytes(8), ...wireTerms(each) }),
  )
  const said = { digest: toBase64url(sha256(utf8(token))), grants: grants.map(toBase64url), form: true }
  const body = Uint8Array.from(utf8(JSON.stringify(said)))
  await asker.json({ method: 'PUT', path: `/tokens/${name}`, type: 'application/json', body }, signal)
  return token
}

export async function endForm({ asker }: DealDeps, name: string, signal: AbortSignal): Promise<undefined> {
  await asker.json({ method: 'DELETE', path: `/tokens/${encodeURIComponent(name)}` }, signal)
  return undefined
}

/** Names of the links that there are. */
export async function listForms({ asker }: DealDeps, signal: AbortSignal): Promise<readonly string[]> {
  const answer = fieldsOf(await asker.json({ method: 'GET', path: '/tokens' }, signal))
  const tokens = listIn(answer, 'tokens', TOKENS_MAX).map(fieldsOf)
  return tokens.filter(({ form }) => form === true).map((token) => textIn(token, 'name'))
}
