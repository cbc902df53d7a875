// SPDX-License-Identifier: GPL-3.0-or-later
import { toHex } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Caller } from '../callers.ts'
import type { Pairing } from '../envelope/index.ts'
import type { PartyId } from '../model/index.ts'
import type { OpenPairing } from '../ports-people.ts'
import type { DeskDeps } from './deps.ts'

/** Addresses of phones that one who passes on has let in, and of all such phones: each costs tor introduction circuits. */
export const SHARER_ADDRESSES_MAX = 8
export const SHARED_ADDRESSES_MAX = 64

/** A place for one address more, until it is made. */
export interface Reserved extends Disposable {
  /** Of the invitation. */
  readonly name: string
  /** Its onion service. */
  readonly service: string
}

/**
 * The onion addresses that come with a pairing (SPEC 13.3): each phone's own, gone when the pairing came to nothing or the phone
 * was taken back. Such an invitation is known by its name, which ends with the id of its pairing: nobody else can have it.
 */
export class PhoneAddresses {
  readonly #deps: DeskDeps
  /** By whoever asked, addresses that are being made. */
  readonly #reserved = new Map<PartyId, number>()

  constructor(deps: DeskDeps) {
    this.#deps = deps
  }

  /**
   * Owners have as many as they want; nobody else may fill tor.
   * @returns `conflict` for a name that is an invitation's already: who pairs chooses name and id, and must not get at another's
   */
  reserve(
    { name, pairing }: Pick<Pairing, 'name' | 'pairing'>,
    caller: Caller,
  ): Verdict<Reserved, 'too-many-requests' | 'conflict'> {
    this.tidy()
    const invitation = `${plain(name)}-${toHex(pairing)}`
    const service = `invitation:${invitation}`
    if (this.#deps.offered().has(service))
      return no('conflict', `there is an invitation ${invitation} already`)
    const full = caller.kind === 'owner' ? undefined : this.#fullFor(caller)
    if (full) return no('too-many-requests', full)
    const count = caller.kind === 'owner' ? 0 : 1
    this.#reserve(caller.id, count)
    return yes({
      name: invitation,
      service,
      [Symbol.dispose]: () => this.#reserve(caller.id, -count),
    })
  }

  /** Why there is no more for this caller. */
  #fullFor({ id }: Caller): string | undefined {
    const held = this.#ofSharers()
    const own = held.filter(({ by }) => by === id).length + (this.#reserved.get(id) ?? 0)
    if (own >= SHARER_ADDRESSES_MAX)
      return `${SHARER_ADDRESSES_MAX} phones that you let in have an address already`
    const all = [...this.#reserved.values()].reduce((sum, each) => sum + each, held.length)
    return all >= SHARED_ADDRESSES_MAX ? 'too many phones have an address already' : undefined
  }

  /** Whether this service came with a pairing that this caller opened. */
  isOf(service: string, caller: Caller): boolean {
    return this.#own().some(({ by, invitation }) => invitation === service && by === caller.id)
  }

  /** Takes back the addresses by which nobody may come any more. */
  tidy(): void {
    const offered = this.#deps.offered()
    for (const pairing of this.#own()) {
      const { invitation } = pairing
      if (offered.has(invitation!) && !this.#isWanted(pairing))
        this.#deps.withdraw(invitation!, { origin: 'unix' })
    }
  }

  /** Those that came with a pairing that is not an owner's. */
  #ofSharers(): readonly OpenPairing[] {
    const offered = this.#deps.offered()
    const { owners } = this.#deps.authority.trust
    return this.#own().filter(
      ({ by, invitation }) => offered.has(invitation!) && !owners.some(({ id }) => id === by),
    )
  }

  #own(): readonly OpenPairing[] {
    const { pairings } = this.#deps
    return pairings.invited().filter(({ pairing, invitation }) => invitation!.endsWith(`-${toHex(pairing)}`))
  }

  #isWanted({ key, end, expiresAt }: OpenPairing): boolean {
    const { authority, clock } = this.#deps
    const holder = key && authority.people.holder(key)
    if (holder && authority.people.counts(holder)) return true
    return end === undefined && expiresAt > clock.now()
  }

  #reserve(by: PartyId, more: number): void {
    const count = (this.#reserved.get(by) ?? 0) + more
    if (count > 0) this.#reserved.set(by, count)
    else this.#reserved.delete(by)
  }
}

const PLAIN_CHARS_MAX = 15

/** What the name of an invitation may begin with, for people who read a list of them. */
function plain(name: string): string {
  const letters = name.toLowerCase().match(/[a-z0-9]+/g) ?? ['phone']
  return letters.join('-').slice(0, PLAIN_CHARS_MAX).replace(/-+$/, '')
}
