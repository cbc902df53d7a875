// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Runs one firmware program under the emulator and lends it what no simcall can do: TCP connections, atomic writes,
 * the chips of its buses (scripts/twins), the order to end; and on the host, where it needs the chips alone. firmware/port/qemu/qemu.c is the other side and describes the frames.
 *
 * In: an ELF for the ESP8266's instruction set and the device's own directory. Out: a child process whose standard
 * input and output are the device's console. The flash check is always on: status 191 is an offence against the chip.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { systemClock } from '../daemon/base/clock.ts'
import { openBoard } from './twins/index.ts'

export const OFFENCE_STATUS = 191

const FRAME = { open: 1, data: 2, close: 3, store: 4, remove: 5, done: 6, end: 7, bus: 8, ask: 9 } as const
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

export function startEmulator(options: EmulatorOptions): Emulator {
  const { elf, flashcheck, directory } = options
  const plugin = [flashcheck, ...Object.entries(options.spans ?? {}).map(([name, at]) => `${name}=${at}`)]
  const child = spawn(
    'qemu-system-xtensa',
    [
      ['-M', 'sim', '-cpu', 'lx106', '-display', 'none', '-monitor', 'none', '-serial', 'none'],
      ['-semihosting-config', 'enable=on,target=native', '-plugin', plugin.join(',')],
      options.countInstructions ? ['-icount', 'shift=5'] : [],
      ['-kernel', elf],
    ].flat(),
    { cwd: directory, stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] },
  )
  const network = child.stdio[3] as unknown as Duplex
  const control = child.stdio[4] as unknown as Duplex
  const wires: Wire[] = []
  const cut = relayNetwork(network, wires)
  const answerBus = busOf(directory)
  onFrames(control, (one) => {
    if (one.kind === FRAME.bus) return void control.write(answerBus(one))
    if (one.kind === FRAME.ask)
      return void askLan(one.payload).then(
        (answer) =>
          control.writable && control.write(frame(answer ? FRAME.done : FRAME.close, 0, answer ?? NOTHING)),
      )
    control.write(frame(changeBlob(directory, one) ? FRAME.done : FRAME.close, 0))
  })
  return { child, wires, cut, end: () => void (control.writable && control.write(frame(FRAME.end, 0))) }
}
