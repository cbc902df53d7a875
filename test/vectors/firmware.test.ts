// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CODES, type Code } from '../../schemas/gen/ts/codes.ts'
import type { Port } from '../../scripts/firmware.ts'
import { PORTS_TRIED, startFirmware } from '../support/firmware.ts'
import { readVectors, type Vector } from '../support/vectors.ts'

const ROOMS = [
  'envelope',
  'code',
  'session',
  'enrolment',
  'grants',
  'update',
  'stills',
  'serial',
  'certificate',
] as const
const STEPS = new Set(['frame', 'code', 'bytes'])

/** What each step of each file reached, in order, played by one process of firmware/check/vectors.c. */
async function play(port: Port, vectors: readonly Vector[]): Promise<Map<string, number[]>> {
  await using firmware = await startFirmware({ port, program: 'vectors' })
  const reached = new Map<string, number[]>()
  for (const { file, lines } of vectors) {
    const codes: number[] = []
    firmware.say(`file: ${file}`)
    for (const [field, value] of lines) {
      firmware.say(`${field}: ${value}`)
      if (STEPS.has(field)) codes.push(Number((await firmware.line(/^reached \d+$/)).split(' ')[1]))
    }
    reached.set(file, codes)
  }
  firmware.say('end:')
  assert.equal(await firmware.exited, 0)
  return reached
}

function expected({ lines }: Vector): number[] {
  return lines.filter(([field]) => field === 'expect').map(([, name]) => CODES[name as Code])
}

for (const port of PORTS_TRIED) {
  for (const room of ROOMS) {
    describe(`${room} vectors on the firmware's own code, ${port}`, async () => {
      const vectors = readVectors(room)
      const playing = play(port, vectors)
      for (const vector of vectors) {
        it(vector.file, async () => {
          const codes = expected(vector)
          assert.ok(codes.length > 0, 'a vector that expects nothing')
          assert.deepEqual((await playing).get(vector.file), codes)
        })
      }
    })
  }
}

describe('the vector runner', () => {
  for (const line of ['colour: green', 'room: kitchen', 'frame: 00', 'now: soon', 'root: 00', 'no colon'])
    it(`ends with status 2 at "${line}"`, async () => {
      await using firmware = await startFirmware({ port: 'sanitize', program: 'vectors' })
      firmware.say(line)
      assert.equal(await firmware.exited, 2)
    })
})
