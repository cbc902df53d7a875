// SPDX-License-Identifier: GPL-3.0-or-later
/** The camera's own firmware over real TLS: what it seals of a picture, and how its bytes come [SPEC 19]. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { equal } from '../../daemon/base/bytes.ts'
import { encodeCbor, type Message, type Still } from '../../daemon/core/envelope/index.ts'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { CODES, type Code } from '../../schemas/gen/ts/codes.ts'
import { PIECE_BYTES, PIECES_AHEAD_MAX } from '../../schemas/gen/ts/wire.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { codeName, command, type FirmwareHome, openFirmwareHome, until } from '../support/firmware-home.ts'

const [STILL, LOOK, ON, FAULT] = [30, 31, 1, 20]
const PLACE = 'i2c-30'

let home: FirmwareHome
let camera: Firmware
let id: PartyId
before(async () => {
  home = await openFirmwareHome()
  camera = await startFirmware({
    port: 'sanitize',
    program: 'camera',
    world: { [PLACE]: 'ov2640 size=9000' },
  })
  camera.say(home.code('gate'))
  await camera.line(/^connected/)
  ;({ id } = await home.device('gate'))
})
after(async () => {
  await camera?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

const desk = () => home.home.desk
const hello = () => desk().hellos.at(-1)!

/** One order, again as long as the camera rests from the picture before. */
async function order(
  affordance: number,
  value?: boolean,
): Promise<{ code: string; values: Record<number, unknown> }> {
  for (;;) {
    const what =
      value === undefined ? ({ operation: 'invoke' } as const) : ({ operation: 'write', value } as const)
    const { body } = await home.send(id, command(hello(), home.owner, { ...what, affordance }))
    const code = codeName(body.code)!
    const values = Object.fromEntries(body.values.map((sample) => [sample.affordance, sample.value]))
    if (code !== 'busy') return { code, values }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const say = (still: Message<Still>, offset: number, code: Code = 'ok') =>
  home.home.link.send(id, encodeCbor([still.body.digest.subarray(0, 8), offset, CODES[code]]))

/** From now on: stills as they are said, and pieces of the latest; `answer` is what the hub does with either. */
function listen(answer: (still: Message<Still>, got: number) => void): {
  bytes(): Uint8Array
  offsets: number[]
} {
  const pieces: Uint8Array[] = []
  const offsets: number[] = []
  let got = 0
  let still: Message<Still> | undefined
  desk().whenStill = (_device, said) => {
    still = said
    answer(said, got)
  }
  desk().whenPiece = (_device, { offset, bytes }) => {
    pieces.push(bytes)
    offsets.push(offset)
    got = offset + bytes.length
    answer(still!, got)
    return undefined
  }
  return { bytes: () => Uint8Array.from(Buffer.concat(pieces)), offsets }
}

const sha256 = (bytes: Uint8Array) => Uint8Array.from(createHash('sha256').update(bytes).digest())

/** A picture, of which the hub has said nothing yet. */
async function taken(answer: (still: Message<Still>, got: number) => void = () => {}) {
  const told = desk().stills.length
  const heard = listen(answer)
  assert.equal((await order(LOOK)).code, 'ok')
  const still = await until('a still', () => desk().stills[told])
  return { still, heard }
}

describe('a camera and its hub', () => {
  it('seals what it saw for the command, and sends it in order until the hub has all of it', async () => {
    const { still, heard } = await taken(say)
    const { size, digest, affordance, command: asked, at } = still.body
    await until('the picture', () => (heard.bytes().length === size ? true : undefined))
    const receipt = desk().receipts.at(-1)!.body
    assert.ok(equal(sha256(heard.bytes()), digest))
    assert.ok(equal(asked, receipt.command))
    assert.deepEqual(
      [affordance, size],
      [STILL, receipt.values.find((one) => one.affordance === STILL)!.value],
    )
    assert.equal(at, receipt.values[0]!.at)
    assert.deepEqual(
      heard.offsets,
      heard.offsets.map((_, index) => index * PIECE_BYTES),
    )
    assert.equal(Buffer.from(heard.bytes().subarray(0, 2)).toString('hex'), 'ffd8')
  })

  it('is never more than eight pieces ahead of what the hub has', async () => {
    const { still, heard } = await taken((said, got) => got === 0 && say(said, 0))
    // What it does next, it does behind all that it may send.
    await order(ON, true)
    assert.equal(heard.offsets.length, PIECES_AHEAD_MAX)
    say(still, 3 * PIECE_BYTES)
    await order(ON, false)
    assert.equal(heard.offsets.length, PIECES_AHEAD_MAX + 3)
    say(still, 0, 'still-late')
  })

  it('goes on where it was after the link was cut, with the same picture', async () => {
    const { still } = await taken((said, got) => say(said, Math.min(got, 2 * PIECE_BYTES)))
    const told = desk().stills.length
    const heard = listen((said, got) => say(said, Math.max(got, 2 * PIECE_BYTES)))
    home.home.link.drop(id, 'superseded')
    const again = await until('the still, said again', () => desk().stills[told])
    assert.deepEqual(again.body.digest, still.body.digest)
    await until('the rest', () => (heard.offsets.at(-1)! + PIECE_BYTES >= still.body.size ? true : undefined))
    assert.equal(heard.offsets[0], 2 * PIECE_BYTES)
    await order(ON, true)
    assert.equal(desk().stills.length, told + 1)
  })

  it('lets go of a picture that the hub does not take, and takes the next', async () => {
    const { still, heard } = await taken((said) => say(said, 0, 'still-too-large'))
    await order(ON, false)
    assert.equal(heard.offsets.length, 0)
    const { still: next } = await taken(say)
    assert.ok(!equal(next.body.digest, still.body.digest))
  })

  it('puts another picture in the place of one that is on its way', async () => {
    const { still, heard: first } = await taken((said, got) => got === 0 && say(said, 0))
    // So that none of its pieces is taken for one of the second.
    await until('what it may send', () => (first.offsets.length === PIECES_AHEAD_MAX ? true : undefined))
    const { still: next, heard } = await taken(say)
    // A late word on the first means nothing.
    say(still, 512)
    await until('the second', () => (heard.bytes().length >= next.body.size ? true : undefined))
    assert.ok(equal(sha256(heard.bytes()), next.body.digest))
  })

  it('ends the link when the hub says what cannot be', async () => {
    const { still } = await taken()
    const told = desk().stills.length
    listen((said) => say(said, said.body.size))
    say(still, 100)
    const again = await until('the still in another session', () => desk().stills[told])
    assert.deepEqual(again.body.digest, still.body.digest)
    assert.equal((await order(ON, true)).code, 'ok')
  })
})

describe('a sensor that cannot be believed', () => {
  it('takes no picture, says so at the third, and again when it is well', async () => {
    const told = desk().stills.length
    for (const [part, standing] of [
      ['ov2640 fault=asleep', undefined],
      ['ov2640 fault=torn', undefined],
      ['ov2640 size=70000', 3],
    ] as const) {
      camera.connect(PLACE, part)
      assert.deepEqual(await order(LOOK), {
        code: 'device-fault',
        values: standing ? { [FAULT]: standing } : {},
      })
    }
    assert.equal(desk().stills.length, told)
    camera.connect(PLACE, 'ov2640')
    const { code, values } = await order(LOOK)
    assert.deepEqual([code, values[FAULT]], ['ok', 0])
  })
})
