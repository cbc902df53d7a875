// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type Firmware, startFirmware } from '../support/firmware.ts'

const FIELD = 2n ** 255n - 19n
/** What a number may be at most when it comes and when it leaves, by the library's own words: even limbs, odd limbs. */
const COMING = [Math.floor(1.65 * 2 ** 26), Math.floor(1.65 * 2 ** 25)]
const LEAVING = [1.01 * 2 ** 25, 1.01 * 2 ** 24]
const LIMBS = 10
const ROUNDS = 120

type Limbs = readonly number[]

const limbs = (limb: (index: number) => number): Limbs =>
  Array.from({ length: LIMBS }, (_, index) => limb(index))
const most = (index: number): number => COMING[index % 2]!

function numberOf(number: Limbs): bigint {
  return number.reduce((sum, limb, index) => sum + BigInt(limb) * 2n ** BigInt(Math.ceil(25.5 * index)), 0n)
}

function residue(number: bigint): bigint {
  return ((number % FIELD) + FIELD) % FIELD
}

function wordOf(number: Limbs): string {
  return Buffer.from(Int32Array.from(number).buffer).toString('hex')
}

function limbsOf(word: string): Limbs {
  const bytes = Buffer.from(word, 'hex')
  return limbs((index) => bytes.readInt32LE(4 * index))
}

const anyLimbs = (): Limbs => limbs((index) => randomInt(-most(index), most(index) + 1))

/** Where sums are largest, and where a carry runs through everything. */
const EDGES: readonly Limbs[] = [
  limbs(most),
  limbs((index) => -most(index)),
  limbs((index) => (index % 2 === 0 ? most(index) : -most(index))),
  limbs((index) => (index % 4 < 2 ? most(index) : -most(index))),
  limbs((index) => (index % 2 === 0 ? most(index) : 0)),
  limbs((index) => (index % 2 === 0 ? 2 ** 25 - 1 : 2 ** 24 - 1)),
  limbs((index) => (index % 2 === 0 ? -(2 ** 25) : -(2 ** 24))),
  limbs((index) => (index % 2 === 0 ? 4095 : 4096)),
  limbs((index) => (index % 2 === 0 ? -4097 : 4096 * 8192 - 4096 - 1)),
  limbs((index) => (index === 0 ? -19 : 0)),
  limbs((index) => (index === 0 ? 1 : 0)),
  limbs((index) => (index === 9 ? most(9) : 0)),
  limbs(() => 0),
]

for (const port of ['sanitize', 'qemu'] as const)
  describe(`multiplication modulo 2^255 - 19 on the ${port} port`, { timeout: 120_000 }, () => {
    let firmware: Firmware
    before(async () => {
      firmware = await startFirmware({ port, program: 'crypto-check' })
    })
    after(() => firmware[Symbol.asyncDispose]())

    async function holds(verb: string, factors: readonly Limbs[], expected: bigint): Promise<void> {
      const question = [verb, ...factors.map(wordOf)].join(' ')
      const product = limbsOf((await firmware.ask(question)).slice(verb.length + 1))
      assert.equal(residue(numberOf(product)), residue(expected), question)
      for (const [index, limb] of product.entries())
        assert.ok(Math.abs(limb) <= LEAVING[index % 2]!, `${question}: limb ${index} is ${limb}`)
    }

    async function everyVerbHolds(f: Limbs, g: Limbs): Promise<void> {
      const [one, other] = [numberOf(f), numberOf(g)]
      await holds('times', [f, g], one * other)
      await holds('square', [f], one * one)
      await holds('square2', [f], 2n * one * one)
      await holds('times121666', [f], 121666n * one)
    }

    it('is right at every pair of edges, and leaves limbs as small as the library does', async () => {
      for (const f of EDGES) for (const g of EDGES) await everyVerbHolds(f, g)
    })

    it('is right for numbers drawn by lot', async () => {
      for (let round = 0; round < ROUNDS; round++) await everyVerbHolds(anyLimbs(), anyLimbs())
    })
  })
