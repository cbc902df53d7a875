// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Bearer tokens (SPEC 9.6): who shows one acts by the grants that somebody passed to the hub for it, and by nothing else.
 * The hub knows a token by its digest alone.
 */
import { createHash } from 'node:crypto'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { EPOCH_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Caller } from '../callers.ts'
import { type Frame, sealEnvelope } from '../envelope/index.ts'
import { type Device, idOf, type PartyId } from '../model/index.ts'
import type { HeldGrant } from '../policy/index.ts'
import type { KeptToken } from '../ports-people.ts'
import { Sight } from '../sight.ts'
import { Tries } from '../tries.ts'
import type { DeskDeps } from './deps.ts'
import type { Place } from './pairings.ts'

/** Grants that one token acts by. */
export const TOKEN_GRANTS_MAX = 8
/** Every request with a token is held against all of them. */
const TOKENS_MAX = 256
/** How long a device has to answer a token's command. */
export const TOKEN_COMMAND_S = 30

export interface NewToken {
  readonly name: string
  readonly digest: Uint8Array
  readonly form: boolean
  readonly grants: readonly Frame[]
}

export interface TokenView extends KeptToken {
  readonly usedAt?: number | undefined
}

export interface TokensDesk {
  /** @param take  hands in one of its grants */
  put(
    token: NewToken,
    caller: Caller,
    take: (frame: Frame, caller: Caller) => Promise<Verdict<HeldGrant, Code>>,
  ): Promise<Verdict<KeptToken, Code>>
  list(caller: Caller): readonly TokenView[]
  remove(name: string, caller: Caller): Promise<Verdict<void, Code>>
  /** Who shows this token; wrong ones are counted against the place they come from. */
  bearer(token: string, form: boolean, place: Place): Verdict<Caller, Code>
  /** A command for a token's caller, sealed by the hub by the grant that allows it. */
  seal(
    target: { readonly device: Device; readonly affordance: number; readonly operation: 'write' | 'invoke' },
    value: number | boolean | undefined,
    caller: Caller,
  ): Verdict<Frame, Code>
}

export function openTokensDesk(deps: DeskDeps): TokensDesk {
  const { clock, random, authority, tokens, hub, diary, feed } = deps
  const tries = new Tries()
  const usedAt = new Map<string, number>()
  const hubId = idOf(hub.key)
  const epoch = random.bytes(EPOCH_BYTES)
  let sequence = 0

  const isTheirs = (token: KeptToken, caller: Caller): boolean =>
    caller.kind === 'owner' || token.by === caller.id

  return {
    async put({ name, digest, form, grants }, caller, take) {
      const refused = (why: Code, detail?: string) => diary.refuse(undefined, caller, undefined, why, detail)
      const known = tokens.list().find((token) => token.name === name)
      if (known && !isTheirs(known, caller)) return refused('conflict', `another token is called ${name}`)
      if (!known && tokens.list().length >= TOKENS_MAX) return refused('too-many-requests', 'too many tokens')
      if (tokens.list().some((token) => token !== known && equal(token.digest, digest)))
        return refused('conflict', 'this token has a name already')
      const held: HeldGrant[] = []
      for (const frame of grants) {
        const taken = await take(frame, caller)
        if (!taken.ok) return taken
        const { key } = taken.value.body
        if (!key || !equal(key, hub.key)) return refused('bad-request', 'a grant is not for the hub’s key')
        if (caller.kind !== 'owner' && idOf(taken.value.signer) !== caller.id)
          return refused('forbidden', 'a grant was passed on by somebody else')
        held.push(taken.value)
      }
      const token = {
        name,
        digest,
        form,
        by: caller.id,
        at: clock.now(),
        grants: held.map(({ body }) => body.id),
      }
      await tokens.put(token, diary.by(caller, { kind: 'token', chain: token.grants, note: name }))
      feed.publish({ event: 'rights', at: clock.now() })
      return yes(token)
    },

    list: (caller) =>
      tokens
        .list()
        .filter((token) => isTheirs(token, caller))
        .map((token) => ({ ...token, usedAt: usedAt.get(token.name) })),

    async remove(name, caller) {
      const token = tokens.list().find((each) => each.name === name)
      if (!token || !isTheirs(token, caller)) return no('not-found', 'no such token')
      await tokens.remove(
        name,
        diary.by(caller, { kind: 'removed', chain: token.grants, note: `token ${name}` }),
      )
      usedAt.delete(name)
      feed.publish({ event: 'rights', at: clock.now() })
      return yes(undefined)
    },

    bearer(text, form, place) {
      const tryer = `${place.origin} ${place.address}`
      if (tries.exhausted(tryer, clock.monotonic())) return no('too-many-tries')
      const digest = createHash('sha256').update(text).digest()
      // All of them, whichever fits: how long it takes tells nothing.
      const [token] = tokens.list().filter((each) => equal(each.digest, digest))
      if (!token || token.form !== form) {
        tries.wrong(tryer, clock.monotonic())
        return diary.stranger('unauthorized', { origin: place.origin, note: 'a token that is not known' })
      }
      usedAt.set(token.name, clock.now())
      return yes({
        id: hubId,
        name: token.name,
        kind: 'token',
        origin: `token:${token.name}`,
        via: place.origin,
        person: personOf(token.by),
        acts: token.grants,
      })
    },

    seal({ device, affordance, operation }, value, caller) {
      const may = new Sight(authority, caller).may(device, affordance, operation)
      if (!may.may) return no(may.why, may.detail)
      // A token's key is the hub's, which the root never makes an owner.
      if (may.as === 'owner') return no('not-permitted')
      const { nonce } = device.presence
      if (!nonce) return no('away', `${device.name} was never connected`)
      const now = authority.now()
      sequence = Math.max(clock.now(), sequence + 1)
      return yes(
        sealEnvelope(
          {
            type: 'command',
            audience: device.id,
            sealedAt: now,
            expiresAt: now + TOKEN_COMMAND_S,
            epoch,
            sequence,
            nonce,
            operation,
            affordance,
            ...(value !== undefined && { value }),
            grant: may.by.body.id,
          },
          hub,
        ),
      )
    },
  }

  function personOf(by: PartyId): Uint8Array | undefined {
    return authority.people.holder(by)?.person
  }
}
