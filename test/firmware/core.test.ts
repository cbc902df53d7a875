// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemRandom } from '../../daemon/base/random.ts'
import { type Message, type Receipt, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { EMULATED } from '../../scripts/firmware.ts'
import { type Firmware, type FirmwareOptions, PORTS_TRIED, startFirmware } from '../support/firmware.ts'
import {
  codeName,
  command,
  type FirmwareHome,
  openFirmwareHome,
  signer,
  until,
} from '../support/firmware-home.ts'

const ON = 1
const LEVEL = 2
const TEMPERATURE = 3
const TOGGLE = 5
const IDENTIFY = 6
const SECOND_ON = 257

const LIGHT: FirmwareOptions = { port: 'sanitize', program: 'porch-light' }

/** A porch light that has enrolled itself with a code and said hello. */
async function enrolledLight(home: FirmwareHome, options: FirmwareOptions = LIGHT) {
  const firmware = await startFirmware(options)
  await firmware.line(/^waiting for an enrolment code$/)
  firmware.say(home.code('porch'))
  const device = await home.device('porch')
  await firmware.line(/^connected/)
  return { firmware, ...device, [Symbol.asyncDispose]: () => firmware[Symbol.asyncDispose]() }
}

function output(firmware: Firmware, channel: number): number {
  return Number(readFileSync(join(firmware.directory, 'world', `output-${channel}`), 'utf8'))
}

function reached(receipt: Message<Receipt>): string | undefined {
  return codeName(receipt.body.code)
}

const on = (value: boolean) => ({ operation: 'write', affordance: ON, value }) as const

describe('a porch light, from code to receipt [SPEC 6, 7]', () => {
  it('enrols itself, says what it is, and obeys an owner', async () => {
    await using home = await openFirmwareHome()
    await using light = await enrolledLight(home)
    assert.equal(light.hello.body.firmware, 'porch-light 0.1.0')
    assert.deepEqual([...light.hello.body.affordances], [ON, LEVEL, TOGGLE, IDENTIFY])
    assert.equal(light.hello.body.sequence, 0)
    assert.equal(output(light.firmware, 1), 0)
    const order = command(light.hello, home.owner, on(true))
    const receipt = await home.send(light.id, order)
    assert.equal(reached(receipt), 'ok')
    assert.equal(output(light.firmware, 1), 1000)
    await light.firmware.line(/^output 1 = 1000$/)
    assert.deepEqual(
      receipt.body.values.map(({ affordance, value }) => [affordance, value]),
      [[ON, true]],
    )
    assert.ok(
      Math.abs(receipt.body.values[0]!.at - Date.now()) < 60_000,
      'the time of the change is the hub’s',
    )
  })

  it('seals receipts that node:crypto verifies under the key it enrolled with', async () => {
    await using home = await openFirmwareHome()
    await using light = await enrolledLight(home)
    const { frame, signer: key } = await home.send(light.id, command(light.hello, home.owner, on(true)))
    assert.equal(key.toBase64({ alphabet: 'base64url', omitPadding: true }), light.id)
    const protectedBytes = frame.subarray(4, 4 + frame[3]!)
    const payload = frame.subarray(4 + frame[3]! + 1, -66)
    const signed = Buffer.concat([
      Buffer.from('846a5369676e617475726531', 'hex'),
      Buffer.of(0x58, frame[3]!),
      protectedBytes,
      Buffer.of(0x40),
      payload,
    ])
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key])
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    assert.ok(verify(null, signed, publicKey, frame.subarray(-64)))
  })

  it('notes the arrival of a command by the first bytes of its digest', async () => {
    await using home = await openFirmwareHome()
    await using light = await enrolledLight(home)
    const order = command(light.hello, home.owner, on(true))
    await home.send(light.id, order)
    const digest = createHash('sha256').update(order).digest().subarray(0, 8)
    assert.equal(home.home.desk.gots.at(-1)!.toHex(), digest.toString('hex'))
  })

  it('dims, toggles, and blinks back to how it stood', async () => {
    await using home = await openFirmwareHome()
    await using light = await enrolledLight(home)
    const send = (order: Parameters<typeof command>[2]) =>
      home.send(light.id, command(light.hello, home.owner, order))
    assert.equal(reached(await send({ operation: 'write', affordance: LEVEL, value: 40 })), 'ok')
    assert.equal(output(light.firmware, 1), 0, 'dimming a lamp that is off does not light it')
    assert.equal(reached(await send({ operation: 'invoke', affordance: TOGGLE })), 'ok')
    assert.equal(output(light.firmware, 1), 400)
    assert.equal(reached(await send({ operation: 'invoke', affordance: IDENTIFY, value: 1 })), 'ok')
    await light.firmware.line(/^output 1 = 0$/)
    await light.firmware.line(/^output 1 = 400$/)
  })
})

describe('a porch light refuses, each with its code in a sealed receipt [SPEC 2.5, 4.14]', () => {
  type Case = [
    name: string,
    code: string,
    make: (home: FirmwareHome, light: Awaited<ReturnType<typeof enrolledLight>>) => Uint8Array,
  ]
  const cases: Case[] = [
    ['a stranger', 'unknown-signer', (_, { hello }) => command(hello, signer(), on(true))],
    ['the hub itself', 'unknown-signer', ({ home }, { hello }) => command(hello, home.hubCa, on(true))],
    [
      'a command for another device',
      'wrong-audience',
      ({ owner, home }, { hello }) => command(hello, owner, on(true), { audience: home.hub.homeId }),
    ],
    [
      'a command for an earlier boot',
      'stale-nonce',
      ({ owner }, { hello }) => command(hello, owner, on(true), { nonce: systemRandom.bytes(8) }),
    ],
    [
      'a command that came too late',
      'expired',
      ({ owner }, { hello }) =>
        command(hello, owner, on(true), { sealedAt: seconds(-20), expiresAt: seconds(-10) }),
    ],
    [
      'a command from the future',
      'not-yet',
      ({ owner }, { hello }) =>
        command(hello, owner, on(true), { sealedAt: seconds(900), expiresAt: seconds(930) }),
    ],
    [
      'a command that lives too long',
      'bad-claims',
      ({ owner }, { hello }) => command(hello, owner, on(true), { expiresAt: seconds(90_000) }),
    ],
    [
      'one flipped bit in the signature',
      'bad-signature',
      ({ owner }, { hello }) => flipped(command(hello, owner, on(true)), -5),
    ],
    [
      'one flipped bit in the value',
      'bad-signature',
      ({ owner }, { hello }) => flipped(command(hello, owner, on(true)), -67),
    ],
    [
      'a cut envelope',
      'cbor-truncated',
      ({ owner }, { hello }) => command(hello, owner, on(true)).subarray(0, -1),
    ],
    [
      'a byte too many',
      'cbor-trailing',
      ({ owner }, { hello }) => Buffer.concat([command(hello, owner, on(true)), Buffer.of(0)]),
    ],
    [
      'a second instance that it does not have',
      'no-such-affordance',
      ({ owner }, { hello }) =>
        command(hello, owner, { operation: 'write', affordance: SECOND_ON, value: true }),
    ],
    [
      'a write to an action',
      'no-such-affordance',
      ({ owner }, { hello }) =>
        command(hello, owner, { operation: 'write', affordance: TOGGLE, value: true }),
    ],
    [
      'a number for a switch',
      'bad-value',
      ({ owner }, { hello }) => command(hello, owner, { operation: 'write', affordance: ON, value: 1 }),
    ],
    [
      'a level beyond the range',
      'bad-value',
      ({ owner }, { hello }) => command(hello, owner, { operation: 'write', affordance: LEVEL, value: 101 }),
    ],
    [
      'a level beyond 32 bits',
      'bad-value',
      ({ owner }, { hello }) =>
        command(hello, owner, { operation: 'write', affordance: LEVEL, value: 2 ** 32 + 50 }),
    ],
    [
      'a write without a value',
      'bad-value',
      ({ owner }, { hello }) => command(hello, owner, { operation: 'write', affordance: ON }),
    ],
    [
      'a value for an action that takes none',
      'bad-value',
      ({ owner }, { hello }) => command(hello, owner, { operation: 'invoke', affordance: TOGGLE, value: 1 }),
    ],
  ]

  it('whatever is wrong, and stays dark', async (t) => {
    await using home = await openFirmwareHome()
    await using light = await enrolledLight(home)
    for (const [name, code, make] of cases) {
      await t.test(`${name}: ${code}`, async () => {
        assert.equal(reached(await home.send(light.id, make(home, light))), code)
      })
    }
    assert.equal(output(light.firmware, 1), 0)
    const order = command(light.hello, home.owner, on(true))
    await t.test('a command that was obeyed before: replayed', async () => {
      assert.equal(reached(await home.send(light.id, order)), 'ok')
      assert.equal(reached(await home.send(light.id, order)), 'replayed')
    })
  })

  it('an owner whom another root made', async () => {
    await using home = await openFirmwareHome()
    const impostor = signer()
    await using other = await openFirmwareHome()
    home.home.desk.letters.push(other.ownerLetter(impostor.key))
    await using light = await enrolledLight(home)
    await light.firmware.line(/^ignored -140$/)
    assert.equal(
      reached(await home.send(light.id, command(light.hello, impostor, on(true)))),
      'unknown-signer',
    )
  })
})

describe('a porch light keeps its place in the home', () => {
  it('comes back after a restart with the same key and another boot nonce', async () => {
    await using home = await openFirmwareHome()
    await using light = await enrolledLight(home)
    const order = command(light.hello, home.owner, on(true))
    await light.firmware.end()
    await using again = await startFirmware({ ...LIGHT, directory: light.firmware.directory })
    await again.line(/^connected/)
    const { id, hello } = await home.device('porch', 2)
    assert.equal(id, light.id)
    assert.notEqual(hello.body.epoch.toHex(), light.hello.body.epoch.toHex())
    assert.equal(reached(await home.send(id, order)), 'stale-nonce')
    assert.equal(reached(await home.send(id, command(hello, home.owner, on(true)))), 'ok')
  })

  it('resumes TLS after a cut, keeps its nonce, and still refuses what it obeyed before', async () => {
    await using home = await openFirmwareHome()
    await using light = await enrolledLight(home)
    const order = command(light.hello, home.owner, on(true))
    assert.equal(reached(await home.send(light.id, order)), 'ok')
    home.home.link.drop(light.id, 'superseded')
    await light.firmware.line(/^link ended -212$/)
    await light.firmware.line(/^connected resumed$/)
    const { hello } = await home.device('porch', 2)
    assert.equal(hello.body.epoch.toHex(), light.hello.body.epoch.toHex())
    assert.equal(reached(await home.send(light.id, order)), 'replayed')
  })

  it('sends again, unchanged, what the hub had not stored when the link was cut', async () => {
    await using home = await openFirmwareHome()
    const { desk } = home.home
    const seen: string[] = []
    let refuse = true
    desk.storing = async (reading) => {
      seen.push(reading.frame.toHex())
      if (refuse) throw new Error('the disk is full')
    }
    await using light = await enrolledLight(home)
    await light.firmware.line(/^link ended/)
    assert.equal(desk.readings.length, 0)
    refuse = false
    const stored = await until('the reading', () => desk.readings.at(0))
    assert.equal(stored.frame.toHex(), seen[0], 'the very bytes that were sealed before the cut')
  })

  it('draws another boot nonce when it must forget an owner whose commands it obeyed [SPEC 3.2]', async () => {
    await using home = await openFirmwareHome()
    const { desk, link } = home.home
    const owners = [home.owner, signer(), signer(), signer()]
    desk.letters = owners.map(({ key }) => home.ownerLetter(key))
    await using light = await enrolledLight(home)
    const obeyed = owners.map((owner) => command(light.hello, owner, on(true)))
    for (const order of obeyed) assert.equal(reached(await home.send(light.id, order)), 'ok')
    const fifth = signer()
    assert.equal(link.send(light.id, home.ownerLetter(fifth.key)), 'sent')
    const { hello } = await home.device('porch', 2)
    assert.notEqual(hello.body.epoch.toHex(), light.hello.body.epoch.toHex())
    for (const order of obeyed) assert.notEqual(reached(await home.send(light.id, order)), 'ok')
  })

  it('keeps the enrolment that an owner seals, and shows it to a hub that knows nobody', async () => {
    await using home = await openFirmwareHome()
    const { desk } = home.home
    await using light = await enrolledLight(home)
    const key = light.hello.signer
    const record = sealEnvelope(
      {
        type: 'enrolment',
        name: 'porch',
        audience: home.home.hub.homeId,
        sealedAt: seconds(0),
        epoch: systemRandom.bytes(8),
        sequence: 1,
        key,
        permit: systemRandom.bytes(8),
      },
      home.owner,
    )
    assert.equal(home.home.link.send(light.id, record), 'sent')
    await light.firmware.line(/^enrolment recorded$/)
    const shown: Uint8Array[] = []
    desk.record = (_hello, frame) => {
      shown.push(frame)
      return undefined
    }
    desk.devices.clear()
    home.home.link.drop(light.id, 'superseded')
    await until('the record', () => shown.at(0))
    assert.equal(shown[0]!.toHex(), record.toHex())
    await until('a session', () => (home.home.link.connected() === 1 ? true : undefined))
  })
})

describe('enrolment codes at the console [SPEC 7]', () => {
  const refused = async (text: string, code: number) => {
    await using firmware = await startFirmware(LIGHT)
    await firmware.line(/^waiting for an enrolment code$/)
    firmware.say(text)
    await firmware.line(new RegExp(`^enrolment refused -${code}$`))
  }

  it('refuses a code with a typing error', async () => {
    await using home = await openFirmwareHome()
    await refused(
      home.code('porch').replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      180,
    )
  })

  it('tells the hub’s refusal of a code that is not open, and takes a good one after it', async () => {
    await using home = await openFirmwareHome()
    await using firmware = await startFirmware(LIGHT)
    await firmware.line(/^waiting for an enrolment code$/)
    const code = home.code('porch')
    const permits = [...home.home.desk.permits]
    home.home.desk.permits.clear()
    firmware.say(code)
    await firmware.line(/^enrolment refused -182$/)
    for (const [id, permit] of permits) home.home.desk.permits.set(id, permit)
    firmware.say(code)
    await firmware.line(/^connected/)
  })

  it('takes a code that was stored with the firmware, once', async () => {
    await using home = await openFirmwareHome()
    const blobs = { code: new TextEncoder().encode(home.code('porch')) }
    await using firmware = await startFirmware({ ...LIGHT, blobs })
    await firmware.line(/^connected/)
    assert.ok(!existsSync(join(firmware.directory, 'code')))
  })

  it('a device whose new code is refused stays in its old home', async () => {
    await using home = await openFirmwareHome()
    await using light = await enrolledLight(home)
    const code = home.code('again')
    home.home.desk.permits.clear()
    light.firmware.say(code)
    home.home.link.drop(light.id, 'superseded')
    await light.firmware.line(/^enrolment refused -182$/)
    await light.firmware.line(/^connected/)
    const { id } = await home.device('porch', 2)
    assert.equal(id, light.id)
  })

  it('a device that moves to another home leaves its key behind', async () => {
    await using second = await openFirmwareHome()
    const first = await openFirmwareHome()
    await using light = await enrolledLight(first)
    const before = readFileSync(join(light.firmware.directory, 'identity'))
    light.firmware.say(second.code('porch'))
    await first[Symbol.asyncDispose]()
    const { id } = await second.device('porch')
    assert.notEqual(id, light.id)
    await light.firmware.line(/^connected/)
    const seed = before.subarray(3, 35)
    assert.ok(!readFileSync(join(light.firmware.directory, 'identity')).includes(seed))
  })

  it('refuses a hub whose leaf is not signed by a CA of the code', async () => {
    await using home = await openFirmwareHome()
    await using other = await openFirmwareHome()
    await using firmware = await startFirmware(LIGHT)
    await firmware.line(/^waiting for an enrolment code$/)
    const elsewhere = { ...home.home.hub, hubCaKeys: other.home.hub.hubCaKeys }
    Object.assign(home.home.hub, elsewhere)
    firmware.say(home.code('porch'))
    await firmware.line(/^enrolment refused -221$/)
  })
})

describe('time and want of room [SPEC 6.3, 6.4]', () => {
  for (const port of PORTS_TRIED)
    it(`every claim of room-check holds on ${port}`, async () => {
      await using firmware = await startFirmware({ port, program: 'room-check' })
      await firmware.line(/^end$/)
      assert.equal(await firmware.exited, 0, firmware.lines.join('\n'))
      assert.equal(firmware.lines.filter((line) => line.startsWith('ok ')).length, 32)
    })

  for (const port of PORTS_TRIED)
    it(`every claim of direct-check holds on ${port}`, async () => {
      await using firmware = await startFirmware({ port, program: 'direct-check' })
      await firmware.line(/^end$/)
      assert.equal(await firmware.exited, 0, firmware.lines.join('\n'))
      const holds = firmware.lines.filter((line) => line.startsWith('ok ')).length
      assert.equal(holds, port === 'qemu' ? 1 : 12, 'an ESP8266 has no door')
    })

  for (const port of ['sanitize', ...EMULATED] as const)
    it(`every claim of core-check holds on ${port}`, async () => {
      await using firmware = await startFirmware({ port, program: 'core-check' })
      await firmware.line(/^end$/)
      assert.equal(await firmware.exited, 0)
      const claims = firmware.lines.filter((line) => /^(ok|FAILED) /.test(line))
      assert.deepEqual(
        claims.filter((line) => line.startsWith('FAILED')),
        [],
      )
      assert.ok(claims.length >= 25)
    })
})

const CHIPS = { qemu: 'ESP8266', rv32: 'ESP32-C3' } as const

for (const port of EMULATED)
  describe(`the instruction set of the ${CHIPS[port]}`, () => {
    it('enrols, obeys, resumes, and touches no memory as a chip could not', async () => {
      await using home = await openFirmwareHome()
      await using light = await enrolledLight(home, { ...LIGHT, port })
      assert.equal(reached(await home.send(light.id, command(light.hello, home.owner, on(true)))), 'ok')
      assert.equal(output(light.firmware, 1), 1000)
      assert.equal(
        reached(await home.send(light.id, command(light.hello, signer(), on(false)))),
        'unknown-signer',
      )
      home.home.link.drop(light.id, 'superseded')
      await light.firmware.line(/^connected resumed$/)
      await light.firmware.end()
      const memory = light.firmware.lines.find((line) => line.startsWith('memory '))
      assert.match(memory!, /arena_failures=0/)
      assert.ok(Number(/stack_peak=(\d+)/.exec(memory!)![1]) < 4096)
      assert.ok(light.firmware.lines.some((line) => line.startsWith('flashcheck: ok ')))
    })
  })

describe('a weather sensor', () => {
  it('reports at once, again when the weather changes, and not for less', async () => {
    await using home = await openFirmwareHome()
    const world = { 'i2c-44': 'sht3x temperature=21.53 humidity=45' }
    await using firmware = await startFirmware({ port: 'sanitize', program: 'weather', world })
    firmware.say(home.code('garden'))
    const temperatures = () =>
      home.home.desk.readings.flatMap(({ body }) =>
        body.values.filter(({ affordance }) => affordance === TEMPERATURE).map(({ value }) => value),
      )
    await until('the first temperature', () => (temperatures().includes(2153) ? true : undefined))
    firmware.connect('i2c-44', 'sht3x temperature=21.6 humidity=45')
    await new Promise((resolve) => setTimeout(resolve, 2500))
    firmware.connect('i2c-44', 'sht3x temperature=21.9 humidity=45')
    await until('the change', () => (temperatures().includes(2190) ? true : undefined))
    assert.ok(!temperatures().includes(2160))
  })
})

function seconds(fromNow: number): number {
  return Math.floor(Date.now() / 1000) + fromNow
}

function flipped(frame: Uint8Array, at: number): Uint8Array {
  const spoiled = Uint8Array.from(frame)
  const index = spoiled.length + at
  spoiled[index] = spoiled[index]! ^ 1
  return spoiled
}
