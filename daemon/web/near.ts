// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Devices asked by themselves, without the hub, by a page from the LAN face (SPEC 18).
 *
 * What is sent is the same sealed command, and what is believed is the same receipt; so a wrong device at this address, or a
 * wrong address, gains nothing. Who does not answer soon is left to the hub for a while.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { type Code, codeByNumber } from '../../schemas/gen/ts/codes.ts'
import { AFFORDANCE_ALL, DEVICE_ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { toBase64url } from '../base/bytes.ts'
import { type Clock, deadline } from '../base/clock.ts'
import type { Command, Message, Receipt } from '../core/envelope/browser.ts'
import type { PartyId } from '../core/model/index.ts'
import type { NamedValue, Thing } from './answers.ts'
import { PageError } from './error.ts'
import type { Person } from './person.ts'
import { type Believed, type Proven, prove, proveReceipt, valuesOf } from './proof.ts'

export interface NearDeps {
  readonly clock: Clock
  readonly fetch: typeof fetch
  readonly person: Person
}

/** What a command is beside whom it is for and for which life of it. */
export type Order = Pick<Command, 'operation' | 'affordance' | 'value' | 'grant'>

/** The device's sealed word, or the frame that nothing came of: the hub may be given that very one. */
export type NearAnswer =
  | { readonly kind: 'receipt'; readonly receipt: Message<Receipt> }
  | { readonly kind: 'none'; readonly frame: Uint8Array }

/** A slow board makes a handshake and two signatures in this time. */
const ANSWER_MS_MAX = 2500
/** So long the hub is asked alone after a device did not answer by itself. */
const LEFT_ALONE_MS = 60_000

export class Near {
  readonly #deps: NearDeps
  /** As last proved; the nonce is the one that the device itself said last. */
  readonly #proven = new Map<PartyId, Proven>()
  /** By origin: until when it is left alone, monotonic. */
  readonly #silent = new Map<string, number>()

  constructor(deps: NearDeps) {
    this.#deps = deps
  }

  /** Whether there is a way to this device that did not fail lately; `alone`: the hub does not answer, so any way is tried. */
  reaches({ direct }: Thing, alone: boolean): boolean {
    if (direct === undefined) return false
    return alone || (this.#silent.get(direct) ?? 0) <= this.#deps.clock.monotonic()
  }

  /** What a command can be sealed for; a hello that is not at hand is made up for by one that was proved before. */
  #known(thing: Thing, believed: Believed): Proven | undefined {
    const known = this.#proven.get(thing.id)
    if (!thing.hello) return known
    const proven = prove(thing, believed)
    const isOther = known?.hello !== proven.hello
    if (isOther) this.#proven.set(thing.id, proven)
    return isOther ? proven : known
  }

  /**
   * Has one thing done by the device itself; one that was born anew is asked once more, for the life that it says.
   * @returns undefined when nothing is known by which a command could be sealed
   * @throws PageError distrust
   */
  async ask(
    thing: Thing,
    believed: Believed,
    orderFor: (proven: Proven) => Order,
    signal: AbortSignal,
  ): Promise<NearAnswer | undefined> {
    const { person } = this.#deps
    const first = this.#known(thing, believed)
    if (!first || !thing.direct) return undefined
    const once = async (proven: Proven): Promise<NearAnswer> => {
      const frame = person.command(proven.id, { nonce: proven.nonce, ...orderFor(proven) })
      const answer = await this.#post(thing.direct!, frame, signal)
      if (!answer) return { kind: 'none', frame }
      return { kind: 'receipt', receipt: proveReceipt(answer, sha256(frame), proven.id, believed) }
    }
    const answer = await once(first)
    if (answer.kind === 'none' || codeIn(answer.receipt) !== 'stale-nonce') return answer
    const again = { ...first, nonce: answer.receipt.body.epoch }
    this.#proven.set(thing.id, again)
    return once(again)
  }

  /** How the device stands, as far as this person may read: by each of the grants that give something, or as an owner. */
  async read(
    thing: Thing,
    believed: Believed,
    signal: AbortSignal,
  ): Promise<readonly NamedValue[] | undefined> {
    const grants = new Map<string, Uint8Array | undefined>()
    for (const { may } of thing.affordances.values()) {
      if (may.read) grants.set(may.read.grant ? toBase64url(may.read.grant) : '', may.read.grant)
    }
    const values: NamedValue[] = []
    for (const grant of grants.values()) {
      const order: Order = { operation: 'read', affordance: AFFORDANCE_ALL, ...(grant && { grant }) }
      const answer = await this.ask(thing, believed, () => order, signal)
      if (answer?.kind !== 'receipt') return undefined
      values.push(...valuesOf(answer.receipt.body.values))
    }
    return values
  }

  /** @returns the sealed receipt; undefined when there was none */
  async #post(origin: string, frame: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { clock } = this.#deps
    using patience = deadline(clock, ANSWER_MS_MAX, signal)
    try {
      const response = await this.#deps.fetch(`${origin}/command`, {
        method: 'POST',
        headers: { 'content-type': 'application/cose' },
        body: Uint8Array.from(frame),
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        signal: patience.signal,
      })
      this.#silent.delete(origin)
      return response.ok ? await readWhole(response) : undefined
    } catch (error) {
      if (signal.aborted) throw error
      // Away, elsewhere, or unknown to this browser: to find out which is the hub's task.
      this.#silent.set(origin, clock.monotonic() + LEFT_ALONE_MS)
      return undefined
    }
  }
}

/** @throws PageError with the device's refusal */
export function valuesDone({ body }: Message<Receipt>): readonly NamedValue[] {
  const code = codeByNumber(body.code)
  if (code === undefined)
    throw new PageError('bad-answer', 'the device answers with a code that is not known')
  if (code !== 'ok') throw new PageError(code, code)
  return valuesOf(body.values)
}

function codeIn({ body }: Message<Receipt>): Code | undefined {
  return codeByNumber(body.code)
}

/** At most an envelope; what is longer is none. */
async function readWhole(response: Response): Promise<Uint8Array | undefined> {
  const reader = response.body?.getReader()
  const held: number[] = []
  for (;;) {
    const piece = await reader?.read()
    if (!piece || piece.done) return Uint8Array.from(held)
    held.push(...piece.value)
    if (held.length <= DEVICE_ENVELOPE_BYTES_MAX) continue
    await reader!.cancel()
    return undefined
  }
}
