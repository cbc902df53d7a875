// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What the firmware costs on an ESP8266 and on an ESP32-C3, measured on their instruction sets under emulation: sizes from the ELF files,
 * the life of each app in a real home (firmware-apps.ts), TLS alone (firmware-tls.ts) and grants (firmware-grants.ts).
 * Milliseconds are instructions divided by the clock, one per cycle: estimates, real chips are slower.
 */
import { buildFirmware, EMULATED, type EmulatedPort } from './firmware.ts'
import { type AppCost, measureApps } from './firmware-apps.ts'
import { type DoorCost, measureDoor } from './firmware-door.ts'
import { type ProgramSize, programSize } from './firmware-elf.ts'
import { type GrantCost, measureGrants } from './firmware-grants.ts'
import { measureTls, type TlsCost } from './firmware-tls.ts'
import { boardsOf, readWirings } from './wiring/plan.ts'

/** dram: static data and the highest peaks of stack and heap; left: what there is beyond that. */
export type AppSize = ProgramSize &
  AppCost & {
    stackPeak: number
    updateStack: number
    updateHeap: number
    held: number
    dram: number
    left: number
  }

export type Sizes = {
  programs: Record<string, ProgramSize>
  apps: Record<string, AppSize>
  tls: TlsCost
  grants: GrantCost
  /** Of the chip that has one, or what it would cost the other. */
  door: DoorCost
}

/** What port/qemu's linker scripts hand out. */
const DRAM_BYTES: Record<EmulatedPort, number> = { qemu: 20 * 1024, rv32: 48 * 1024 }

/** What runs the same instructions. */
const CHIPS: Record<EmulatedPort, string> = { qemu: 'ESP8266 (lx106)', rv32: 'ESP32-C3 (rv32imac)' }

function appSize(port: EmulatedPort, size: ProgramSize, cost: AppCost): AppSize {
  const { handshake, steady, resumed, refused, update } = cost.memory
  // A stretch may end in the middle of a record; between two of them less is held. An update ends without a link.
  const held = Math.min(...[handshake, steady, resumed, refused].map((stretch) => stretch.held))
  const all = [handshake, steady, resumed, refused, update]
  const stackPeak = Math.max(...all.map((stretch) => stretch.stack))
  const dram = size.static + stackPeak + Math.max(...all.map((stretch) => stretch.heap))
  const inUpdate = { updateStack: update.stack, updateHeap: update.heap }
  return { ...size, ...cost, ...inUpdate, stackPeak, held, dram, left: DRAM_BYTES[port] - dram }
}

/** As firmware/Makefile has it: more memory than any of these chips have. */
const ON_LINUX: ReadonlySet<string> = new Set(['camera-check'])

/** An app whose boards have a camera is none for a chip that has no way to one. */
function runsOn(port: EmulatedPort): (program: string) => boolean {
  const wired = new Map(readWirings().map((wiring) => [wiring.app, boardsOf(wiring)]))
  return (program) =>
    !ON_LINUX.has(program) && (port !== 'qemu' || wired.get(program)?.includes('esp8266') !== false)
}

async function measurePort(
  port: EmulatedPort,
  all: readonly string[],
  allApps: readonly string[],
): Promise<Sizes> {
  const [programs, apps] = [all.filter(runsOn(port)), allApps.filter(runsOn(port))]
  buildFirmware(port, programs)
  const sizes = new Map(programs.map((program) => [program, programSize(port, program)]))
  const costs = await measureApps(port, apps)
  return {
    programs: Object.fromEntries(sizes),
    apps: Object.fromEntries(apps.map((app) => [app, appSize(port, sizes.get(app)!, costs[app]!)])),
    tls: await measureTls(port),
    grants: await measureGrants(port),
    door: await measureDoor(port === 'qemu' ? 'qemu-door' : port),
  }
}

/** Every program's sizes for each chip; `apps` are lived with besides. */
export async function measureFirmware(
  programs: readonly string[],
  apps: readonly string[],
): Promise<Record<EmulatedPort, Sizes>> {
  const measured: Partial<Record<EmulatedPort, Sizes>> = {}
  for (const port of EMULATED) measured[port] = await measurePort(port, programs, apps)
  return measured as Record<EmulatedPort, Sizes>
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

function printMemory(port: EmulatedPort, apps: readonly (readonly [string, AppSize])[]): void {
  console.log(
    `bytes, of ${DRAM_BYTES[port]} B of DRAM; static is what DRAM holds from the start, the heap's arena not counted`,
  )
  printTable(
    ['app', 'flash', 'static', 'DRAM at peak', 'left'],
    apps.map(([name, app]) => [name, app.flash, app.static, app.dram, app.left]),
  )
  console.log(
    'peaks of stack / heap in bytes: from enrolment to the first connection, in steady state with what stays held, when',
  )
  console.log(
    'resuming, in the full handshake after a ticket that the hub refuses, and while it takes another image',
  )
  printTable(
    ['app', 'handshake', 'steady', 'held', 'resuming', 'refused ticket', 'in update'],
    apps.map(([name, { memory, held }]) => {
      const peaks = (one: { stack: number; heap: number }) => `${one.stack}/${one.heap}`
      const { handshake, steady, resumed, refused, update } = memory
      return [name, peaks(handshake), peaks(steady), held, peaks(resumed), peaks(refused), peaks(update)]
    }),
  )
}

function printWork(apps: readonly (readonly [string, AppSize])[], { tls, grants }: Sizes): void {
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
}

function printWires(apps: readonly (readonly [string, AppSize])[]): void {
  console.log(
    'bytes on the wire, sent/received, connection by connection, with one order or reading in each session; an update of its own',
  )
  printTable(
    ['app', 'enrolment', 'session', 'resumed', 'update'],
    apps.map(([name, { wire }]) => [
      name,
      ...[wire.enrolment, wire.session, wire.resumed, wire.update].map(
        (one) => `${one.sent}/${one.received}`,
      ),
    ]),
  )
}

function printPort(port: EmulatedPort, sizes: Sizes): void {
  const apps = Object.entries(sizes.apps)
  const { tls } = sizes
  console.log(`==== ${CHIPS[port]} ====\n`)
  printMemory(port, apps)
  printWork(apps, sizes)
  printWires(apps)
  console.log(
    `TLS alone: DRAM at peak ${tls.dramPeak} B (heap ${tls.arenaPeak}, stack ${tls.stackPeak}), held when idle ${tls.held} B,`,
  )
  console.log(
    `flash ${tls.textOfTls} B; heap ${tls.arenaPeakResumed} B over a connection and its resumption\n`,
  )
  printDoor(port, sizes.door)
  const checks = Object.entries(sizes.programs).filter(([name]) => sizes.apps[name] === undefined)
  printTable(
    ['for tests', 'flash', 'static', 'arena'],
    checks.map(([name, size]) => [name, size.flash, size.static, size.arena]),
  )
}

function printDoor(port: EmulatedPort, door: DoorCost): void {
  const whose =
    port === 'qemu'
      ? 'a door to the LAN, which this chip does not have, would cost'
      : 'the door to the LAN costs'
  console.log(`${whose} DRAM ${door.dram} B at peak beside the link (${door.static} from the start),`)
  console.log(
    `a visitor ${work(door.handshake)} instructions, one who comes again ${work(door.resumed)}, its key ${work(door.key)}\n`,
  )
}

export function printSizes(sizes: Record<EmulatedPort, Sizes>, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(sizes))
    return
  }
  for (const port of EMULATED) printPort(port, sizes[port])
}
