// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A conversation with one device over a line that loses, damages and invents (SPEC 17).
 * In: an open line; out: who is there, whether it took what it was handed, and what became of that, or a CliError that says what to do.
 */
import { createHash } from 'node:crypto'
import { type Code, MEANINGS } from '../../../schemas/gen/ts/codes.ts'
import { SERIAL_PIECE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { CliError } from '../error.ts'
import { type Ask, type Heard, readHeard, SEQUENCE_MAX, type Self, type Stage, writeAsk } from './words.ts'

export interface SerialLine extends AsyncDisposable {
  /** As it was named: /dev/ttyUSB0. */
  readonly path: string
  /** The next whole line without its end, or undefined when none came in time. @throws CliError link-closed */
  next(ms: number): Promise<string | undefined>
  /** @throws CliError link-closed */
  write(line: string): void
}

export interface TalkDeps {
  readonly clock: Clock
  readonly random: Random
  readonly line: SerialLine
}

const TRY_MS = 1500
const TRIES_MAX = 6
/** A board begins anew when its line is opened, and its boot takes a while. */
const MEET_TRIES_MAX = 12
/** Joining takes 20 s at most, and a pause between two tries to enrol 60. */
const STAGE_SILENCE_MS_MAX = 120_000

export class Talk {
  readonly #deps: TalkDeps
  #sequence: number
  #heard: string | undefined

  constructor(deps: TalkDeps) {
    this.#deps = deps
    // What a device still says to somebody before us must not pass for an answer to us.
    this.#sequence = 1 + Math.floor(deps.random.fraction() * SEQUENCE_MAX)
  }

  /** @throws CliError silent: nobody answers, or not in our words */
  async meet(): Promise<Self> {
    const answer = await this.#ask({ kind: 'who' }, MEET_TRIES_MAX)
    if (answer?.kind === 'answer' && answer.self) return answer.self
    throw answer ? this.#strange() : this.#nobody()
  }

  /** Hands over all of it. @throws CliError with the device's own code when it does not take it; silent */
  async hand(whole: Uint8Array): Promise<void> {
    for (let at = 0; at < whole.length; at += SERIAL_PIECE_BYTES_MAX) {
      await this.#insist({ kind: 'part', at, piece: whole.subarray(at, at + SERIAL_PIECE_BYTES_MAX) })
    }
    const digest = Uint8Array.from(createHash('sha256').update(whole).digest())
    await this.#insist({ kind: 'take', size: whole.length, digest })
  }

  /** What became of it, stage by stage; ends with `done`. @throws CliError with the device's code when it is refused; silent */
  async *outcome(): AsyncGenerator<{ readonly stage: Stage; readonly code: Code }> {
    let until = this.#deps.clock.monotonic() + STAGE_SILENCE_MS_MAX
    for (;;) {
      const heard = await this.#listen(until)
      if (!heard) throw this.#fellSilent()
      if (heard.kind !== 'told' || heard.stage === 'unread') continue
      until = this.#deps.clock.monotonic() + STAGE_SILENCE_MS_MAX
      if (heard.stage === 'refused') throw refusalOf(heard.code)
      yield heard
      if (heard.stage === 'done') return
    }
  }

  async #insist(ask: Ask): Promise<void> {
    const answer = await this.#ask(ask, TRIES_MAX)
    if (!answer) throw this.#fellSilent()
    // It has begun, so it has taken: the answer itself was lost.
    if (answer.kind === 'told') return
    if (answer.code !== 'ok') throw refusalOf(answer.code)
  }

  /** Asks, again when the line was damaged or nothing comes; undefined when nobody answers. */
  async #ask(ask: Ask, tries: number): Promise<Heard | undefined> {
    this.#sequence = (this.#sequence % SEQUENCE_MAX) + 1
    const { clock, line } = this.#deps
    for (let tried = 0; tried < tries; tried++) {
      line.write(writeAsk(this.#sequence, ask))
      const until = clock.monotonic() + TRY_MS
      let heard: Heard | undefined
      do heard = await this.#listen(until)
      while (heard && !this.#isAbout(heard, ask))
      if (heard && !(heard.kind === 'told' && heard.stage === 'unread')) return heard
    }
    return undefined
  }

  #isAbout(heard: Heard, ask: Ask): boolean {
    if (heard.kind === 'answer') return heard.sequence === this.#sequence
    return heard.stage === 'unread' || ask.kind === 'take'
  }

  /** The next thing that a device says in our words. */
  async #listen(until: number): Promise<Heard | undefined> {
    for (;;) {
      const left = until - this.#deps.clock.monotonic()
      const text = left > 0 ? await this.#deps.line.next(left) : undefined
      if (text === undefined) return undefined
      const heard = readHeard(text)
      if (heard?.ok) return heard.value
      if (text.trim() !== '') this.#heard = text.trim().slice(0, SHOWN_CHARS_MAX)
    }
  }

  #nobody(): CliError {
    const { path } = this.#deps.line
    if (this.#heard === undefined) {
      return new CliError('silent', `nothing answers on ${path}`, {
        next: 'is this the right port, and Shallot’s firmware on the board? A device that is connected to its home does not listen here: forget it first, or take its Wi-Fi away',
      })
    }
    return new CliError('silent', `what speaks on ${path} does not answer; it said: ${this.#heard}`, {
      next: 'is Shallot’s firmware on the board, and no other program at this port? A device that is connected to its home does not listen here: forget it first, or take its Wi-Fi away',
    })
  }

  #strange(): CliError {
    return new CliError('bad-answer', `the device on ${this.#deps.line.path} did not say who it is`, {
      next: 'it may have newer firmware than this program knows',
    })
  }

  #fellSilent(): CliError {
    return new CliError('silent', `the device on ${this.#deps.line.path} has fallen silent`, {
      next: 'unplug it, plug it in again, and run this once more: what was not taken is forgotten',
    })
  }
}

const SHOWN_CHARS_MAX = 60

function refusalOf(code: Code): CliError {
  return new CliError(code, `the device refused: ${MEANINGS[code]}`, { next: NEXT[code] })
}

const NEXT: Partial<Record<Code, string>> = {
  'wifi-absent': 'check the name; an ESP8266 sees networks of 2.4 GHz alone',
  'wifi-refused': 'run this again with the right password; nothing of it was kept',
  'port-network': 'the home must be reachable from the device’s network: see --link-host of the daemon',
  'permit-expired': 'run this again: it makes a new code',
  'permit-used': 'run this again: it makes a new code',
}
