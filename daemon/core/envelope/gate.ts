// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { CLOCK_SKEW_S_MAX, REPLAY_WINDOW } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Body, Message } from './message.ts'

export type GateCode = Extract<Code, 'no-clock' | 'expired' | 'not-yet' | 'stale-nonce' | 'replayed'>

/** What the receiver holds a message against (SPEC 3). */
export interface Freshness {
  /** Seconds since the epoch; 0: this side does not know the time. */
  readonly now: number
  /** The nonce that types with one must carry. */
  readonly nonce?: Uint8Array | undefined
  /** The signer's window, for types that are protected by one (command, request). */
  readonly window?: ReplayWindow | undefined
}

/** Whether a verified message is for now and for the first time; enters it into the window when it is (SPEC 3.2–3.4). */
export function admit(message: Message, fresh: Freshness): Verdict<Message, GateCode> {
  const { body } = message
  const late = judgeTime(body, fresh.now)
  if (late) return no(late)
  if ('nonce' in body && (fresh.nonce === undefined || !equal(body.nonce, fresh.nonce)))
    return no('stale-nonce')
  if (fresh.window && !fresh.window.enter(body.sequence)) return no('replayed')
  return yes(message)
}

/** What people seal. A hub brings the time, and a device has it from a hub whose clock may since have been set back. */
const SEALED_BY_PEOPLE: ReadonlySet<string> = new Set([
  'owner',
  'member',
  'permit',
  'enrolment',
  'command',
  'request',
  'person',
  'holder',
  'grant',
  'revocation',
  'pairing',
  'manifest',
])

function judgeTime(body: Body, now: number): GateCode | undefined {
  if ('expiresAt' in body && body.expiresAt !== undefined) {
    if (now === 0) return 'no-clock'
    if (body.expiresAt <= now) return 'expired'
  }
  if (now !== 0 && SEALED_BY_PEOPLE.has(body.type) && body.sealedAt > now + CLOCK_SKEW_S_MAX) return 'not-yet'
  return undefined
}

/** The largest sequences accepted from one signer (SPEC 3.3): tolerates a little reordering, never a repeat. */
export class ReplayWindow {
  /** Ascending, at most `#size`. */
  readonly #accepted: number[] = []
  readonly #size: number
  readonly #floor: number

  /** @param floor  smaller sequences may have been accepted before this window was there */
  constructor(size: number = REPLAY_WINDOW, floor = 0) {
    this.#size = size
    this.#floor = floor
  }

  /** False for a sequence seen before, below the floor, or older than all that are remembered once the window is full. */
  enter(sequence: number): boolean {
    if (sequence < this.#floor) return false
    const held = this.#accepted
    if (held.includes(sequence)) return false
    if (held.length === this.#size) {
      if (sequence < held[0]!) return false
      held.shift()
    }
    const at = held.findIndex((other) => other > sequence)
    held.splice(at < 0 ? held.length : at, 0, sequence)
    return true
  }
}
