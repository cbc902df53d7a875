// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What the firmware costs on an ESP8266, measured on its instruction set under emulation: sizes from the ELF files, the
 * life of each app in a real home (firmware-apps.ts), and TLS alone, by itself with Node, by firmware/check/tls-check.
 * Milliseconds are instructions divided by the clock, one per cycle: estimates, real chips are slower.
 */
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:tls'
import { startFirmware } from '../test/support/firmware.ts'
import { CLIENT_AUTH, caPem, issueLeaf, makeCa } from '../test/support/tls-pki.ts'
import { buildFirmware, programPath } from './firmware.ts'
import { type AppCost, measureApps } from './firmware-apps.ts'
import { type GrantCost, measureGrants } from './firmware-grants.ts'

const ALPN = 'shallot/1'

/** Bytes; flash holds code, tables and the first values of data. static is .data, .rodata and .bss without the arena. */
export type ProgramSize = { flash: number; static: number; arena: number }

/** Bytes and instructions. */
export type TlsCost = {
  arenaPeak: number
  arenaPeakResumed: number
  stackPeak: number
  /** DRAM of TLS alone: its static data, arena peak and stack peak during a full handshake. */
  dramPeak: number
  textOfTls: number
  handshake: number
  resumed: number
  seal: number
  open: number
}

/** dram: static data and the highest peaks of stack and arena; left: what 20 KiB have beyond that. */
export type AppSize = ProgramSize & AppCost & { dram: number; left: number }

export type Sizes = {
  programs: Record<string, ProgramSize>
  apps: Record<string, AppSize>
  tls: TlsCost
  grants: GrantCost
}

/** What port/qemu/lx106/lx106.ld hands out. */
const DRAM_BYTES = 20 * 1024

function sections(elf: string): Record<string, number> {
  const lines = execFileSync('xtensa-lx106-elf-size', ['-A', elf], { encoding: 'utf8' }).split('\n')
  const rows = lines.map((line) => /^(\.\w+)\s+(\d+)/.exec(line)).filter((row) => row !== null)
  return Object.fromEntries(rows.map((row) => [row[1]!, Number(row[2])]))
}

/** The size of one symbol, or of all whose names match. */
function symbols(elf: string, name: RegExp): number {
  const lines = execFileSync('xtensa-lx106-elf-nm', ['-S', elf], { encoding: 'utf8' }).split('\n')
  const found = lines.filter((line) => name.test(line.split(' ')[3] ?? ''))
  return found.reduce((sum, line) => sum + Number.parseInt(line.split(' ')[1]!, 16), 0)
}

function programSize(program: string): ProgramSize {
  const elf = programPath('qemu', program)
  const size = sections(elf)
  const arena = symbols(elf, /^arena$/)
  const constant = (size['.data'] ?? 0) + (size['.rodata'] ?? 0)
  return { flash: (size['.text'] ?? 0) + constant, static: constant + (size['.bss'] ?? 0) - arena, arena }
}

function numberIn(lines: readonly string[], name: string): number {
  const found = lines.map((line) => new RegExp(`\\b${name}=(\\d+)`).exec(line)).find((match) => match)
  if (!found) throw new Error(`the firmware reported no ${name}:\n${lines.join('\n')}`)
  return Number(found[1])
}

async function runDevice(commands: string[], blobs: Record<string, Uint8Array>): Promise<readonly string[]> {
  await using device = await startFirmware({
    port: 'qemu',
    program: 'tls-check',
    blobs,
    countInstructions: true,
  })
  await device.line(/^ready/)
  for (const command of commands) {
    const answer = await device.ask(command)
    if (!/^\w+ ok/.test(answer)) throw new Error(`${command}: ${answer}`)
  }
  await device.end()
  return device.lines
}

async function measureTls(): Promise<TlsCost> {
  const [hub, devices] = [await makeCa('hub'), await makeCa('device')]
  const leaf = await issueLeaf(hub)
  const device = await issueLeaf(devices, { purposes: [CLIENT_AUTH] })
  const ca = await caPem(devices)
  const server = createServer(
    {
      key: leaf.keys.pem,
      cert: leaf.pem,
      ca,
      requestCert: true,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [ALPN],
    },
    (socket) => void socket.on('error', () => socket.destroy()).pipe(socket),
  )
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { port: number }
  const blobs = {
    pins: hub.keys.raw,
    alpn: Buffer.from(ALPN),
    seed: device.keys.seed,
    certificate: device.der,
  }
  const open = `open 127.0.0.1 ${port}`
  try {
    const full = await runDevice([open, 'echo hello'], blobs)
    const again = await runDevice([open, 'echo hello', 'save', 'close', `${open} ticket`], blobs)
    const signing = await runDevice(['seal', 'verify'], blobs)
    const resumed = again.find((line) => line.includes('resumed=1'))
    if (!resumed) throw new Error('the device did not resume')
    const elf = programPath('qemu', 'tls-check')
    const own = programSize('tls-check').static - symbols(elf, /^(identity|answer|line|ticket|config)$/)
    const [arenaPeak, stackPeak] = [numberIn(full, 'arena_peak'), numberIn(full, 'stack_peak')]
    return {
      arenaPeak,
      arenaPeakResumed: numberIn(again, 'arena_peak'),
      stackPeak,
      dramPeak: own + arenaPeak + stackPeak,
      textOfTls: sections(elf)['.text']! - symbols(elf, /^app_main$/),
      handshake: numberIn(full, 'instructions'),
      resumed: numberIn([resumed], 'instructions'),
      seal: numberIn(
        signing.filter((line) => line.startsWith('seal')),
        'instructions',
      ),
      open: numberIn(
        signing.filter((line) => line.startsWith('verify')),
        'instructions',
      ),
    }
  } finally {
    server.close()
  }
}

function appSize(size: ProgramSize, cost: AppCost): AppSize {
  const dram = size.static + cost.stackPeak + Math.max(cost.arenaPeak, cost.arenaPeakRefused)
  return { ...size, ...cost, dram, left: DRAM_BYTES - dram }
}

/** Every program's sizes; `apps` are lived with besides. */
export async function measureFirmware(programs: readonly string[], apps: readonly string[]): Promise<Sizes> {
  buildFirmware('qemu', programs)
  const sizes = new Map(programs.map((program) => [program, programSize(program)]))
  const costs = await measureApps(apps)
  return {
    programs: Object.fromEntries(sizes),
    apps: Object.fromEntries(apps.map((app) => [app, appSize(sizes.get(app)!, costs[app]!)])),
    tls: await measureTls(),
    grants: await measureGrants(),
  }
}

type Row = readonly [name: string, ...cells: (number | string)[]]

function printTable(head: Row, rows: readonly Row[]): void {
  for (const [name, ...cells] of [head, ...rows]) {
    console.log(name.padEnd(15) + cells.map((cell) => String(cell).padStart(20)).join(''))
  }
  console.log()
}

/** Instructions, and what they take at 80 and at 160 MHz if each took one cycle. */
function work(count: number): string {
  return `${count} (${Math.round(count / 80_000)}/${Math.round(count / 160_000)})`
}

export function printSizes(sizes: Sizes, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(sizes))
    return
  }
  const { programs, tls, grants } = sizes
  const apps = Object.entries(sizes.apps)
  console.log(`bytes, of ${DRAM_BYTES} B of DRAM; the arena's peak also with a ticket that the hub refuses`)
  printTable(
    ['app', 'flash', 'static', 'stack peak', 'heap peak', 'refused ticket', 'DRAM', 'left'],
    apps.map(([name, app]) => [
      name,
      ...[app.flash, app.static, app.stackPeak, app.arenaPeak, app.arenaPeakRefused, app.dram, app.left],
    ]),
  )
  console.log('instructions (estimated ms at 80/160 MHz, one cycle each: real chips are slower)')
  printTable(
    ['app', 'handshake', 'resumed', 'seal', 'open'],
    [...apps, ['TLS alone', tls] as const].map(([name, cost]) => [
      name,
      ...[cost.handshake, cost.resumed, cost.seal, cost.open].map(work),
    ]),
  )
  console.log(
    `grants, a chain of three links: ${work(grants.chain)}; seen before: ${work(grants.chainSeen)};`,
  )
  console.log(`a command by the last of them: ${work(grants.command)}\n`)
  console.log(
    'bytes on the wire, sent/received, connection by connection, with one order or reading in each session',
  )
  printTable(
    ['app', 'enrolment', 'session', 'resumed'],
    apps.map(([name, { wire }]) => [
      name,
      ...[wire.enrolment, wire.session, wire.resumed].map((one) => `${one.sent}/${one.received}`),
    ]),
  )
  console.log(`TLS alone: DRAM at peak ${tls.dramPeak} B (arena ${tls.arenaPeak}, stack ${tls.stackPeak}),`)
  console.log(
    `flash ${tls.textOfTls} B; arena ${tls.arenaPeakResumed} B over a connection and its resumption\n`,
  )
  const checks = Object.entries(programs).filter(([name]) => sizes.apps[name] === undefined)
  printTable(
    ['for tests', 'flash', 'static', 'arena'],
    checks.map(([name, size]) => [name, size.flash, size.static, size.arena]),
  )
}
