// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Builds, measures and runs the firmware. What is absent on purpose: sources of wolfSSL in this repository; they come
 * from Debian's source package, whose signature apt checks, and stay in .build/.
 *
 *   node scripts/firmware.ts fetch                              wolfSSL's source, once
 *   node scripts/firmware.ts build [--app A] [--port host|qemu|rv32|sanitize]   without --app: all; without --port: all but sanitize
 *                                  [--image-version V --sequence N]      as an image to update to, stripped, in a folder of its own
 *   node scripts/firmware.ts size [--json]                      what each program costs on both chips, held against firmware/budget.json
 *   node scripts/firmware.ts coverage                           which functions, lines and branches of firmware/core the tests run
 *   node scripts/firmware.ts fuzz [--target T] [--seconds N]    libFuzzer over every parser, 600 s each unless told otherwise;
 *                                                               --keep: what was found goes to firmware/fuzz/corpus
 *   node scripts/firmware.ts run --app A --dir D [--port P]     one device; its console is this terminal
 */
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { argumentsOf, misused } from './arguments.ts'
import { startEmulator, startOnHost } from './emulator.ts'

const ROOT = join(import.meta.dirname, '..')
const BUILD = join(ROOT, '.build')
const FIRMWARE = join(ROOT, 'firmware')
const WOLFSSL = join(BUILD, 'wolfssl')
const SOURCE = join(WOLFSSL, 'source')
const OUT = join(BUILD, 'firmware')

/** `fuzz` holds libFuzzer's targets and no programs. */
export type Port = 'host' | 'qemu' | 'rv32' | 'qemu-door' | 'sanitize' | 'coverage' | 'fuzz'
export const PORTS: readonly Port[] = ['host', 'qemu', 'rv32', 'sanitize']
/** The ports that run under QEMU: the ESP8266's instruction set and the ESP32-C3's. */
export const EMULATED = ['qemu', 'rv32'] as const satisfies Port[]
export type EmulatedPort = (typeof EMULATED)[number]
/** The emulated ones with a door to the LAN: what the ESP32-C3 has, and what the ESP8266 would need. */
export const DOORS = ['qemu-door', 'rv32'] as const satisfies Port[]
export type DoorPort = (typeof DOORS)[number]
const UNDER_QEMU: readonly Port[] = [...EMULATED, ...DOORS]
export const isEmulated = (port: Port): port is EmulatedPort => EMULATED.some((each) => each === port)
/** QEMU's plugin that is as strict as the chip. */
export const FLASHCHECK = join(OUT, 'qemu', 'flashcheck.so')

/** What an image says of itself, if not what firmware/Makefile says (SPEC 15.2). */
export type Release = { version: string; sequence: number }

const folderOf = (release: Release | undefined): string =>
  release ? `/release/${release.version}-${release.sequence}` : ''

/** What is built into this program: an app, or a program for tests under firmware/check. */
export function programPath(port: Port, program: string, release?: Release): string {
  return join(OUT, `${port}${folderOf(release)}`, UNDER_QEMU.includes(port) ? `${program}.elf` : program)
}

/** Where everything that is built for a port goes. */
export const builtIn = (port: Port): string => join(OUT, port)

function programsIn(folder: string): string[] {
  const path = join(FIRMWARE, folder)
  if (!existsSync(path)) return []
  return readdirSync(path).flatMap((name) => (name.endsWith('.c') ? [name.slice(0, -2)] : []))
}

/* ---- fetch ---- */

const DEBIAN_SOURCES = '/etc/apt/sources.list.d/debian.sources'
const FALLBACK_SOURCES = `Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`

/** apt with lists of its own, so that the system's stay as they are. */
function aptOptions(): string[] {
  const options = [
    ['Dir::Etc::SourceList', '/dev/null'],
    ['Dir::Etc::SourceParts', join(WOLFSSL, 'sources')],
    ['Dir::State::Lists', join(WOLFSSL, 'lists')],
    ['APT::Sandbox::User', 'root'],
  ]
  return options.flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

function writeSourceLists(): void {
  mkdirSync(join(WOLFSSL, 'sources'), { recursive: true })
  mkdirSync(join(WOLFSSL, 'lists', 'partial'), { recursive: true })
  const known = existsSync(DEBIAN_SOURCES) ? readFileSync(DEBIAN_SOURCES, 'utf8') : FALLBACK_SOURCES
  writeFileSync(
    join(WOLFSSL, 'sources', 'debian.sources'),
    known.replaceAll(/^Types:.*$/gm, 'Types: deb-src'),
  )
}

/** Downloads and unpacks wolfSSL's Debian source package, unless it is there already. */
export function fetchWolfssl(say: (line: string) => void): void {
  if (existsSync(join(SOURCE, 'wolfssl', 'ssl.h'))) return
  rmSync(WOLFSSL, { recursive: true, force: true })
  writeSourceLists()
  const run = (program: string, args: string[]): void => {
    execFileSync(program, args, { cwd: WOLFSSL, stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 })
  }
  say('wolfssl: reading the list of source packages')
  run('apt-get', [...aptOptions(), '--quiet', '--error-on=any', 'update'])
  say('wolfssl: downloading the source package')
  run('apt-get', [...aptOptions(), '--quiet', 'source', '--download-only', 'wolfssl'])
  const description = readdirSync(WOLFSSL).find((name) => name.endsWith('.dsc'))
  if (!description) throw new Error('apt-get source left no .dsc of wolfssl')
  say(`wolfssl: unpacking ${description.replace('.dsc', '')}`)
  run('dpkg-source', ['--no-check', '--no-copy', '--extract', description, 'unpacked'])
  renameSync(join(WOLFSSL, 'unpacked'), SOURCE)
  copyFileSync(join(WOLFSSL, description), join(SOURCE, 'debian.dsc'))
}

/* ---- build ---- */

/**
 * Builds programs (all when none are named) for one port, incrementally. Several callers may ask at once: a lock
 * makes them take turns.
 * @throws when the compiler is missing or refuses; its words are on standard error
 */
export function buildFirmware(port: Port, programs: readonly string[] = [], release?: Release): void {
  mkdirSync(OUT, { recursive: true })
  const targets = programs.map((program) => programPath(port, program, release))
  if (UNDER_QEMU.includes(port) && targets.length > 0) targets.push(FLASHCHECK)
  const make = ['make', '--silent', '-j2', '-C', FIRMWARE, `OUT=${OUT}`, `WOLFSSL=${SOURCE}`]
  if (release) {
    const { version, sequence } = release
    make.push(`RELEASE=${folderOf(release)}`, `VERSION=${version}`, `SEQUENCE=${sequence}`, 'LINK=-s')
  }
  const lock = join(BUILD, 'firmware.lock')
  fetchLocked(lock)
  execFileSync('flock', [lock, ...make, ...(targets.length > 0 ? targets : [port])], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 600_000,
  })
}

function buildFolder(name: string): string {
  mkdirSync(OUT, { recursive: true })
  const make = ['make', '--silent', '-j2', '-C', FIRMWARE, `OUT=${OUT}`, `WOLFSSL=${SOURCE}`, name]
  execFileSync('flock', [join(BUILD, 'firmware.lock'), ...make], { stdio: ['ignore', 'inherit', 'inherit'] })
  return join(OUT, name)
}

/** Compiles the ports for boards, of which nothing can be linked or run here. @returns the folder of what came out */
export const buildBoards = (): string => buildFolder('boards')

/** Builds the boot loader of an ESP8266 with two slots, and what it is tried with. @returns the folder of what came out */
export const buildBoot = (): string => buildFolder('boot')

function fetchLocked(lock: string): void {
  if (existsSync(join(SOURCE, 'wolfssl', 'ssl.h'))) return
  execFileSync('flock', [lock, process.execPath, import.meta.filename, 'fetch'], {
    stdio: 'inherit',
    timeout: 600_000,
  })
}

/* ---- run ---- */

function run(port: Port, program: string, directory: string): void {
  mkdirSync(join(directory, 'world'), { recursive: true, mode: 0o700 })
  buildFirmware(port, [program])
  const path = programPath(port, program)
  if (!isEmulated(port)) {
    const child = startOnHost(path, directory, 'inherit')
    child.on('exit', (status) => process.exit(status ?? 1))
    process.on('SIGTERM', () => child.kill())
    return
  }
  const { child, end } = startEmulator({ elf: path, flashcheck: FLASHCHECK, directory })
  process.stdin.pipe(child.stdin!)
  child.stdout!.pipe(process.stdout)
  child.stderr!.pipe(process.stderr)
  child.on('exit', (status) => process.exit(status ?? 1))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end)
}

/* ---- the command line ---- */

const USAGE =
  'usage: node scripts/firmware.ts fetch | build [--app A] [--port P] [--image-version V --sequence N] | size [--json] | coverage | fuzz [--target T] [--seconds N] [--keep] | run --app A --dir D [--port P]'

async function main(): Promise<void> {
  const { values, positionals } = argumentsOf(USAGE, {
    allowPositionals: true,
    options: {
      app: { type: 'string' },
      port: { type: 'string' },
      'image-version': { type: 'string' },
      sequence: { type: 'string' },
      dir: { type: 'string' },
      json: { type: 'boolean', default: false },
      target: { type: 'string' },
      seconds: { type: 'string', default: '600' },
      keep: { type: 'boolean', default: false },
    },
  })
  const ports =
    values.port === undefined
      ? (['host', 'qemu', 'rv32'] as const)
      : PORTS.filter((port) => port === values.port)
  const known = [...programsIn('app'), ...programsIn('check')]
  const release = readRelease(values['image-version'], values.sequence)
  const bad =
    ports.length === 0 || release === null || (values.app !== undefined && !known.includes(values.app))
  const verb = positionals.length === 1 && !bad ? positionals[0] : undefined
  if (verb === 'fetch') return fetchWolfssl(console.log)
  if (verb === 'build') {
    const programs = values.app !== undefined ? [values.app] : release ? programsIn('app') : []
    for (const port of ports) buildFirmware(port, programs, release ?? undefined)
    return
  }
  if (verb === 'size') {
    const { measureFirmware, printSizes } = await import('./firmware-size.ts')
    const sizes = await measureFirmware(known, programsIn('app'))
    printSizes(sizes, values.json)
    const { overBudget, readBudgets } = await import('./firmware-budget.ts')
    const budgets = readBudgets()
    for (const port of EMULATED)
      for (const excess of overBudget(sizes[port], budgets[port])) {
        console.error(`over budget: ${port}: ${excess}`)
        process.exitCode = 1
      }
    return
  }
  if (verb === 'coverage') {
    const { measureCoverage, printCoverage } = await import('./firmware-coverage.ts')
    const { covered, failures } = measureCoverage()
    if (!printCoverage(covered) || failures) process.exitCode = 1
    if (failures) console.error(failures)
    return
  }
  if (verb === 'fuzz') {
    const { fuzzAll, fuzzTargets, keep } = await import('./firmware-fuzz.ts')
    const targets = fuzzTargets().filter((target) => target === (values.target ?? target))
    if (targets.length === 0 || !(Number(values.seconds) > 0))
      misused(USAGE, `targets: ${fuzzTargets().join(' ')}; seconds: above 0`)
    if (!fuzzAll(targets, Number(values.seconds))) process.exitCode = 1
    if (values.keep) for (const target of targets) console.log(`${target}: ${keep(target)} inputs kept`)
    return
  }
  if (verb === 'run' && values.app !== undefined && values.dir !== undefined) {
    return run(ports[0]!, values.app, values.dir)
  }
  misused(USAGE, `programs: ${known.join(' ')}`)
}

/** Null: not of the form. */
function readRelease(version: string | undefined, sequence: string | undefined): Release | undefined | null {
  if (version === undefined && sequence === undefined) return undefined
  const number = Number(sequence)
  const sound = /^[0-9a-z.+-]{1,15}$/.test(version ?? '') && Number.isInteger(number) && number > 0
  return sound && number < 2 ** 32 ? { version: version!, sequence: number } : null
}

// Not awaited: what is imported on the way imports this file, which must be complete by then.
if (import.meta.main) void main()
