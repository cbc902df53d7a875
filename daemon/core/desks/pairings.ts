// SPDX-License-Identifier: GPL-3.0-or-later
/** A phone joins (SPEC 13.3 to 13.5): somebody who may allows one key, the phone asks, and is told when it is confirmed. */
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX, PAIRING_LIFETIME_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { Secret } from '../../base/secret.ts'
import type { Caller } from '../callers.ts'
import { admit, type Frame, type Message, openEnvelope, type Pair, type Pairing } from '../envelope/index.ts'
import { keyProof } from '../identity/index.ts'
import { idOf, isDeviceName, type PartyId } from '../model/index.ts'
import type { KnownHolder, KnownPerson } from '../people.ts'
import type { OpenPairing } from '../ports-people.ts'
import { Tries } from '../tries.ts'
import { PhoneAddresses } from './addresses.ts'
import type { DeskDeps } from './deps.ts'

/** What a phone that asked is answered. */
export type Asked =
  | { readonly state: 'unconfirmed'; readonly name: string; readonly key: PartyId }
  | { readonly state: 'confirmed'; readonly holder: KnownHolder; readonly person: KnownPerson }

/** Where a try comes from. */
export interface Place {
  readonly origin: string
  /** Of the peer; empty on a unix socket, where the origin is all there is. */
  readonly address: string
}

export interface PairingsDesk {
  /** @param way  the onion service that is this phone's own; `own`: one that is made for it and goes with it */
  open(
    frame: Frame,
    proofKey: Uint8Array,
    way: { readonly service: string } | 'own' | undefined,
    caller: Caller,
  ): Promise<Verdict<Opened, Code>>
  /** For who opened it, and for owners. */
  get(pairing: Uint8Array, caller: Caller): Verdict<OpenPairing, Code>
  decline(pairing: Uint8Array, caller: Caller): Promise<Verdict<void, Code>>
  /** A phone asks; it may ask again to learn what became of it. */
  ask(pairing: Uint8Array, frame: Frame, place: Place): Promise<Verdict<Asked, Code>>
  /** Whether this onion service came with a pairing of this caller's. */
  isAddressOf(service: string, caller: Caller): boolean
  /** Takes back the addresses that came with pairings and by which nobody may come any more. */
  tidy(): void
}

export interface Opened {
  readonly pairing: Uint8Array
  /** What was made for this phone. */
  readonly own?: { readonly address: string; readonly invitation: string } | undefined
}

export function openPairingsDesk(deps: DeskDeps): PairingsDesk {
  const { clock, ed25519, authority, pairings, feed, diary } = deps
  const { trust, people } = authority
  const tries = new Tries()
  const addresses = new PhoneAddresses(deps)

  const changed = ({ pairing, by }: OpenPairing): void =>
    feed.publish({ event: 'pairing', at: clock.now(), pairing, by })

  const get = (id: Uint8Array, caller: Caller): Verdict<OpenPairing, Code> => {
    const pairing = pairings.get(id)
    const isTheirs = pairing && (caller.kind === 'owner' || pairing.by === caller.id)
    return isTheirs ? yes(pairing) : no('permit-unknown')
  }

  const answerOf = (pairing: OpenPairing, key: PartyId): Verdict<Asked, Code> => {
    const holder = people.holder(key)
    const person = holder && people.person(holder.person)
    if (holder && person && people.counts(holder)) return yes({ state: 'confirmed', holder, person })
    if (pairing.end) return no(pairing.end === 'declined' ? 'not-permitted' : 'grant-revoked')
    if (pairing.expiresAt <= clock.now()) return no('permit-expired')
    return yes({ state: 'unconfirmed', name: pairing.name, key })
  }

  const openPair = (frame: Frame): Verdict<Message<Pair>, Code> => {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: ENVELOPE_BYTES_MAX,
        accepts: (body) => body.type === 'pair',
        isAudience: (body) => body.audience === trust.home,
      },
      ed25519,
    )
    return opened as Verdict<Message<Pair>, Code>
  }

  return {
    get,

    isAddressOf: (service, caller) => addresses.isOf(service, caller),
    tidy: () => addresses.tidy(),

    async open(frame, proofKey, way, caller) {
      const refused = (why: Code, detail?: string) => diary.refuse(frame, caller, undefined, why, detail)
      const opened = openEnvelope(
        frame,
        {
          sizeMax: ENVELOPE_BYTES_MAX,
          accepts: (body, signer) => body.type === 'pairing' && people.mayBring(signer),
          isAudience: (body) => body.audience === trust.home,
        },
        ed25519,
      ) as Verdict<Message<Pairing>, Code>
      if (!opened.ok) return refused(opened.why)
      const { body, signer } = opened.value
      const admitted = admit(opened.value, { now: authority.now() })
      if (!admitted.ok) return refused(admitted.why)
      if (body.expiresAt > authority.now() + PAIRING_LIFETIME_S_MAX) return refused('bad-claims')
      if (!isDeviceName(body.name)) return refused('bad-claims', 'a phone cannot have this name')
      const person = people.person(body.person)
      if (!person || person.gone) return refused('not-found', 'this person is not known')
      if (!trust.isOwner(signer) && person.by !== idOf(signer)) return refused('forbidden')
      if (pairings.get(body.pairing)) return refused('conflict', 'this pairing was handed in already')
      const reserved = way === 'own' ? addresses.reserve(body, caller) : undefined
      if (reserved && !reserved.ok) return refused(reserved.why, reserved.detail)
      using own = reserved?.value
      const { pairing, name, kind } = body
      await pairings.open(
        {
          pairing,
          name,
          kind,
          person: person.id,
          by: idOf(signer),
          expiresAt: body.expiresAt * 1000,
          proofKey,
          invitation: way === 'own' ? own?.service : way?.service,
          frame,
        },
        diary.by(caller, { kind: 'pairing', frame, person: person.id, note: name }),
      )
      if (!own) return yes({ pairing })
      const address = await deps.invite(own.name, { signer: caller.id, origin: caller.origin })
      return yes({ pairing, own: { address, invitation: own.name } })
    },

    async decline(id, caller) {
      const pairing = get(id, caller)
      if (!pairing.ok) return pairing
      if (pairing.value.end) return no('conflict', 'this pairing is over')
      const { name, person } = pairing.value
      await pairings.end(id, 'declined', diary.by(caller, { kind: 'declined', person, note: name }))
      changed(pairing.value)
      addresses.tidy()
      return yes(undefined)
    },

    async ask(id, frame, place) {
      const tryer = `${place.origin} ${place.address}`
      const wrong = (why: Code) => {
        tries.wrong(tryer, clock.monotonic())
        return diary.stranger(why, { origin: place.origin, note: `a phone that would pair: ${why}` })
      }
      if (tries.exhausted(tryer, clock.monotonic())) return no('too-many-tries')
      const opened = openPair(frame)
      if (!opened.ok) return wrong(opened.why)
      const { body, signer } = opened.value
      if (!equal(body.pairing, id)) return wrong('bad-request')
      const pairing = pairings.get(id)
      if (!pairing) return wrong('permit-unknown')
      const key = idOf(signer)
      if (pairing.key === key) return answerOf(pairing, key)
      if (pairing.key !== undefined || pairing.end) return wrong('permit-used')
      if (!pairing.proofKey) return no('permit-expired')
      if (!equal(keyProof(new Secret(pairing.proofKey), signer), body.proofForHub)) return wrong('bad-proof')
      if (trust.isRevoked(signer)) return wrong('grant-revoked')
      const entry = {
        kind: 'asked',
        at: clock.now(),
        signer: key,
        frame,
        origin: place.origin,
        person: pairing.person,
        note: pairing.name,
      } as const
      if (!(await pairings.ask(id, key, frame, entry))) return wrong('permit-used')
      changed(pairing)
      return answerOf({ ...pairing, key }, key)
    },
  }
}
