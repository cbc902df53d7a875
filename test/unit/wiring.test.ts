// SPDX-License-Identifier: GPL-3.0-or-later
/** The tables of firmware/wiring against the C that they are for, and against themselves. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { picture } from '../../scripts/wiring/picture.ts'
import {
  BOARDS,
  CAMERA,
  type Channel,
  faultsIn,
  readBoards,
  readWirings,
  type Wiring,
} from '../../scripts/wiring/plan.ts'

const FIRMWARE = join(import.meta.dirname, '..', '..', 'firmware')
const boards = readBoards()
const wirings = readWirings()
const wiringOf = (app: string) => wirings.find((wiring) => wiring.app === app)!
/** Without what it says in comments. */
const sourceOf = (app: string) =>
  readFileSync(join(FIRMWARE, 'app', `${app}.c`), 'utf8').replace(/\/\*[\s\S]*?\*\//g, ' ')

/** What a driver does with the channel that it is given. */
const KIND_OF_DRIVER: Readonly<Record<string, string>> = {
  dimmer: 'output',
  relay: 'output',
  servo: 'pulse',
  debounced: 'input',
  pir: 'input',
  dht22: 'line',
  ds18b20: 'line',
}

/** As the app hands a channel on: into a driver's struct, to a PIR, or to a lock, which takes its output and its bolt's input. */
function kindIn(source: string, name: string): string | undefined {
  const lock = new RegExp(`lock_open\\([^;]*?\\b${name}\\b([^;]*)`).exec(source)
  if (lock) return /_OUTPUT$/.test(name) ? 'output' : 'input'
  const driver =
    new RegExp(`\\(struct (\\w+)\\)\\{[^}]*\\b${name}\\b`).exec(source)?.[1] ??
    new RegExp(`\\b(pir)_open\\([^;]*\\b${name}\\b`).exec(source)?.[1]
  return driver && KIND_OF_DRIVER[driver]
}

describe('every app and its table', () => {
  it('are the same in number', () => {
    const apps = readdirSync(join(FIRMWARE, 'app')).map((name) => name.replace(/\.c$/, ''))
    assert.deepEqual(
      wirings.map(({ app }) => app),
      apps.sort(),
    )
  })

  for (const { app, channels, parts } of wirings) {
    const source = sourceOf(app)
    const named = channels.filter(({ name }) => name !== undefined)

    it(`${app}: takes its channels from the table, and has none of its own`, () => {
      if (named.length > 0) assert.match(source, new RegExp(`#include "../wiring/gen/${app}.h"`))
      assert.doesNotMatch(source, /\b\w*(?:CHANNEL|OUTPUT|INPUT|PIN)\w*\s*=(?!=)/)
      assert.doesNotMatch(source, /\.(?:\w*channel|output)\s*=\s*\d/)
    })

    it(`${app}: uses each as what it is`, () => {
      for (const { name, kind } of named) assert.equal(kindIn(source, name!), kind, `${name}`)
    })

    it(`${app}: has the buses that its drivers use, and no others`, () => {
      const has = (kind: string) => channels.some((channel) => channel.kind === kind)
      const onI2c = /driver\/(?:bme280|sht3x)\.h/.test(source)
      assert.deepEqual([has('sda'), has('scl')], [onI2c, onI2c])
      const onCamera = /driver\/ov2640\.h/.test(source)
      for (const kind of CAMERA) assert.equal(has(kind), onCamera, kind)
      const onWiegand = /driver\/keypad\.h/.test(source)
      assert.deepEqual([has('wiegand-0'), has('wiegand-1')], [onWiegand, onWiegand])
    })

    for (const { id, driver, address } of parts.filter((part) => part.driver !== undefined))
      it(`${app}: ${id} has the address that its driver asks`, () => {
        const header = readFileSync(join(FIRMWARE, 'driver', `${driver}.h`), 'utf8')
        assert.match(header, new RegExp(`^#define ${driver!.toUpperCase()}_ADDRESS ${address}$`, 'm'))
      })
  }
})

describe('the socket of a camera', () => {
  const enumerated = (file: string, pattern: RegExp): string[] => {
    const inside = pattern.exec(readFileSync(join(FIRMWARE, 'port', file), 'utf8'))![1]!
    return inside.split(/[,\s]+/).filter(Boolean)
  }

  it('has its pins in one order, in the tables and in both headers', () => {
    const kinds = enumerated('arduino/arduino.h', /(CAMERA_POWER_PIN[^}]*)\}/)
    assert.deepEqual(
      kinds,
      CAMERA.map((kind) => `${kind.toUpperCase().replaceAll('-', '_')}_PIN`),
    )
    const places = enumerated('esp32cam/capture.h', /enum \{ (CAPTURE_POWER,[^}]*) \}/).join(' ')
    const spelled = kinds.map((kind) => kind.replace('CAMERA', 'CAPTURE').replace('_PIN', ''))
    const bits = /CAPTURE_D[1-6]/
    assert.equal(
      places.replace('CAPTURE_D7 = CAPTURE_D0 + 7', 'CAPTURE_D7'),
      [...spelled.filter((name) => !bits.test(name)), 'CAPTURE_PINS'].join(' '),
    )
  })

  it('is on no pin that anything else is on', () => {
    const { pins } = boards.esp32cam
    const gpios = Object.values(pins).map(({ gpio }) => gpio)
    assert.equal(new Set(gpios).size, gpios.length)
    assert.equal(Object.values(pins).filter(({ uses }) => uses.includes('camera')).length, CAMERA.length)
  })
})

describe('a table that does not fit together is refused', () => {
  const door = wiringOf('front-door')
  const channel = (at: number, change: Partial<Channel>): Wiring => ({
    ...door,
    channels: door.channels.map((one, index) => (index === at ? { ...one, ...change } : one)),
  })
  const pins = (at: number, esp8266: string) => channel(at, { pins: { ...door.channels[at]!.pins, esp8266 } })
  const cases: [string, Wiring, RegExp][] = [
    ['a pin used twice', pins(1, 'D1'), /D1 of esp8266 is used twice/],
    ['a pin that the board has not', pins(1, 'D9'), /esp8266 has no pin D9/],
    ['an output on a pin that moves at the start', pins(0, 'D5'), /D5 of esp8266 is not fit for output/],
    [
      'a Wiegand wire on a pin that wakes nobody',
      channel(3, { kind: 'wiegand-0' }),
      /D0 of esp8266 is not fit for wiegand-0/,
    ],
    [
      'a board that is left out once',
      channel(1, { pins: { esp8266: 'D5' } }),
      /bolt\.B has no pin on esp32$/,
    ],
    ['one channel twice', channel(2, { channel: 1 }), /input 1 is there twice/],
    ['a channel that no port has', channel(2, { channel: 8 }), /wants a name and a number to 7/],
    ['a kind that no port has', channel(2, { kind: 'spi' }), /spi is no kind/],
    ['a wire to nowhere', channel(2, { to: 'door.C' }), /there is no door\.C/],
    [
      'a pin that hangs in the air',
      { ...door, wires: door.wires.slice(1) },
      /switch\.GND is connected to nothing/,
    ],
    [
      'a part of which there is none',
      { ...door, parts: door.parts.map((part) => ({ ...part, quantity: 0 })) },
      /how many of lock/,
    ],
  ]
  for (const [what, wiring, sentence] of cases)
    it(what, () => {
      const faults = faultsIn(wiring, boards)
      assert.ok(
        faults.some((fault) => sentence.test(fault)),
        faults.join('\n'),
      )
    })

  it('and those that are there are not', () => {
    assert.deepEqual(
      wirings.flatMap((wiring) => faultsIn(wiring, boards)),
      [],
    )
  })
})

/** Where a source says by number, or by a board's own name, which pin is meant. Kinds of pins, counts and channels are none. */
function pinsNamedIn(source: string): string[] {
  const text = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ' ')
  const call =
    /\b(?:pinMode|digitalWrite|digitalRead|analogRead|analogWrite|attachInterrupt|digitalPinToInterrupt|pulseIn|ledcAttachPin|startWaveform|stopWaveform|board_pulse|Wire\.begin|gpio_\w+)\(\s*\d/g
  const name = /\b(?:GPIO_NUM_\d+|LED_BUILTIN|[DA]\d{1,2}|IO\d{1,2})\b/g
  const given = /(?<!NO_)\b\w*(?:\bpin|_pin|_gpio|\bgpio|_PIN|_GPIO|PIN_\w+)\s*=\s*\d+/g
  return [call, name, given].flatMap((pattern) => [...text.matchAll(pattern)].map(([found]) => found))
}

/** Everything that is compiled for a board. */
function boardSources(): string[] {
  const folders = ['app', 'driver', 'core', 'port/arduino', 'port/esp32', 'port/esp8266']
  return folders.flatMap((folder) =>
    readdirSync(join(FIRMWARE, folder))
      .filter((name) => /\.(?:c|h|cpp)$/.test(name))
      .map((name) => join(folder, name)),
  )
}

describe('a pin’s number', () => {
  it('is written nowhere but in the tables', () => {
    const sources = boardSources()
    assert.ok(sources.includes('port/arduino/pins.cpp'))
    for (const file of sources)
      assert.deepEqual(pinsNamedIn(readFileSync(join(FIRMWARE, file), 'utf8')), [], file)
    assert.deepEqual(pinsNamedIn(readFileSync(join(FIRMWARE, 'platformio.ini'), 'utf8')), [])
  })

  it('is known when somebody does', () => {
    for (const line of [
      'pinMode(5, OUTPUT);',
      'digitalWrite( 14, HIGH);',
      'attachInterrupt(digitalPinToInterrupt(4), on_zero, FALLING);',
      'Wire.begin(21, 22);',
      'board_pulse(18, period_us, high_us);',
      'gpio_set_level(GPIO_NUM_4, 1);',
      'int relay = D1;',
      'enum { RELAY_PIN = 5 };',
      'config.pin = 32;',
      '#define LAMP LED_BUILTIN',
    ])
      assert.notDeepEqual(pinsNamedIn(line), [], line)
    for (const line of [
      'digitalWrite(pin, LOW); // 5',
      'enum { NO_PIN = -1 };',
      'wiegand_bit(&reader, 0, micros());',
    ])
      assert.deepEqual(pinsNamedIn(line), [], line)
  })

  it('comes to a port from the table of its board, and nowhere else', () => {
    const port = readFileSync(join(FIRMWARE, 'port', 'arduino', 'pins.cpp'), 'utf8')
    assert.match(port, /#include "..\/..\/wiring\/gen\/pins\.h"/)
    assert.equal([...port.matchAll(/SHALLOT_WIRING_\w+\(PIN\)/g)].length, BOARDS.length)
  })
})

type Segment = readonly [x1: number, y1: number, x2: number, y2: number]

/** The horizontal and upright pieces of each wire. */
function wiresOn(svg: string): Segment[][] {
  return [...svg.matchAll(/<path d="M(\d+) (\d+)H(\d+)V(\d+)H(\d+)"/g)].map((found) => {
    const [x1, y1, column, y2, x2] = found.slice(1).map(Number) as [number, number, number, number, number]
    return [
      [x1, y1, column, y1],
      [column, Math.min(y1, y2), column, Math.max(y1, y2)],
      [column, y2, x2, y2],
    ]
  })
}

function lieOnOneAnother([ax1, ay1, ax2, ay2]: Segment, [bx1, by1, bx2, by2]: Segment): boolean {
  const isFlat = ay1 === ay2 && by1 === by2 && ay1 === by1
  if (isFlat) return Math.min(ax2, bx2) > Math.max(ax1, bx1)
  const isUpright = ax1 === ax2 && bx1 === bx2 && ax1 === bx1
  return isUpright && Math.min(ay2, by2) > Math.max(ay1, by1)
}

describe('a picture', () => {
  for (const wiring of wirings)
    it(`of ${wiring.app} has every wire, and no two that could be taken for one`, () => {
      const svg = picture(wiring, boards)
      const wires = wiresOn(svg)
      assert.equal(wires.length, wiring.channels.length + wiring.wires.length)
      assert.equal([...svg.matchAll(/<circle/g)].length, 2 * wires.length)
      wires.forEach((one, at) => {
        for (const other of wires.slice(at + 1)) {
          // Two that meet at a pin may share its row.
          const ends = ([first, , last]: Segment[]) => [
            `${first![0]} ${first![1]}`,
            `${last![2]} ${last![3]}`,
          ]
          const rows = ends(one).filter((end) => ends(other).includes(end))
          const shared = one.flatMap((a) => other.filter((b) => lieOnOneAnother(a, b)).map(() => a))
          assert.ok(shared.every(([, y1]) => rows.some((row) => row.endsWith(` ${y1}`))))
        }
      })
    })

  it('says names as text, whatever they hold', () => {
    const svg = picture({ ...wiringOf('weather'), title: '</svg><script>' }, boards)
    assert.ok(!svg.includes('<script>'))
  })
})
