// SPDX-License-Identifier: GPL-3.0-or-later
/** PlatformIO cannot run here; that its project and our own build say the same can be read. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const FIRMWARE = join(import.meta.dirname, '..', '..', 'firmware')
const BOARDS = ['esp8266', 'esp32', 'esp32c3']
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
  return text.replaceAll(/\$\{(\w+)\.(\w+)\}/g, (_, where: string, what: string) => optionOf(where, what))
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
const environments = Object.keys(project).flatMap((name) => (name.startsWith('env:') ? [name.slice(4)] : []))

describe('the PlatformIO project', () => {
  it('has one environment for each board and app, and no other', () => {
    const wanted = BOARDS.flatMap((board) => apps.map((app) => `${board}-${app}`))
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

  for (const board of BOARDS)
    it(`builds for the ${board} our sources and those of the library that our own build has, and its port`, () => {
      const port = board === 'esp8266' ? ['port/esp8266/esp8266', 'port/flash_words'] : ['port/esp32/esp32']
      const chip = board === 'esp8266' ? [...made('NARROW'), 'wolfssl/products'] : []
      const library = made('WOLFSSL_OURS').map((name) => `wolfssl/${name}`)
      for (const app of apps) {
        const wanted = [
          ...made('OURS'),
          ...library,
          ...chip,
          ...port,
          'port/arduino/arduino',
          'port/arduino/pins',
          'release/image',
        ]
        assert.deepEqual(sourcesOf(`env:${board}-${app}`), [...wanted, `app/${app}`].sort())
      }
    })

  it('compiles and links with the flags of our own build', () => {
    for (const environment of environments) {
      const flags = words(`env:${environment}`, 'build_flags')
      for (const flag of [...made('BOARD_FLAGS'), ...made('WRAPS')])
        assert.ok(flags.includes(flag), `${environment}: ${flag}`)
      const app = flags.flatMap((flag) => /^-DSHALLOT_APP=(.+)$/.exec(flag)?.[1] ?? [])
      assert.deepEqual(app, [environment.replace(/^\w+?-/, '').replaceAll('-', '_')])
    }
  })

  it('builds a door to the LAN for the boards that have the room, and for no other', () => {
    const boards = JSON.parse(readFileSync(join(FIRMWARE, 'wiring', 'boards.json'), 'utf8'))
    for (const environment of environments) {
      const has = words(`env:${environment}`, 'build_flags').includes(made('DOOR')[0]!)
      assert.equal(has, boards[environment.split('-')[0]!].door, environment)
    }
  })

  it('says of each image what our own build says of its own, and which board and app it is for [SPEC 15.2]', () => {
    for (const environment of environments) {
      const [board] = environment.split('-')
      const flags = words(`env:${environment}`, 'build_flags')
      for (const flag of [
        `'-DIMAGE_VENDOR="${made('VENDOR')}"'`,
        `'-DIMAGE_VERSION="${made('VERSION')}"'`,
        `-DIMAGE_SEQUENCE=${made('SEQUENCE')}`,
        `'-DIMAGE_CLASS="${board}/${environment.slice(board!.length + 1)}"'`,
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
