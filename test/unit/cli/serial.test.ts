// SPDX-License-Identifier: GPL-3.0-or-later
/** The conversation with a device on a cable, held against devices and lines that lose, damage and invent (SPEC 17). */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { concat, equal } from '../../../daemon/base/bytes.ts'
import { systemClock } from '../../../daemon/base/clock.ts'
import { Secret } from '../../../daemon/base/secret.ts'
import { CliError } from '../../../daemon/cli/error.ts'
import { writeLine } from '../../../daemon/cli/serial/line.ts'
import { type SerialLine, Talk } from '../../../daemon/cli/serial/talk.ts'
import { faultOfWifi, readHeard, writeProvision } from '../../../daemon/cli/serial/words.ts'
import type { Cbor } from '../../../daemon/core/envelope/index.ts'
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import { type Asked, readAsk, readOrders } from '../../vectors/serial.ts'

const SELF: Cbor[] = [0, 1, 'esp8266', 'porch-light 0.1.0', 2]
const DONE = [0, 4, 0]

/** A device as SPEC 17 has it, on a line whose time passes only while somebody waits. */
class FakeDevice implements SerialLine {
  readonly path = '/dev/ttyFAKE'
  now = 0
  whole: Uint8Array = new Uint8Array(0)
  taken: Uint8Array | undefined
  asked: Asked[] = []
  /** What it says when it has taken everything. */
  stages: Cbor[] = [[0, 1, 0], [0, 2, 0], DONE]
  code: Code = 'ok'
  /** What becomes of a line on its way to the device, or from it: undefined, it is lost. */
  there = (line: string): string | undefined => line
  back = (line: string): string | undefined => line
  readonly waiting: string[] = []

  say(line: string): void {
    const came = this.back(line)
    if (came !== undefined) this.waiting.push(came)
  }

  write(line: string): void {
    const came = this.there(line)
    const ask = came === undefined ? undefined : readAsk(came)
    if (ask === undefined) return
    if (ask.ok) this.answer(ask.value)
    else this.say(writeLine([0, 0, CODES[ask.why]]))
  }

  answer(ask: Asked): void {
    this.asked.push(ask)
    if (ask.kind === 'who') this.say(writeLine([ask.sequence, ...SELF]))
    if (ask.kind === 'part') {
      this.whole = concat(this.whole.subarray(0, ask.at), ask.piece)
      this.say(writeLine([ask.sequence, 0]))
    }
    if (ask.kind !== 'take' || this.taken) return
    const isWhole = equal(Uint8Array.from(createHash('sha256').update(this.whole).digest()), ask.digest)
    const code = isWhole ? this.code : 'serial-damaged'
    this.say(writeLine([ask.sequence, CODES[code]]))
    if (code !== 'ok') return
    this.taken = this.whole
    for (const stage of this.stages) this.say(writeLine(stage))
  }

  async next(ms: number): Promise<string | undefined> {
    const line = this.waiting.shift()
    if (line === undefined) this.now += ms
    return line
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function talkTo(line: FakeDevice): Talk {
  const clock = { ...systemClock, monotonic: () => line.now }
  return new Talk({ clock, random: { bytes: () => new Uint8Array(), fraction: () => 0.999 }, line })
}

async function outcomeOf(talk: Talk): Promise<string[]> {
  const stages: string[] = []
  for await (const { stage } of talk.outcome()) stages.push(stage)
  return stages
}

const orders = writeProvision({
  wifi: { name: 'Home', password: new Secret('correct horse') },
  code: new Secret(`shallot:enrol:${'A'.repeat(300)}`),
})

async function refusal(doing: Promise<unknown>): Promise<CliError> {
  const error = await doing.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  assert.ok(error instanceof CliError, `${error}`)
  assert.ok(
    error.next !== undefined || !['silent', 'bad-answer'].includes(error.code),
    'a person is told what to do',
  )
  return error
}

describe('a device that answers', () => {
  test('says who it is, takes what it is handed, and tells how it went', async () => {
    const device = new FakeDevice()
    const talk = talkTo(device)
    const self = await talk.meet()
    assert.deepEqual([self.board, self.hasWifi, self.isEnrolled], ['esp8266', true, false])
    await talk.hand(orders)
    assert.deepEqual(await outcomeOf(talk), ['joining', 'enrolling', 'done'])
    assert.deepEqual(readOrders(device.taken!), {
      ok: true,
      value: { name: 'Home', password: 'correct horse', code: `shallot:enrol:${'A'.repeat(300)}` },
    })
  })

  test('is heard among what it logs, and what it said to somebody before', async () => {
    const device = new FakeDevice()
    for (const line of [
      '',
      'rst cause:2, boot mode:(3,6)',
      '\x00\xff\x1b[2J',
      writeLine([1, ...SELF]),
      writeLine(DONE),
    ])
      device.say(line)
    device.back = (line) => {
      if (!line.startsWith('shallot')) return line
      device.waiting.push('waiting for an enrolment code')
      return line
    }
    const talk = talkTo(device)
    await talk.meet()
    await talk.hand(orders)
    assert.deepEqual(await outcomeOf(talk), ['joining', 'enrolling', 'done'])
  })

  test('gets every line again that was lost or damaged on its way, in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 60 }), async (chosen) => {
        const device = new FakeDevice()
        const fates = [...chosen]
        // At most two mishaps before an answer comes through: more are what gives up, below.
        let mishaps = 0
        const onTheWay = (line: string): string | undefined => {
          const fate = mishaps < 2 ? fates.shift() : undefined
          if (fate !== 0 && fate !== 1) return line
          mishaps++
          return fate === 0
            ? undefined
            : `${line.slice(0, 20)}${line[20] === 'x' ? 'y' : 'x'}${line.slice(21)}`
        }
        device.there = onTheWay
        device.back = (line) => {
          if (device.taken) return line
          const came = onTheWay(line)
          const heard = came === line ? readHeard(line) : undefined
          if (heard?.ok && heard.value.kind === 'answer') mishaps = 0
          return came
        }
        const talk = talkTo(device)
        await talk.meet()
        await talk.hand(orders)
        assert.deepEqual((await outcomeOf(talk)).at(-1), 'done')
        assert.deepEqual(device.taken, orders)
      }),
      { numRuns: 200 },
    )
  })

  test('has taken it when it begins, though its answer was lost', async () => {
    const device = new FakeDevice()
    const talk = talkTo(device)
    device.back = (line) =>
      readHeard(line)?.ok && device.asked.at(-1)?.kind === 'take' && !device.taken ? undefined : line
    await talk.hand(orders)
    assert.deepEqual((await outcomeOf(talk)).at(-1), 'done')
  })

  for (const code of ['wifi-refused', 'wifi-absent', 'permit-expired', 'port-storage'] as const)
    test(`and refuses later: ${code} is the device's own word`, async () => {
      const device = new FakeDevice()
      device.stages = [
        [0, 1, 0],
        [0, 5, CODES[code]],
      ]
      const talk = talkTo(device)
      await talk.hand(orders)
      assert.equal((await refusal(outcomeOf(talk))).code, code)
    })

  test('and does not take it: its code is told, and nothing is tried again', async () => {
    const device = new FakeDevice()
    device.code = 'bad-provision'
    assert.equal((await refusal(talkTo(device).hand(orders))).code, 'bad-provision')
    assert.equal(device.asked.filter(({ kind }) => kind === 'take').length, 1)
  })
})

describe('what is no device', () => {
  test('a line that nobody answers is silent, after a while that a boot takes', async () => {
    const device = new FakeDevice()
    device.there = () => undefined
    const error = await refusal(talkTo(device).meet())
    assert.equal(error.code, 'silent')
    assert.match(error.message, /nothing answers on \/dev\/ttyFAKE/)
    assert.ok(device.now >= 15_000 && device.now < 30_000)
  })

  test('something else that speaks is quoted, and cut', async () => {
    const device = new FakeDevice()
    device.write = () => device.say(`AT+GMR ${'x'.repeat(300)}`)
    const error = await refusal(talkTo(device).meet())
    assert.match(error.message, /it said: AT\+GMR x+$/)
    assert.ok(error.message.length < 160)
  })

  const lies: [string, Cbor][] = [
    ['an answer without who it is', [0]],
    ['a code that is in no list', [7777]],
    ['a later version', [0, 2, 'b', 'f', 0]],
    ['a board without a name', [0, 1, '', 'f', 0]],
    ['a name that is too long', [0, 1, 'b'.repeat(33), 'f', 0]],
    ['facts that are no number', [0, 1, 'b', 'f', true]],
    ['a word too many', [0, 1, 'b', 'f', 0, 0]],
  ]
  for (const [what, rest] of lies)
    test(`one that says ${what} is not met`, async () => {
      const device = new FakeDevice()
      device.answer = (ask) => device.say(writeLine([ask.sequence, ...(rest as Cbor[])]))
      assert.ok(['silent', 'bad-answer'].includes((await refusal(talkTo(device).meet())).code))
    })

  test('one that says `damaged` to everything ends it', async () => {
    const device = new FakeDevice()
    device.answer = () => device.say(writeLine([0, 0, CODES['serial-damaged']]))
    assert.equal((await refusal(talkTo(device).meet())).code, 'silent')
  })

  test('one that falls silent in the middle, and one that never comes to an end, are left', async () => {
    const half = new FakeDevice()
    half.there = (line) => (half.asked.length < 3 ? line : undefined)
    assert.equal((await refusal(talkTo(half).hand(orders))).code, 'silent')
    const endless = new FakeDevice()
    endless.stages = [[0, 1, 0]]
    const talk = talkTo(endless)
    await talk.hand(orders)
    assert.equal((await refusal(outcomeOf(talk))).code, 'silent')
  })

  test('no line makes the reader throw', () => {
    fc.assert(fc.property(fc.string(), (text) => void readHeard(`shallot:serial:${text}`)))
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(), fc.boolean(), fc.string(), fc.uint8Array())), (items) => {
        const heard = readHeard(writeLine(items as Cbor[]))
        assert.ok(heard?.ok !== undefined)
      }),
    )
  })
})

test('a network is named as a device takes it, and no other', () => {
  const fault = (name: string, password: string) => faultOfWifi({ name, password: new Secret(password) })
  for (const [name, password] of [
    ['Home', ''],
    ['Café', 'correct horse'],
    ['n'.repeat(32), 'f'.repeat(64)],
  ] as const) {
    assert.equal(fault(name, password), undefined)
    assert.ok(readOrders(writeProvision({ wifi: { name, password: new Secret(password) } })).ok)
  }
  for (const [name, password] of [
    ['', 'correct horse'],
    ['n'.repeat(33), 'correct horse'],
    ['Ho\0me', 'correct horse'],
    ['Home', '1234567'],
    ['Home', 'g'.repeat(64)],
    ['Home', 'pässwort'],
    ['Home', 'a\tb\tc\td\te'],
  ] as const) {
    assert.notEqual(fault(name, password), undefined, `${name} ${password}`)
    assert.ok(
      !fault(name, password)!.includes(password || ' '.repeat(9)),
      'the sentence does not hold the password',
    )
  }
})
