// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { CAPABILITIES } from '../../schemas/gen/ts/capabilities.ts'
import {
  FAULT_ABSENT,
  FAULT_CHECKSUM,
  FAULT_NONE,
  FAULT_RANGE,
  FAULT_STUCK,
} from '../../schemas/gen/ts/wire.ts'
import type { Port } from '../../scripts/firmware.ts'
import { openBoard } from '../../scripts/twins/index.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { codeName, command, type FirmwareHome, openFirmwareHome, until } from '../support/firmware-home.ts'

const numberOf = (name: string): number => CAPABILITIES.find((one) => one.name === name)!.number
const [FAULT, TEMPERATURE, POSITION, SETPOINT, HEATING, STOP] = [
  'fault',
  'temperature',
  'position',
  'setpoint',
  'heating',
  'stop',
].map(numberOf) as [number, number, number, number, number, number]

type App = 'weather' | 'thermostat' | 'blinds' | 'room'

/** An app that has enrolled itself and said hello, with parts in its world. */
async function enrolled(
  home: FirmwareHome,
  program: App,
  world: Record<string, string>,
  port: Port = 'sanitize',
) {
  const firmware = await startFirmware({ port, program, world })
  firmware.say(home.code(program))
  const device = await home.device(program)
  await firmware.line(/^connected/)
  return { firmware, ...device, [Symbol.asyncDispose]: () => firmware[Symbol.asyncDispose]() }
}

/** Everything that the hub was told of one affordance, in order: by readings, then by receipts. */
function told(home: FirmwareHome, affordance: number): (number | boolean)[] {
  const { readings } = home.home.desk
  return readings.flatMap(({ body }) =>
    body.values.filter((sample) => sample.affordance === affordance).map(({ value }) => value),
  )
}

const tells = (home: FirmwareHome, affordance: number, value: number | boolean) =>
  until(`${affordance} to be ${value}`, () => (told(home, affordance).at(-1) === value ? true : undefined))

function level(firmware: Firmware, channel: number): number {
  return Number(readFileSync(join(firmware.directory, 'world', `output-${channel}`), 'utf8'))
}

describe('drivers keep to their datasheets, and give up as they should', () => {
  for (const port of ['sanitize', 'qemu'] as const) {
    it(`on ${port}`, async () => {
      await using check = await startFirmware({ port, program: 'driver-check' })
      await check.line(/^end$/)
      const failed = check.lines.filter((line) => line.startsWith('FAILED'))
      assert.deepEqual(failed, [])
      assert.ok(check.lines.filter((line) => line.startsWith('ok ')).length >= 60)
    })
  }
})

describe('a weather sensor tells of an SHT3x that cannot be believed', () => {
  const WELL = 'sht3x temperature=21.53 humidity=45'

  for (const [part, fault] of [
    ['sht3x temperature=21.53 fault=checksum', FAULT_CHECKSUM],
    ['sht3x temperature=21.53 fault=absent', FAULT_ABSENT],
    ['sht3x temperature=21.53 fault=asleep', FAULT_ABSENT],
    ['sht3x temperature=130', FAULT_RANGE],
    ['bme280 temperature=21.53', FAULT_CHECKSUM],
  ] as const) {
    it(`${part}: fault ${fault}, and no reading`, async () => {
      await using home = await openFirmwareHome()
      await using weather = await enrolled(home, 'weather', { 'i2c-44': WELL })
      await tells(home, TEMPERATURE, 2153)
      assert.equal(told(home, FAULT).at(-1), FAULT_NONE, 'it stands well')
      const before = told(home, TEMPERATURE).length
      weather.firmware.connect('i2c-44', part)
      await tells(home, FAULT, fault)
      assert.equal(told(home, TEMPERATURE).length, before)
      weather.firmware.connect('i2c-44', 'sht3x temperature=25 humidity=45')
      await tells(home, FAULT, FAULT_NONE)
      await tells(home, TEMPERATURE, 2500)
    })
  }
})

describe('a thermostat holds its target', () => {
  for (const port of ['sanitize', 'qemu'] as const) {
    it(`switches its burner around it, below freezing too, on ${port}`, async () => {
      await using home = await openFirmwareHome()
      await using room = await enrolled(
        home,
        'thermostat',
        { 'onewire-1': 'ds18b20 temperature=-10.125' },
        port,
      )
      await tells(home, TEMPERATURE, -1013)
      await tells(home, HEATING, true)
      assert.equal(level(room.firmware, 2), 1000)
      room.firmware.connect('onewire-1', 'ds18b20 temperature=20.1')
      await tells(home, TEMPERATURE, 2013)
      assert.equal(level(room.firmware, 2), 1000, 'within the hysteresis it goes on')
      room.firmware.connect('onewire-1', 'ds18b20 temperature=20.5')
      await tells(home, HEATING, false)
      assert.equal(level(room.firmware, 2), 0)
      await room.firmware.end()
      if (port === 'qemu') assert.ok(room.firmware.lines.some((line) => line.startsWith('flashcheck: ok ')))
    })
  }

  it('goes on when its hub is gone, and keeps its target over a restart', async () => {
    await using home = await openFirmwareHome()
    await using room = await enrolled(home, 'thermostat', { 'onewire-1': 'ds18b20 temperature=21' })
    const order = command(room.hello, home.owner, { operation: 'write', affordance: SETPOINT, value: 1200 })
    assert.equal(codeName((await home.send(room.id, order)).body.code), 'ok')
    await home.home[Symbol.asyncDispose]()
    await room.firmware.line(/^link ended/)
    room.firmware.connect('onewire-1', 'ds18b20 temperature=11')
    await room.firmware.line(/^relay 2 on$/)
    await room.firmware.kill()
    await using again = await startFirmware({
      port: 'sanitize',
      program: 'thermostat',
      directory: room.firmware.directory,
    })
    await again.line(/^relay 2 off$/)
    await again.line(/^relay 2 on$/)
    again.connect('onewire-1', 'ds18b20 temperature=13')
    await again.line(/^relay 2 off$/)
  })

  it('also while it looks for the hub of a code that it was given', async () => {
    await using home = await openFirmwareHome()
    await using room = await startFirmware({
      port: 'sanitize',
      program: 'thermostat',
      world: { 'onewire-1': 'ds18b20 temperature=11' },
    })
    await room.line(/^relay 2 on$/)
    const code = home.code('thermostat')
    await home.home[Symbol.asyncDispose]()
    room.say(code)
    await room.line(/^enrolment waits/)
    room.connect('onewire-1', 'ds18b20 temperature=25')
    await room.line(/^relay 2 off$/)
  })

  for (const [part, fault] of [
    ['ds18b20 temperature=5 fault=checksum', FAULT_CHECKSUM],
    ['ds18b20 temperature=5 fault=absent', FAULT_ABSENT],
    ['ds18b20 temperature=130', FAULT_RANGE],
    ['ds18b20 temperature=85', FAULT_STUCK],
  ] as const) {
    it(`puts its burner out when ${part}`, async () => {
      await using home = await openFirmwareHome()
      await using room = await enrolled(home, 'thermostat', { 'onewire-1': 'ds18b20 temperature=5' })
      await tells(home, HEATING, true)
      room.firmware.connect('onewire-1', part)
      await tells(home, FAULT, fault)
      await tells(home, HEATING, false)
      assert.equal(level(room.firmware, 2), 0)
      assert.ok(!told(home, TEMPERATURE).some((value) => Number(value) > 600))
    })
  }

  it('does not take a target that would freeze pipes or cook', async () => {
    await using home = await openFirmwareHome()
    await using room = await enrolled(home, 'thermostat', { 'onewire-1': 'ds18b20 temperature=20' })
    for (const value of [499, 3001, -1, true]) {
      const order = command(room.hello, home.owner, { operation: 'write', affordance: SETPOINT, value })
      assert.equal(codeName((await home.send(room.id, order)).body.code), 'bad-value')
    }
    const order = command(room.hello, home.owner, { operation: 'write', affordance: HEATING, value: true })
    assert.equal(codeName((await home.send(room.id, order)).body.code), 'read-only')
  })
})

describe('blinds on a servo', () => {
  const order = (device: { hello: Parameters<typeof command>[0] }, home: FirmwareHome, value: number) =>
    command(device.hello, home.owner, { operation: 'write', affordance: POSITION, value })

  it('go to a position step by step, say where they are, and remember', async () => {
    await using home = await openFirmwareHome()
    await using blinds = await enrolled(home, 'blinds', {})
    await home.send(blinds.id, order(blinds, home, 100))
    await blinds.firmware.line(/^blinds at 100$/)
    await home.send(blinds.id, order(blinds, home, 80))
    await blinds.firmware.line(/^blinds at 80$/)
    await tells(home, POSITION, 80)
    assert.equal(readFileSync(join(blinds.firmware.directory, 'world', 'pulse-1'), 'utf8'), '0 of 20000\n')
    await blinds.firmware.kill()
    const { directory } = blinds.firmware
    await using again = await startFirmware({ port: 'sanitize', program: 'blinds', directory })
    await again.line(/^connected/)
    await until('the standing position', () => (told(home, POSITION).length >= 3 ? true : undefined))
    assert.equal(told(home, POSITION).at(-1), 80)
  })

  it('stop where they are when told to, and when the link is lost', async () => {
    await using home = await openFirmwareHome()
    await using blinds = await enrolled(home, 'blinds', {})
    await home.send(blinds.id, order(blinds, home, 0))
    await blinds.firmware.line(/^blinds at 0$/)
    await home.send(blinds.id, order(blinds, home, 100))
    await onTheWay(blinds.firmware, 1200)
    const halt = command(blinds.hello, home.owner, { operation: 'invoke', affordance: STOP })
    assert.equal(codeName((await home.send(blinds.id, halt)).body.code), 'ok')
    const stopped = Number((await blinds.firmware.line(/^blinds at /)).split(' ')[2])
    assert.ok(stopped >= 20 && stopped < 100, `${stopped} is on the way`)
    await home.send(blinds.id, order(blinds, home, 100))
    await onTheWay(blinds.firmware, 1000 + 10 * stopped)
    home.home.link.drop(blinds.id, 'superseded')
    await blinds.firmware.line(/^link ended/)
    const lost = Number((await blinds.firmware.line(/^blinds at /)).split(' ')[2])
    assert.ok(lost > stopped && lost < 100, `${lost} is on the way`)
  })
})

describe('a room', () => {
  const [MOTION, CLOSED, HUMIDITY, PRESSURE] = ['motion', 'closed', 'humidity', 'pressure'].map(numberOf) as [
    number,
    number,
    number,
    number,
  ]
  const SECOND = 256
  const world = {
    'i2c-76': 'bme280 temperature=21.5 pressure=101325 humidity=40',
    'pulses-2': 'dht22 temperature=-10.1 humidity=65.8',
    'pin-3': '0',
    'pin-4': '0',
  }

  for (const port of ['sanitize', 'qemu'] as const)
    it(`tells of its air in two places, of motion and of its door, on ${port}`, async () => {
      await using home = await openFirmwareHome()
      await using room = await enrolled(home, 'room', world, port)
      await tells(home, SECOND + TEMPERATURE, -1010)
      await tells(home, SECOND + HUMIDITY, 6580)
      await until('the air', () => told(home, PRESSURE).at(-1))
      const near = (value: number | boolean | undefined, wanted: number, by: number) =>
        assert.ok(Math.abs(Number(value) - wanted) <= by, `${value} is not ${wanted}`)
      near(told(home, TEMPERATURE).at(-1), 2150, 2)
      near(told(home, PRESSURE).at(-1), 101_325, 5)
      near(told(home, HUMIDITY).at(-1), 4000, 10)
      await tells(home, CLOSED, true)
      await tells(home, MOTION, false)
      room.firmware.connect('pin-4', '1')
      room.firmware.connect('pin-3', '1')
      await tells(home, CLOSED, false)
      await tells(home, MOTION, true)
    })

  it('measures from frost to heat, as far as its BME280 does', async () => {
    await using home = await openFirmwareHome()
    await using room = await enrolled(home, 'room', world)
    for (const degrees of [27, 84, -39]) {
      room.firmware.connect('i2c-76', `bme280 temperature=${degrees} pressure=101325 humidity=40`)
      await until(`${degrees} degrees`, () => {
        const last = Number(told(home, TEMPERATURE).at(-1))
        return Math.abs(last - 100 * degrees) <= 2 || undefined
      })
    }
  })

  it('believes each part for itself', async () => {
    await using home = await openFirmwareHome()
    await using room = await enrolled(home, 'room', world)
    await tells(home, SECOND + TEMPERATURE, -1010)
    room.firmware.connect('pulses-2', 'dht22 temperature=5 fault=checksum')
    await tells(home, SECOND + FAULT, FAULT_CHECKSUM)
    room.firmware.connect('i2c-76', undefined)
    await tells(home, FAULT, FAULT_ABSENT)
    assert.ok(!told(home, SECOND + TEMPERATURE).includes(500))
  })

  for (const [what, part, fault] of [
    ['lost its power in between', 'bme280 temperature=21.5 fault=reset', FAULT_ABSENT],
    ['tells of a pressure that nobody breathes', 'bme280 temperature=21.5 pressure=20000', FAULT_RANGE],
  ] as const)
    it(`takes no reading from a BME280 that ${what}`, async () => {
      await using home = await openFirmwareHome()
      await using room = await enrolled(home, 'room', world)
      await until('the air', () => told(home, PRESSURE).at(-1))
      const before = told(home, PRESSURE).length
      room.firmware.connect('i2c-76', part)
      await tells(home, FAULT, fault)
      assert.equal(told(home, PRESSURE).length, before)
    })
})

/** The parts that no app has, on one port, with what is at their ends. */
async function parts(
  which: string,
  world: Record<string, string>,
  port: Port = 'sanitize',
): Promise<Firmware> {
  const firmware = await startFirmware({ port, program: 'parts-check', world })
  firmware.say(which)
  await firmware.line(/^opened /)
  return firmware
}

const SLIDE = {
  'pin-5': 'slide end=1 travel=400',
  'pin-6': 'slide end=-1 travel=400',
}

describe('a motor between two end switches', () => {
  it('stands from the start, runs to its end and stops there, and back', async () => {
    await using motor = await parts('motor', SLIDE)
    assert.deepEqual([level(motor, 1), level(motor, 2)], [0, 0])
    motor.say('run 100')
    await motor.line(/^run 0$/)
    await motor.line(/^stopped 1$/)
    assert.deepEqual([level(motor, 1), level(motor, 2)], [0, 0])
    motor.say('run -50')
    await motor.line(/^stopped 1$/)
    assert.deepEqual([level(motor, 1), level(motor, 2)], [0, 0])
  })

  it('stops after its time when it is stuck, and at once when an end cannot be seen', async () => {
    await using motor = await parts('motor', { ...SLIDE, 'pin-5': 'slide end=1 travel=400 fault=stuck' })
    motor.say('run 100')
    await motor.line(/^stopped 1$/)
    assert.equal(level(motor, 1), 0)
    motor.connect('pin-5', undefined)
    motor.say('run 100')
    await motor.line(/^run -164$/)
    assert.equal(level(motor, 1), 0)
  })

  it('stops when the link is lost, and stays', async () => {
    await using motor = await parts('motor', { ...SLIDE, 'pin-5': '0', 'pin-6': '0' })
    motor.say('run 60')
    await until('it to run', () => (level(motor, 1) === 600 ? true : undefined))
    motor.say('lost')
    await motor.line(/^lost 0$/)
    assert.deepEqual([level(motor, 1), level(motor, 2)], [0, 0])
  })
})

describe('a keypad of rows and columns', () => {
  const COLUMNS = Object.fromEntries([0, 1, 2].map((at) => [`pin-${at}`, `matrix column=${at} rows=0`]))

  for (const port of ['sanitize', 'qemu'] as const)
    it(`gives each key once, and an entry at its end, on ${port}`, async () => {
      await using keys = await parts('keys', COLUMNS, port)
      await keys.line(/^up$/)
      for (const [pressed, key] of [
        ['4', 4],
        ['0', 0],
        ['#', 11],
      ] as const) {
        keys.connect('keys', pressed)
        await keys.line(new RegExp(`^key ${key}$`))
        keys.connect('keys', '')
        await keys.line(/^up$/)
      }
      assert.ok(keys.lines.includes('entry of 2'))
      assert.equal(keys.lines.filter((line) => line.startsWith('key ')).length, 3)
    })

  it('takes three keys at once for none, and a column that is torn off for a fault', async () => {
    await using keys = await parts('keys', COLUMNS)
    await keys.line(/^up$/)
    keys.connect('keys', '1 3 7')
    await keys.line(/^down$/)
    keys.connect('keys', '')
    await keys.line(/^up$/)
    keys.connect('pin-1', undefined)
    await keys.line(/^fault$/)
    for (const row of [0, 1, 2, 3]) assert.equal(level(keys, row), 0)
    keys.connect('pin-1', 'matrix column=1 rows=0')
    await keys.line(/^well again$/)
    assert.ok(!keys.lines.some((line) => line.startsWith('key ')))
  })
})

describe('a coloured light, a buzzer and a motion sensor', () => {
  const pulse = (firmware: Firmware) => readFileSync(join(firmware.directory, 'world', 'pulse-1'), 'utf8')

  it('are dark and silent from the start, and do as they are told', async () => {
    await using light = await parts('light', { 'pin-3': '0', 'output-4': '1000' })
    assert.deepEqual(
      [3, 4, 5].map((channel) => level(light, channel)),
      [0, 0, 0],
    )
    assert.equal(pulse(light), '0 of 250\n')
    light.say(`color ${0xff8000}`)
    await light.line(/^color 0$/)
    assert.deepEqual(
      [3, 4, 5].map((channel) => level(light, channel)),
      [1000, 502, 0],
    )
    light.say('buzz 1')
    await until('it to sound', () => (pulse(light) === '125 of 250\n' ? true : undefined))
    await until('its end', () => (pulse(light) === '0 of 250\n' ? true : undefined))
  })

  it('a light of which one colour fails goes dark', async () => {
    await using light = await parts('light', { 'pin-3': '0' })
    const { mkdirSync, rmSync } = process.getBuiltinModule('node:fs')
    const broken = join(light.directory, 'world', 'output-4')
    rmSync(broken)
    mkdirSync(broken)
    light.say(`color ${0xffffff}`)
    await light.line(/^color -164$/)
    assert.deepEqual(
      [3, 5].map((channel) => level(light, channel)),
      [0, 0],
    )
  })

  it('motion is told once it has settled; a sensor that is torn off is a fault and no motion', async () => {
    await using light = await parts('light', { 'pin-3': '0' })
    await light.line(/^motion 0$/)
    light.connect('pin-3', '1')
    await light.line(/^motion 1$/)
    light.connect('pin-3', undefined)
    await light.line(/^fault$/)
    light.connect('pin-3', '1')
    await light.line(/^well again$/)
    assert.equal(light.lines.filter((line) => line.startsWith('motion')).length, 2)
  })
})

describe('an OV2640', () => {
  const lookAt = async (camera: Firmware): Promise<[fault: number, outcome: number, kept: number]> => {
    camera.say('look')
    const said = []
    for (const what of ['fault', 'looked', 'kept'])
      said.push(Number((await camera.line(new RegExp(`^${what} `))).split(' ')[1]))
    return said as [number, number, number]
  }

  async function pictureOf(camera: Firmware): Promise<Buffer> {
    const from = camera.lines.length
    camera.say('say')
    await camera.line(/^kept /)
    const rows = camera.lines.slice(from).filter((line) => line.startsWith('.'))
    return Buffer.from(rows.map((row) => row.slice(1)).join(''), 'hex')
  }

  it('gives a whole JPEG, and another each time', async () => {
    await using camera = await parts('camera', { 'i2c-30': 'ov2640 width=160 height=120' })
    assert.deepEqual((await lookAt(camera)).slice(0, 2), [FAULT_NONE, 0])
    const first = await pictureOf(camera)
    assert.deepEqual(sizeOf(first), [160, 120])
    camera.say('beyond')
    await camera.line(/^beyond -164$/)
    await restOf(camera)
    assert.notDeepEqual(await pictureOf(camera), first)
    camera.say('drop')
    await camera.line(/^kept 0$/)
  })

  it('is cut at its end when the bus pads it with zeros', async () => {
    await using camera = await parts('camera', { 'i2c-30': 'ov2640 padding=17' })
    assert.deepEqual((await lookAt(camera)).slice(0, 2), [FAULT_NONE, 0])
    assert.deepEqual((await pictureOf(camera)).subarray(-2), Buffer.of(0xff, 0xd9))
  })

  for (const [part, fault, outcome, kept] of [
    ['ov2640 size=65536', FAULT_NONE, 0, 65_536],
    ['ov2640 size=65537', FAULT_RANGE, -164, 0],
    ['ov2640 fault=asleep', FAULT_ABSENT, -164, 0],
    ['ov2640 fault=absent', FAULT_ABSENT, -164, 0],
    ['ov2640 fault=cut', FAULT_CHECKSUM, -164, 0],
    ['ov2640 fault=torn', FAULT_CHECKSUM, -164, 0],
  ] as const)
    it(`${part}: fault ${fault}, and ${kept} bytes are kept`, async () => {
      await using camera = await parts('camera', { 'i2c-30': part })
      assert.deepEqual(await lookAt(camera), [fault, outcome, kept])
    })

  it('is not taken for there when nobody answers, or another chip', async () => {
    for (const part of [undefined, 'ov2640 fault=checksum', 'sht3x']) {
      await using camera = await startFirmware({
        port: 'sanitize',
        program: 'parts-check',
        world: part === undefined ? {} : { 'i2c-30': part },
      })
      camera.say('camera')
      await camera.line(/^opened -164$/)
    }
  })

  it('is no part of an ESP8266, which has no bus for it', async () => {
    await using camera = await startFirmware({
      port: 'qemu',
      program: 'parts-check',
      world: { 'i2c-30': 'ov2640' },
    })
    camera.say('camera')
    await camera.line(/^opened -164$/)
    camera.say('look')
    await camera.line(/^looked -164$/)
  })

  /** Looks until it has rested. */
  async function restOf(camera: Firmware): Promise<void> {
    let seen = await lookAt(camera)
    while (seen[1] === -165) seen = await lookAt(camera)
    assert.equal(seen[1], 0)
  }

  /** Width and height of a JPEG, read from its segments, none of which may be broken. */
  function sizeOf(jpeg: Buffer): [number, number] {
    let size: [number, number] | undefined
    let at = 2
    assert.equal(jpeg.readUInt16BE(0), 0xffd8)
    for (; jpeg[at] === 0xff && jpeg[at + 1] !== 0xda; at += 2 + jpeg.readUInt16BE(at + 2)) {
      if (jpeg[at + 1] === 0xc0) size = [jpeg.readUInt16BE(at + 7), jpeg.readUInt16BE(at + 5)]
    }
    assert.equal(jpeg[at + 1], 0xda, 'a scan')
    return size!
  }
})

/** Until the servo's pulse is longer than so many µs. */
function onTheWay(firmware: Firmware, us: number): Promise<true> {
  const pulse = join(firmware.directory, 'world', 'pulse-1')
  return until('the servo to move', () =>
    Number(readFileSync(pulse, 'utf8').split(' ')[0]) > us ? true : undefined,
  )
}

describe('the chips that the tests plug in are as strict as real ones', () => {
  const directories: string[] = []
  const board = (parts: Record<string, string>, now: () => number) => {
    const directory = mkdtempSync(join(tmpdir(), 'shallot-board-'))
    directories.push(directory)
    mkdirSync(join(directory, 'world'))
    for (const [place, part] of Object.entries(parts)) writeFileSync(join(directory, 'world', place), part)
    return openBoard(directory, now)
  }
  const ask = (...bytes: number[]) => Buffer.from(bytes)
  after(() => {
    for (const directory of directories) rmSync(directory, { recursive: true })
  })

  it('an SHT3x does not acknowledge before it has measured, nor twice', () => {
    let now = 0
    const answer = board({ 'i2c-44': 'sht3x' }, () => now)
    assert.equal(answer(ask(4, 0x44, 6)), undefined, 'nothing was asked')
    assert.ok(answer(ask(4, 0x44, 0, 0x24, 0x00)))
    now = 14
    assert.equal(answer(ask(4, 0x44, 6)), undefined)
    now = 15
    assert.equal(answer(ask(4, 0x44, 6))!.length, 6)
    assert.equal(answer(ask(4, 0x44, 6)), undefined)
    assert.equal(answer(ask(4, 0x45, 0, 0x24, 0x00)), undefined, 'another address')
  })

  it('a DS18B20 shows 85 degrees until 750 ms after it was told to convert', () => {
    let now = 0
    const answer = board({ 'onewire-1': 'ds18b20 temperature=-0.5' }, () => now)
    const shown = () => answer(ask(5, 1, 9, 0xcc, 0xbe))!.readInt16LE(0)
    assert.equal(shown(), 0x550)
    answer(ask(5, 1, 0, 0xcc, 0x44))
    now = 749
    assert.equal(shown(), 0x550)
    now = 750
    assert.equal(shown(), -8)
  })

  it('nobody answers on a bus where nothing is connected, or to a question that is none', () => {
    const answer = board({}, () => 0)
    for (const question of [ask(1, 3), ask(3, 2, 0xe8, 3, 41), ask(4, 0x44, 6), ask(5, 1, 9), ask(9)])
      assert.equal(answer(question), undefined)
  })
})
