// SPDX-License-Identifier: GPL-3.0-or-later
/** PlatformIO cannot run here; that its project and our own build say the same can be read. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readBudgets } from '../../scripts/firmware-budget.ts'
import { type BoardName, boardsOf, readWirings } from '../../scripts/wiring/plan.ts'

const FIRMWARE = join(import.meta.dirname, '..', '..', 'firmware')
const BOARDS = ['esp8266', 'esp32', 'esp32c3', 'esp32cam'] as const
/** Environments of one board: an ESP8266 has those with two slots, too. */
const KINDS = ['esp8266', 'esp8266-slots', 'esp32', 'esp32c3', 'esp32cam'] as const
type Kind = (typeof KINDS)[number]
const boardOf = (kind: Kind): BoardName => (kind === 'esp8266-slots' ? 'esp8266' : kind)
const EXACT = /^[\w.-]+\/[\w.-]+@\d+\.\d+\.\d+$/

type Section = Readonly<Record<string, string>>

/** Sections by name; a value's lines joined by spaces. */
function readIni(text: string): Record<string, Section> {
  const sections: Record<string, Record<string, string>> = {}
  let section: Record<string, string> = {}
  let key = ''
  for (const line of text.split('\n')) {
    const head = /^\[(.+)\]$/.exec(line)?.[1]
    const entry = /^(\w[\w.]*) =\s*(.*)$/.exec(line)
    if (head !== undefined) {
      section = {}
      sections[head] = section
    } else if (entry) {
      key = entry[1]!
      section[key] = entry[2]!
    } else if (/^\s+\S/.test(line)) section[key] = `${section[key]} ${line.trim()}`.trim()
  }
  return sections
}

const project = readIni(readFileSync(join(FIRMWARE, 'platformio.ini'), 'utf8'))

/** A value with what it refers to put in; an option that is not there comes from what is extended, then from [env]. */
function optionOf(name: string, option: string): string {
  const section = project[name]
  assert.ok(section, `no section ${name}`)
  const own = section[option]
  const text = own ?? (section.extends ? optionOf(section.extends, option) : (project.env![option] ?? ''))
  return text.replaceAll(/\$\{([\w-]+)\.(\w+)\}/g, (_, where: string, what: string) => optionOf(where, what))
}

const words = (name: string, option: string): string[] => optionOf(name, option).split(/\s+/).filter(Boolean)

/** What a variable of firmware/Makefile is. */
function made(variable: string): string[] {
  const out = execFileSync(
    'make',
    ['--silent', '-C', FIRMWARE, '--no-print-directory', `print-${variable}`],
    {
      encoding: 'utf8',
    },
  )
  return out.trim().split(/\s+/)
}

/** The C and C++ sources that an environment builds, without their endings, in order. */
function sourcesOf(environment: string): string[] {
  const chosen = words(environment, 'build_src_filter').flatMap((term) => {
    const path = /^\+<(.+)>$/.exec(term)?.[1]
    return path === undefined ? [] : [path]
  })
  const files = chosen.flatMap((path) =>
    path.endsWith('/') ? readdirSync(join(FIRMWARE, path)).map((file) => `${path}${file}`) : [path],
  )
  return files.flatMap((file) => (/\.(c|cpp)$/.test(file) ? [file.replace(/\.\w+$/, '')] : [])).sort()
}

const apps = made('APPS')
/** Those that are wired for it. */
const appsOf = (board: BoardName) =>
  readWirings().flatMap((wiring) => (boardsOf(wiring).includes(board) ? [wiring.app] : []))
/** What an environment is of: the kind, and the app's name after it. */
function partsOf(environment: string): [kind: Kind, app: string] {
  const kind = KINDS.findLast((each) => environment.startsWith(`${each}-`))
  assert.ok(kind, environment)
  return [kind, environment.slice(kind.length + 1)]
}
const environments = Object.keys(project).flatMap((name) => (name.startsWith('env:') ? [name.slice(4)] : []))

describe('the PlatformIO project', () => {
  it('has one environment for each board and app that is wired for it, and no other', () => {
    assert.deepEqual([...new Set(BOARDS.flatMap(appsOf))].sort(), apps.toSorted())
    const wanted = KINDS.flatMap((kind) => appsOf(boardOf(kind)).map((app) => `${kind}-${app}`))
    assert.deepEqual(environments.toSorted(), wanted.toSorted())
  })

  it('builds by default what there is', () => {
    for (const name of project.platformio!.default_envs!.split(', '))
      assert.ok(environments.includes(name), name)
  })

  it('pins every platform and library to one version', () => {
    for (const environment of environments)
      for (const pinned of [
        optionOf(`env:${environment}`, 'platform'),
        ...words(`env:${environment}`, 'lib_deps'),
      ])
        assert.match(pinned, EXACT)
  })

  it('names no file and no folder that is not there', () => {
    for (const environment of environments)
      for (const term of words(`env:${environment}`, 'build_src_filter')) {
        const path = /^\+<(.+)>$/.exec(term)?.[1]
        assert.ok(term === '-<*>' || (path && existsSync(join(FIRMWARE, path))), `${environment}: ${term}`)
      }
  })

  const esp8266 = ['port/esp8266/esp8266', 'port/flash_words']
  const esp32 = ['port/esp32/esp32', 'port/esp32/slots']
  const PORTS: Record<Kind, string[]> = {
    esp8266,
    'esp8266-slots': [...esp8266, ...made('SLOTS'), 'port/esp8266/mapped'],
    esp32,
    esp32c3: esp32,
    esp32cam: [...esp32, 'port/esp32cam/capture'],
  }
  for (const kind of KINDS)
    it(`builds for the ${kind} our sources and those of the library that our own build has, and its port`, () => {
      const board = boardOf(kind)
      const chip = board === 'esp8266' ? [...made('NARROW'), 'wolfssl/products'] : []
      const library = made('WOLFSSL_OURS').map((name) => `wolfssl/${name}`)
      for (const app of appsOf(board)) {
        const wanted = [
          ...made('OURS'),
          ...library,
          ...chip,
          ...PORTS[kind],
          'port/arduino/arduino',
          'port/arduino/pins',
          'release/image',
        ]
        assert.deepEqual(sourcesOf(`env:${kind}-${app}`), [...wanted, `app/${app}`].sort())
      }
    })

  it('compiles and links with the flags of our own build', () => {
    for (const environment of environments) {
      const flags = words(`env:${environment}`, 'build_flags')
      for (const flag of [...made('BOARD_FLAGS'), ...made('WRAPS')])
        assert.ok(flags.includes(flag), `${environment}: ${flag}`)
      const app = flags.flatMap((flag) => /^-DSHALLOT_APP=(.+)$/.exec(flag)?.[1] ?? [])
      assert.deepEqual(app, [partsOf(environment)[1].replaceAll('-', '_')])
    }
  })

  it('builds a door to the LAN for the boards that have the room, and for no other', () => {
    const boards = JSON.parse(readFileSync(join(FIRMWARE, 'wiring', 'boards.json'), 'utf8'))
    for (const environment of environments) {
      const has = words(`env:${environment}`, 'build_flags').includes(made('DOOR')[0]!)
      assert.equal(has, boards[boardOf(partsOf(environment)[0])].door, environment)
    }
  })

  it('says of each image what our own build says of its own, and which board and app it is for [SPEC 15.2]', () => {
    for (const environment of environments) {
      const [kind, app] = partsOf(environment)
      const flags = words(`env:${environment}`, 'build_flags')
      for (const flag of [
        `'-DIMAGE_VENDOR="${made('VENDOR')}"'`,
        `'-DIMAGE_VERSION="${made('VERSION')}"'`,
        `-DIMAGE_SEQUENCE=${made('SEQUENCE')}`,
        `'-DIMAGE_CLASS="${boardOf(kind)}/${app}"'`,
      ])
        assert.ok(flags.includes(flag), `${environment}: ${flag}`)
    }
  })

  it('takes wolfSSL from the list that our own build takes it from', () => {
    const script = readFileSync(join(FIRMWARE, 'wolfssl', 'platformio.py'), 'utf8')
    assert.match(script, /"sources\.txt"/)
    assert.deepEqual(
      made('WOLFSSL_SOURCES'),
      readFileSync(join(FIRMWARE, 'wolfssl', 'sources.txt'), 'utf8')
        .trim()
        .split('\n'),
    )
    assert.equal(project.env!.lib_ignore, 'wolfssl')
  })

  it('keeps the ESP8266 from reading tables of jumps out of flash byte by byte, as our own build does', () => {
    const ours = made('LX106_FLAGS').filter((flag) => /jump-tables|switch-conversion/.test(flag))
    assert.equal(ours.length, 2)
    for (const flag of ours) assert.ok(words('env:esp8266-room', 'build_flags').includes(flag))
  })
})

type Partition = { name: string; type: string; subtype: string; offset: number; size: number }

function partitions(): Partition[] {
  const lines = readFileSync(join(FIRMWARE, 'port', 'esp32', 'partitions.csv'), 'utf8').split('\n')
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .map(([name, type, subtype, offset, size]) => ({
      name: name!,
      type: type!,
      subtype: subtype!,
      offset: Number(offset),
      size: Number(size),
    }))
}

describe('the flash of an ESP32 [SPEC 15]', () => {
  const FLASH_BYTES = 4 * 1024 * 1024
  const table = partitions()
  const slots = table.filter(({ type }) => type === 'app')
  /** What Arduino's core with Wi-Fi and LittleFS needs beside us, generously: PlatformIO says about 750 KB for it alone. */
  const CORE_BYTES = 900 * 1024

  it('is divided by one table, whose parts follow each other and end with it', () => {
    for (const environment of environments.filter((name) => name.startsWith('esp32')))
      assert.equal(optionOf(`env:${environment}`, 'board_build.partitions'), 'port/esp32/partitions.csv')
    let end = 0x9000
    for (const { name, offset, size } of table) {
      assert.ok(offset >= end && offset - end < 0x10000 && size % 0x1000 === 0, name)
      end = offset + size
    }
    assert.equal(end, FLASH_BYTES)
  })

  it('has two slots of one size, each at a boundary that the chip can map, and otadata for the boot loader', () => {
    assert.deepEqual(
      slots.map(({ subtype }) => subtype),
      ['ota_0', 'ota_1'],
    )
    for (const { offset, size } of slots) assert.ok(offset % 0x10000 === 0 && size === slots[0]!.size)
    assert.equal(table.find(({ subtype }) => subtype === 'ota')?.size, 0x2000)
    assert.equal(table.find(({ subtype }) => subtype === 'spiffs')?.name, 'spiffs')
  })

  it('has slots as large as its port says', () => {
    const port = readFileSync(join(FIRMWARE, 'port', 'esp32', 'slots.c'), 'utf8')
    assert.equal(Number(/SLOT_BYTES = (\w+)/.exec(port)?.[1]), slots[0]!.size)
  })

  it('holds every app that is within its budget', () => {
    const { every, apps: own } = readBudgets().rv32
    for (const limits of [every, ...Object.values(own)])
      assert.ok((limits.flash ?? every.flash!) + CORE_BYTES <= slots[0]!.size)
  })
})

describe('the flash of an ESP8266 with two slots [SPEC 15]', () => {
  const layout = readFileSync(join(FIRMWARE, 'port', 'esp8266', 'chooser.h'), 'utf8')
  const numberOf = (name: string) => Number(new RegExp(`${name} = (0x[0-9a-f]+)`).exec(layout)?.[1])
  const withSlots = environments.filter((name) => name.startsWith('esp8266-slots-'))
  const trailer = readFileSync(join(FIRMWARE, 'boot', 'trailer.py'), 'utf8')
  const script = readFileSync(join(FIRMWARE, 'boot', 'platformio.py'), 'utf8')
  /** Where the file system begins in the linker scripts of Arduino's core for 4 MB, by name. */
  const FILES_AT: Record<string, number> = {
    'eagle.flash.4m1m.ld': 0x300000,
    'eagle.flash.4m2m.ld': 0x200000,
  }
  const STATE_BYTES = 0x2000
  /** What Arduino's core with Wi-Fi and LittleFS needs beside us, generously: an empty one is about 300 KB. */
  const CORE_BYTES = 512 * 1024

  it('has slots of one size at the same place of two megabytes, then what is remembered, then files', () => {
    const begin = numberOf('CHOOSER_SLOT_AT')
    const end = begin + numberOf('CHOOSER_SLOT_BYTES')
    const megabyte = numberOf('CHOOSER_MEGABYTE')
    assert.ok(begin === numberOf('CHOOSER_SECTOR_BYTES') && end <= megabyte)
    assert.ok(megabyte + end <= numberOf('CHOOSER_STATE_AT'))
    assert.equal(numberOf('CHOOSER_STATE_AT') + STATE_BYTES, 2 * megabyte)
    assert.equal(withSlots.length, appsOf('esp8266').length)
    for (const environment of withSlots)
      assert.ok(
        FILES_AT[optionOf(`env:${environment}`, 'board_build.ldscript')]! >= 2 * megabyte,
        environment,
      )
  })

  it('is made by a script that knows the same places, for these environments and no other', () => {
    assert.equal(Number(/^SLOT_BYTES = (\w+)$/m.exec(trailer)?.[1]), numberOf('CHOOSER_SLOT_BYTES'))
    assert.equal(Number(/STATE_AT, STATE_BYTES = "(\w+)"/.exec(script)?.[1]), numberOf('CHOOSER_STATE_AT'))
    assert.equal(Number(/STATE_AT, STATE_BYTES = "\w+", (\w+)/.exec(script)?.[1]), STATE_BYTES)
    assert.match(script, /\$CC @boot\/arguments /)
    for (const environment of environments) {
      const has = withSlots.includes(environment)
      assert.equal(
        words(`env:${environment}`, 'extra_scripts').includes('boot/platformio.py'),
        has,
        environment,
      )
      assert.equal(words(`env:${environment}`, 'build_flags').includes('-DSHALLOT_SLOTS'), has, environment)
    }
  })

  it('holds every app that is within its budget', () => {
    const { every, apps: own } = readBudgets().qemu
    for (const limits of [every, ...Object.values(own)])
      assert.ok((limits.flash ?? every.flash!) + CORE_BYTES <= numberOf('CHOOSER_SLOT_BYTES'))
  })
})
