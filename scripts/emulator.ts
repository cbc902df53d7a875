// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Runs one firmware program under the emulator and lends it what no simcall can do: TCP connections, atomic writes,
 * the chips of its buses (scripts/twins), the order to end; and on the host, where it needs the chips alone. firmware/port/qemu/qemu.c is the other side and describes the frames.
 *
 * In: an ELF for the ESP8266's or the ESP32-C3's instruction set and the device's own directory. Out: a child process whose standard
 * input and output are the device's console. The flash check is always on: status 191 is an offence against the chip.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { systemClock } from '../daemon/base/clock.ts'
import type { EmulatedDoor } from './emulator-door.ts'
import { openBoard } from './twins/index.ts'

export const OFFENCE_STATUS = 191

const FRAME = {
  open: 1,
  data: 2,
  close: 3,
  store: 4,
  remove: 5,
  done: 6,
  end: 7,
  bus: 8,
  ask: 9,
  door: 10,
  awake: 15,
  mark: 16,
} as const
const HEADER_BYTES = 4
const PAYLOAD_BYTES_MAX = 4096
/** A peer that takes this much less than the device sends is cut off. */
const BACKLOG_BYTES_MAX = 262_144
const BLOB_NAME = /^[a-z0-9-]{1,24}$/

export type EmulatorOptions = {
  elf: string
  flashcheck: string
  /** The device's directory, mode 0700, with world/ in it. */
  directory: string
  /** Makes instruction counts readable inside; emulated time then no longer follows real time. */
  countInstructions?: boolean
  /** Functions by name and address: what each call of them costs is told on standard error. */
  spans?: Readonly<Record<string, number>>
  /** The end of the DRAM that the program was linked for, if that is more than its chip’s part. */
  dramEnd?: number
  /** Where others may come to; without it nobody can, whatever was built in. */
  door?: EmulatedDoor
}

/** What one connection carried, in bytes of TCP payload, handshake included. */
export type Wire = { sent: number; received: number }

export type Emulator = {
  /** The emulator's process. */
  child: ChildProcess
  /** One entry per connection that was opened, in order. */
  wires: readonly Wire[]
  /** Asks the device to stop, so that it and the flash check report. */
  end(): void
  /** Has the device tell what memory it needed since its start or the last mark. */
  mark(): void
  /** Ends the connection as a lost network does: the device's side is not asked. */
  cut(): void
}

type Frame = { kind: number; connection: number; payload: Buffer }

function frame(kind: number, connection: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = kind
  header[1] = connection
  header.writeUInt16LE(payload.length, 2)
  return Buffer.concat([header, payload])
}

/** Calls back once per whole frame, however the bytes arrive. */
function onFrames(stream: Duplex, handle: (frame: Frame) => void): void {
  let held = Buffer.alloc(0)
  stream.on('data', (piece: Buffer) => {
    held = Buffer.concat([held, piece])
    while (held.length >= HEADER_BYTES && held.length >= HEADER_BYTES + held.readUInt16LE(2)) {
      const end = HEADER_BYTES + held.readUInt16LE(2)
      handle({ kind: held[0]!, connection: held[1]!, payload: held.subarray(HEADER_BYTES, end) })
      held = held.subarray(end)
    }
  })
  stream.on('error', () => stream.destroy())
}

/** Carries the device's one TCP connection; the answer ends it. */
function relayNetwork(network: Duplex, wires: Wire[]): () => void {
  let current: { socket: Socket; connection: number; wire: Wire } | undefined

  function open({ connection, payload }: Frame): void {
    current?.socket.destroy()
    const socket = connect({
      port: payload.readUInt16LE(0),
      host: payload.toString('latin1', 2),
      noDelay: true,
    })
    const wire = { sent: 0, received: 0 }
    current = { socket, connection, wire }
    socket.on('connect', () => {
      wires.push(wire)
      network.write(frame(FRAME.done, connection))
    })
    socket.on('data', (data: Buffer) => {
      wire.received += data.length
      let roomy = true
      for (let at = 0; at < data.length; at += PAYLOAD_BYTES_MAX) {
        roomy = network.write(frame(FRAME.data, connection, data.subarray(at, at + PAYLOAD_BYTES_MAX)))
      }
      if (roomy) return
      socket.pause()
      network.once('drain', () => socket.resume())
    })
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    socket.on('close', () => network.writable && network.write(frame(FRAME.close, connection)))
  }

  onFrames(network, (one) => {
    if (one.kind === FRAME.open) return open(one)
    if (current?.connection !== one.connection) return
    if (one.kind === FRAME.close) return current.socket.destroySoon()
    current.wire.sent += one.payload.length
    current.socket.write(one.payload)
    if (current.socket.writableLength > BACKLOG_BYTES_MAX) current.socket.destroy()
  })
  network.on('close', () => current?.socket.destroy())
  return () => void current?.socket.destroy()
}

/** Beside the old file, made safe, then renamed over it: after a power cut there is one or the other. */
function store(directory: string, name: string, data: Buffer): void {
  const fresh = join(directory, `${name}.new`)
  const file = openSync(fresh, 'w', 0o600)
  try {
    writeSync(file, data)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(fresh, join(directory, name))
}

function changeBlob(directory: string, { kind, payload }: Frame): boolean {
  const end = payload.indexOf(0)
  const name = payload.toString('latin1', 0, end)
  if (end < 0 || !BLOB_NAME.test(name)) return false
  try {
    if (kind === FRAME.store) store(directory, name, payload.subarray(end + 1))
    else rmSync(join(directory, name), { force: true })
    return true
  } catch {
    return false // the device is told, and says so with its own code
  }
}

const NOTHING = Buffer.alloc(0)
const MDNS = '224.0.0.251:5353'

/** Asks the LAN, or whom SHALLOT_MDNS names; the first answer, or nothing in time. */
function askLan(payload: Buffer): Promise<Buffer | undefined> {
  const [address, port] = (process.env.SHALLOT_MDNS ?? MDNS).split(':') as [string, string]
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  const socket = createSocket('udp4', (answer) => resolve(answer))
  const timer = setTimeout(() => resolve(undefined), payload.readUInt16LE(0))
  socket.on('error', () => resolve(undefined))
  socket.send(payload.subarray(2), Number(port), address, (error) => error && resolve(undefined))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.close()
  })
}

function busOf(directory: string): (question: Frame) => Buffer {
  const board = openBoard(directory, () => systemClock.monotonic())
  return ({ payload }) => {
    const answer = board(payload)
    return answer ? frame(FRAME.done, 0, answer) : frame(FRAME.close, 0)
  }
}

const doorFrame = (answer: Buffer | undefined): Buffer =>
  frame(answer ? FRAME.done : FRAME.close, 0, answer ?? NOTHING)

/** Runs one firmware program as a process of this machine, with its chips. SIGTERM ends it. */
export function startOnHost(
  program: string,
  directory: string,
  stdin: 'pipe' | 'inherit' = 'pipe',
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const output = stdin === 'pipe' ? 'pipe' : 'inherit'
  const child = spawn(program, [directory], {
    env: { ...process.env, ...environment, SHALLOT_RUNNER: '3' },
    stdio: [stdin, output, output, 'pipe'],
  })
  const bus = child.stdio[3] as unknown as Duplex
  const answerBus = busOf(directory)
  onFrames(bus, (one) => void (one.kind === FRAME.bus && bus.writable && bus.write(answerBus(one))))
  return child
}

/**
 * The boot loader, in the device's directory: as firmware/port/host/slots.c, for files of the emulator. `running` says what
 * was booted: the slot, and 1 when it is for once. Status 75 is a restart.
 */
const BOOT_LOADER = `
elf=$1; shift
while :; do
  boot=$(cat boot 2>/dev/null || echo 0-)
  slot=\${boot%?} trial=0
  case $boot in
    ?t) printf '%s-' "$slot" >boot.new; mv boot.new boot; slot=$((1 - slot)); trial=1;;
  esac
  kernel=$elf
  [ -f "slot-$slot" ] && kernel=slot-$slot
  printf '%s%s' "$slot" "$trial" >running
  "$@" -kernel "$kernel"
  status=$?
  [ $status = 75 ] || exit $status
done`

/** Of the loader and what it has started: a signal to the loader alone would leave the emulator behind. */
function killTogether(child: ChildProcess): void {
  child.kill = (signal = 'SIGTERM') => {
    try {
      return child.pid !== undefined && process.kill(-child.pid, signal)
    } catch {
      return false // they have ended
    }
  }
}

/** ELF's numbers for what a program is built for, and the emulator that runs it. */
const MACHINE_AT = 18
const XTENSA = 94
const RISCV = 243

function machineOf(elf: string): number {
  const head = Buffer.alloc(MACHINE_AT + 2)
  const file = openSync(elf, 'r')
  readSync(file, head)
  closeSync(file)
  return head.readUInt16LE(MACHINE_AT)
}

/** A serial line does not tell that its other end is gone: the kernel ends loader and emulator with us. */
const BOUND = ['setpriv', '--pdeathsig', 'KILL']

/** Descriptors 3 and 4 are network and control. */
function commandFor(elf: string): string[] {
  const machine = machineOf(elf)
  if (machine === XTENSA) return ['qemu-system-xtensa', '-M', 'sim', '-cpu', 'lx106', '-serial', 'none']
  if (machine !== RISCV) throw new Error(`${elf} is for machine ${machine}, which nothing here runs`)
  const lines = ['-serial', 'chardev:console', '-chardev', 'stdio,id=console,signal=off']
  const streams = ['-chardev', 'socket,id=network,fd=3', '-chardev', 'socket,id=control,fd=4']
  const card = ['-device', 'pci-serial-2x,addr=1,chardev1=network,chardev2=control']
  return [
    ...BOUND,
    ...['qemu-system-riscv32', '-M', 'virt', '-bios', 'none', '-m', '8M'],
    ...lines,
    ...streams,
    ...card,
  ]
}

export function startEmulator(options: EmulatorOptions): Emulator {
  const { elf, flashcheck, directory } = options
  const more = options.dramEnd === undefined ? [] : [`dram_end=${options.dramEnd}`]
  const plugin = [
    flashcheck,
    ...more,
    ...Object.entries(options.spans ?? {}).map(([name, at]) => `${name}=${at}`),
  ]
  const child = spawn(
    'setpriv',
    [
      [...BOUND, 'sh', '-c', BOOT_LOADER, 'boot-loader', elf],
      [...commandFor(elf), '-display', 'none', '-monitor', 'none'],
      ['-semihosting-config', 'enable=on,target=native', '-plugin', plugin.join(',')],
      options.countInstructions ? ['-icount', 'shift=5'] : [],
    ].flat(),
    { cwd: directory, detached: true, stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] },
  )
  killTogether(child)
  const network = child.stdio[3] as unknown as Duplex
  const control = child.stdio[4] as unknown as Duplex
  const wires: Wire[] = []
  const cut = relayNetwork(network, wires)
  const answerBus = busOf(directory)
  // What came before its streams were set up would be lost.
  const awake = Promise.withResolvers<void>()
  child.stdin!.cork()
  void awake.promise.then(() => child.stdin!.uncork())
  onFrames(control, (one) => {
    if (one.kind === FRAME.awake) return awake.resolve()
    if (one.kind === FRAME.bus) return void control.write(answerBus(one))
    if (one.kind === FRAME.door) return void control.write(doorFrame(options.door?.answer(one.payload)))
    if (one.kind === FRAME.ask)
      return void askLan(one.payload).then(
        (answer) =>
          control.writable && control.write(frame(answer ? FRAME.done : FRAME.close, 0, answer ?? NOTHING)),
      )
    control.write(frame(changeBlob(directory, one) ? FRAME.done : FRAME.close, 0))
  })
  const order = (kind: number) => () =>
    void awake.promise.then(() => control.writable && control.write(frame(kind, 0)))
  return { child, wires, cut, end: order(FRAME.end), mark: order(FRAME.mark) }
}
