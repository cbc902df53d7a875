// SPDX-License-Identifier: GPL-3.0-or-later
/** An address that was renewed reaches its holder over the old one (SPEC 10.4): the code that was kept is replaced. */
import { sentenceOf } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import { type Identity, writeIdentity } from '../config/identity.ts'
import { replacePrivateFile } from '../config/vault.ts'
import { type HomeCode, onionKey, writeHomeCode } from '../core/identity/index.ts'
import type { Api } from './api.ts'
import { CliError } from './error.ts'
import { fieldsOf, optionalBytesIn, textIn } from './fields.ts'
import type { Person } from './person.ts'
import type { Voice } from './voice.ts'

/** Where the code is that led here: given as it is or as a file, or in a key file. */
export type Kept = { readonly home: Secret<string> } | { readonly identity: Identity; readonly file: string }

/** Does nothing unless the home has said that it moved. What was asked for is done by then: a fault is told, and changes nothing. */
export async function followMove(
  deps: { readonly api: Api; readonly person: Person; readonly voice: Voice },
  code: HomeCode,
  kept: Kept,
): Promise<void> {
  if (!deps.api.moved) return
  try {
    const next = await nextCode(deps.api, code)
    if (next) await keep(deps.voice, next, kept)
  } catch (error) {
    deps.voice.note(`the home has another address, which could not be kept: ${sentenceOf(error)}`)
  }
}

async function nextCode(
  api: Api,
  { clientKey: _old, ...code }: HomeCode,
): Promise<Secret<string> | undefined> {
  const { moved } = fieldsOf(await api.get('/home'), 'a picture of the home')
  if (moved === undefined || moved === null) return undefined
  const fields = fieldsOf(moved, 'another address')
  const onion = onionKey(textIn(fields, 'address'))
  if (!onion) throw new CliError('bad-answer', 'the home answered with something that is no onion address')
  const clientKey = optionalBytesIn(fields, 'clientKey')
  return writeHomeCode({ ...code, onion, ...(clientKey && { clientKey: new Secret(clientKey) }) })
}

async function keep(voice: Voice, code: Secret<string>, kept: Kept): Promise<void> {
  if ('identity' in kept) {
    replacePrivateFile(kept.file, writeIdentity({ ...kept.identity, reach: code }).reveal())
    voice.note(`the home has another address; ${kept.file} holds it now`)
    return
  }
  const named = kept.home.reveal()
  if (named.startsWith('shallot:')) {
    voice.note(`the home has another address; from now on its code is:\n${code.reveal()}`)
    return
  }
  replacePrivateFile(named, `${code.reveal()}\n`)
  voice.note(`the home has another address; ${named} holds it now`)
}
