// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { startFirmware } from '../support/firmware.ts'
import { readVectors, type Vector } from '../support/vectors.ts'

const ROOMS = ['envelope', 'enrolment', 'session', 'code'] as const
const STEPS = new Set(['frame', 'code', 'bytes'])
const TURNS = 12
const BYTES_MAX = 1040
const CODE_CHARS_MAX = 600

type Chance = (below: number) => number

/** mulberry32: the same seed damages in the same way. */
function chanceFrom(seed: number): Chance {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** One to three of: a bit turned over, a byte replaced, cut short, a byte put in, a piece doubled. */
function damaged(bytes: Uint8Array, chance: Chance): Uint8Array {
  let list = [...bytes]
  for (let times = 1 + chance(3); times > 0; times--) {
    const at = chance(Math.max(1, list.length))
    const kind = chance(5)
    if (kind === 0 && list.length > 0) list[at]! ^= 1 << chance(8)
    else if (kind === 1 && list.length > 0) list[at] = chance(256)
    else if (kind === 2) list = list.slice(0, at)
    else if (kind === 3) list.splice(at, 0, chance(256))
    else list.splice(at, 0, ...list.slice(at, at + 1 + chance(24)))
  }
  return Uint8Array.from(list.slice(0, BYTES_MAX))
}

/** Stays one line of printable ASCII, or the console would hear something else. */
function damagedText(text: string, chance: Chance): string {
  const bytes = damaged(new TextEncoder().encode(text), chance).subarray(0, CODE_CHARS_MAX)
  return String.fromCharCode(...bytes.map((byte) => 33 + (byte % 94)))
}

function damagedLine(field: string, value: string, chance: Chance): string {
  return field === 'code' ? damagedText(value, chance) : damaged(Uint8Array.fromHex(value), chance).toHex()
}

/** Plays a vector with its last step damaged; the steps before it make the state that this one meets. */
async function play(
  firmware: Awaited<ReturnType<typeof startFirmware>>,
  { file, lines }: Vector,
  chance: Chance,
): Promise<{ sound: boolean; code: string } | undefined> {
  const last = lines.findLastIndex(([field]) => STEPS.has(field))
  if (last < 0) return undefined
  firmware.say(`file: ${file}`)
  for (const [field, value] of lines.slice(0, last)) firmware.say(`${field}: ${value}`)
  const [field, value] = lines[last]!
  const spoiled = damagedLine(field, value, chance)
  firmware.say(`${field}: ${spoiled}`)
  let code = ''
  for (const [each] of lines.slice(0, last + 1)) {
    if (STEPS.has(each)) code = (await firmware.line(/^reached \d+$/)).split(' ')[1]!
  }
  return { sound: spoiled === value, code }
}

describe('damaged input under AddressSanitizer and UndefinedBehaviorSanitizer', { timeout: 400_000 }, () => {
  const seed = randomInt(2 ** 31)
  for (const room of ROOMS)
    it(`the ${room} vectors, damaged with seed ${seed}, are each answered with a code`, async () => {
      const chance = chanceFrom(seed)
      await using firmware = await startFirmware({ port: 'sanitize', program: 'vectors' })
      let played = 0
      for (let turn = 0; turn < TURNS; turn++) {
        for (const vector of readVectors(room)) {
          const outcome = await play(firmware, vector, chance)
          if (outcome === undefined) continue
          played++
          if (room === 'envelope' && !outcome.sound)
            assert.notEqual(outcome.code, '0', `${vector.file}: a damaged envelope was taken`)
        }
      }
      firmware.say('end:')
      assert.equal(await firmware.exited, 0)
      assert.ok(played >= TURNS, 'nothing was played')
    })
})
