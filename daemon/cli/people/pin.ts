// SPDX-License-Identifier: GPL-3.0-or-later
/** Codes for a keypad: asked for unseen or drawn, and stretched before they leave this process (SPEC 12.7). */
import { pbkdf2Sync } from 'node:crypto'
import {
  PIN_DIGITS_LEAST,
  PIN_DIGITS_MAX,
  PIN_KEY_BYTES,
  PIN_ROUNDS_LEAST,
  PIN_ROUNDS_MAX,
  PIN_SALT_BYTES,
} from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import type { Random } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import type { Pin } from '../../core/envelope/index.ts'
import { CliError } from '../error.ts'

/** What a small lock can try for each of its codes within the patience of somebody at the door. */
export const PIN_ROUNDS = 4000
const PIN_DIGITS_DRAWN = 6

/** @throws CliError usage, which does not repeat the code */
export function readPin(typed: string): Secret<string> {
  const digits = typed.trim()
  if (/^\d+$/.test(digits) && digits.length >= PIN_DIGITS_LEAST && digits.length <= PIN_DIGITS_MAX) {
    return new Secret(digits)
  }
  throw new CliError('usage', `a code is ${PIN_DIGITS_LEAST} to ${PIN_DIGITS_MAX} digits`)
}

/** Six digits, each number as likely as any other. */
export function drawPin(random: Random): Secret<string> {
  const count = 10 ** PIN_DIGITS_DRAWN
  const fair = 2 ** 32 - (2 ** 32 % count)
  for (;;) {
    const drawn = new DataView(random.bytes(4).buffer).getUint32(0)
    if (drawn < fair) return new Secret(String(drawn % count).padStart(PIN_DIGITS_DRAWN, '0'))
  }
}

/** @throws CliError usage */
export function parseRounds(text: string): number {
  const rounds = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (rounds >= PIN_ROUNDS_LEAST && rounds <= PIN_ROUNDS_MAX) return rounds
  throw new CliError('usage', `--rounds is a number from ${PIN_ROUNDS_LEAST} to ${PIN_ROUNDS_MAX}`)
}

export function stretchPin(random: Random, digits: Secret<string>, rounds: number): Pin {
  const salt = Uint8Array.from(random.bytes(PIN_SALT_BYTES))
  return { salt, rounds, key: stretch(digits, salt, rounds) }
}

/** Whether these are the digits of that code. */
export function isPin(digits: Secret<string>, pin: Pin): boolean {
  return equal(stretch(digits, pin.salt, pin.rounds), pin.key)
}

function stretch(digits: Secret<string>, salt: Uint8Array, rounds: number): Uint8Array {
  return Uint8Array.from(pbkdf2Sync(digits.reveal(), salt, rounds, PIN_KEY_BYTES, 'sha256'))
}
