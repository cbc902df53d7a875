// SPDX-License-Identifier: GPL-3.0-or-later
/** How a phone with a code is let in: it asks with a key of its own until an owner has confirmed it (SPEC 13.4, 13.5). */
import { toBase64url } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { isCode } from '../base/error.ts'
import type { Random } from '../base/random.ts'
import { idOf, keyOf } from '../core/model/index.ts'
import { Asker } from './ask.ts'
import { PageError } from './error.ts'
import { bytesIn, type Fields, fieldsOf, idIn, textIn } from './fields.ts'
import type { Identity } from './identity.ts'
import type { Keep } from './keep.ts'
import { Person } from './person.ts'
import { type PhoneCode, provePhone } from './phone-code.ts'
import { openSealed } from './proof.ts'

export interface JoinDeps {
  readonly clock: Clock
  readonly random: Random
  readonly keep: Keep
  readonly fetch: typeof fetch
}

/** How far it has come: the home does not answer yet, or its owner has not yet. */
export type Joining = 'asking' | 'waiting' | 'unreachable'

const WAIT_S = 25
const PAUSE_MS = 2000

/** The digits for the code and the key that is kept for it. */
export function matchOf(code: PhoneCode, seed: Uint8Array, deps: JoinDeps): string {
  return provePhone(code, keyOf(new Person(deps, { root: code.root, seed, name: '' }).id)).match
}

/**
 * Asks until it is let in.
 * @throws PageError with the home's refusal; distrust when it says "confirmed" and cannot show it; the signal's reason
 */
export async function join(
  deps: JoinDeps,
  code: PhoneCode,
  seed: Uint8Array,
  tell: (joining: Joining) => void,
  signal: AbortSignal,
): Promise<Identity> {
  const person = new Person(deps, { root: code.root, seed, name: '' })
  const asker = new Asker(deps, person)
  const { pairing } = provePhone(code, keyOf(person.id))
  // The first answer is wanted at once, so that the person sees that the home has heard.
  for (let waitS = 0; ; waitS = WAIT_S) {
    signal.throwIfAborted()
    const path = `/pairings/${toBase64url(pairing)}/pair?wait=${waitS}`
    const body = Uint8Array.from(person.pair(code))
    try {
      const answer = await asker.json(
        { method: 'POST', path, type: 'application/cose', body, sealed: true },
        signal,
      )
      const fields = fieldsOf(answer)
      if (textIn(fields, 'state') === 'confirmed') return accepted(fields, person, seed)
      tell('waiting')
      if (waitS === 0) continue
    } catch (error) {
      signal.throwIfAborted()
      if (!isCode(error, 'unreachable') && !isCode(error, 'replayed')) throw error
      tell('unreachable')
    }
    await deps.clock.sleep(PAUSE_MS, signal)
  }
}

/** The holder envelope names this phone's own key; whoever sealed it, the hub did not make it up for another. */
function accepted(fields: Fields, { id, home, root, ed25519 }: Person, seed: Uint8Array): Identity {
  const body = openSealed(bytesIn(fields, 'holder'), ed25519, () => true)
  const isOurs = body?.type === 'holder' && body.audience === home && idOf(body.key) === id
  if (!isOurs || idIn(fields, 'home') !== home) {
    throw new PageError('distrust', 'the home says that this phone was let in, and cannot show it')
  }
  return { root, seed, name: body.name }
}
