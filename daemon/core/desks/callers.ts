// SPDX-License-Identifier: GPL-3.0-or-later
/** Who asks (SPEC 9.2): a sealed request or command enters, a Caller leaves, or a reason. */
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX, REQUEST_WINDOW } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Asked, Caller } from '../callers.ts'
import {
  admit,
  type Command,
  type Frame,
  type Message,
  openEnvelope,
  type Request,
} from '../envelope/index.ts'
import { idOf, keyOf, type PartyId } from '../model/index.ts'
import { Windows } from '../windows.ts'
import type { DeskDeps } from './deps.ts'

/** Of a path, in the log. */
const PATH_CHARS_MAX = 100

export interface CallerDesk {
  identify(frame: Frame, asked: Asked): Verdict<Caller, Code>
  /** Who sealed this command, for a request that carries nothing else: only that is proved here (SPEC 9.2). */
  sealer(
    frame: Frame,
    origin: string,
  ): Verdict<{ readonly caller: Caller; readonly command: Message<Command> }, Code>
  /** Somebody proved asked for what is not theirs to ask: for the log. */
  forbidden(caller: Caller, what: string): void
  /** Something that nobody proved, and that no face of this home answers: for the log. */
  foreign(what: string, origin: string): void
  /** Whether this caller may still ask: for what stays open. */
  counts(caller: Caller): boolean
}

export function openCallers(deps: DeskDeps): CallerDesk {
  const { clock, ed25519, authority, tokens, diary } = deps
  const { trust, grants, people } = authority
  const windows = new Windows()
  /** What was asked of us before we started we no longer know: such a request may be a replay (SPEC 3.3). */
  const openedAt = clock.now()

  /** The caller that this key makes, whatever it wants. */
  const callerOf = (key: Uint8Array, origin: string): Caller | undefined => {
    const owner = trust.owner(key)
    if (owner) return { id: owner.id, name: owner.name, kind: 'owner', origin }
    const id = idOf(key)
    const holder = people.holder(id)
    if (holder) return { id, name: holder.name, kind: 'holder', origin, person: holder.person }
    const [grant] = grants.heldBy(key)
    return grant && { id, name: grant.body.name, kind: 'holder', origin }
  }

  const isKnown = (key: Uint8Array): boolean => trust.isOwner(key) || people.holder(idOf(key)) !== undefined

  return {
    identify(frame, asked) {
      const what = `${asked.method} ${asked.path.split('?')[0]!.slice(0, PATH_CHARS_MAX)}`
      /** A seal that is not what it should be: of whom it says it is, once that is proved. */
      const strange = (why: Code, detail?: string, signer?: PartyId) => {
        diary.stranger(why, { origin: asked.origin, signer, note: `${what}: ${why}` })
        return no(why, detail)
      }
      const opened = openEnvelope(
        frame,
        {
          sizeMax: ENVELOPE_BYTES_MAX,
          accepts: (body, signer) => body.type === 'request' && isKnown(signer),
          isAudience: (body) => body.audience === trust.home,
        },
        ed25519,
      ) as Verdict<Message<Request>, Code>
      if (!opened.ok) return strange(opened.why)
      const { body, signer } = opened.value
      const caller = callerOf(signer, asked.origin)!
      const holder = caller.kind === 'holder' && people.holder(caller.id)
      if (holder && !people.counts(holder)) {
        const note = `${caller.name}: ${what}`
        return diary.stranger('grant-revoked', { origin: asked.origin, signer: caller.id, note })
      }
      if (body.method !== asked.method || body.path !== asked.path || !equal(body.digest, asked.digest)) {
        return strange('unauthorized', 'the sealed request is for something else', caller.id)
      }
      const admitted = admit(opened.value, {
        now: authority.now(),
        window: windows.of(`request:${caller.id}`, REQUEST_WINDOW, openedAt),
      })
      return admitted.ok ? yes(caller) : strange(admitted.why, undefined, caller.id)
    },

    sealer(frame, origin) {
      let named: Uint8Array | undefined
      const opened = openEnvelope(
        frame,
        {
          sizeMax: ENVELOPE_BYTES_MAX,
          accepts(body, signer) {
            named = signer
            return body.type === 'command' && grants.acceptsCommand(body, signer)
          },
          isAudience: () => true,
        },
        ed25519,
      ) as Verdict<Message<Command>, Code>
      if (opened.ok) return yes({ caller: callerOf(opened.value.signer, origin)!, command: opened.value })
      // Its seal was not looked at, or does not hold: the entry says who it claims to be.
      const note = named ? `a command that names ${idOf(named)} as its sealer` : 'what is no command'
      diary.stranger(opened.why, { origin, note })
      return opened
    },

    forbidden({ id, origin, person, name }, what) {
      diary.stranger('forbidden', { origin, signer: id, person, note: `${name}: ${what}` })
    },

    foreign(what, origin) {
      diary.stranger('forbidden', { origin, note: what })
    },

    counts({ id, kind, origin, acts }) {
      if (kind === 'owner') return trust.isOwner(keyOf(id))
      if (kind === 'token') {
        return tokens
          .list()
          .some(({ name, grants }) => origin === `token:${name}` && sameIds(grants, acts ?? []))
      }
      const holder = people.holder(id)
      return holder ? people.counts(holder) : grants.heldBy(keyOf(id)).length > 0
    },
  }
}

function sameIds(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && some.every((id, i) => equal(id, others[i]!))
}
