// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What a door to the LAN costs beside the live link (SPEC 18, firmware/core/door.h): firmware/check/tls-check under emulation, connected to a
 * hub as in firmware-tls.ts, and Node's own client at its door, anew and resumed, a few times each; each sends a command that nobody sealed and
 * hears so. In: a port. Out: bytes and instructions. Throws when the firmware refuses or says too little.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { systemClock } from '../daemon/base/clock.ts'
import { toPem } from '../daemon/core/identity/certificates.ts'
import { webCaCertificate, webKey, webLeaf, webScalar } from '../daemon/core/identity/web-certificates.ts'
import { startEmulator } from './emulator.ts'
import { openEmulatedDoor } from './emulator-door.ts'
import { buildFirmware, type DoorPort, FLASHCHECK, programPath } from './firmware.ts'
import { symbols } from './firmware-elf.ts'
import { openPki } from './firmware-tls.ts'
import { adopt } from './home/children.ts'

const PROGRAM = 'tls-check'
/** As firmware/Makefile has the linker hand it out. */
const DRAM_END = { rv32: {}, 'qemu-door': { dramEnd: 0x3ffe8000 + 0xc000 } } as const
const STEP_MS_MAX = 60_000
const RESUMPTIONS = 3

/** Bytes and instructions. */
export type DoorCost = {
  /** What is held for it from the start: places for who comes, leaf and origins; without its block of memory. */
  static: number
  /** All of its DRAM at the most. */
  dram: number
  /** Of the door's own block of memory: the most, and what stays while nobody is there. */
  peak: number
  held: number
  /** Of the link's, beside it, and of the stack. */
  linkPeak: number
  stackPeak: number
  /** A key for it, once in a device's life. */
  key: number
  /** A handshake and a refused request, and the same resumed. */
  handshake: number
  resumed: number
}

const REQUEST = [
  'POST /command HTTP/1.1',
  'host: lamp.local',
  'content-type: application/cose',
  'content-length: 1',
  'connection: close',
  '',
  'x',
].join('\r\n')

interface Visit {
  readonly session: Buffer | undefined
  readonly said: string
}

/** An app with a door, and what in it is the door’s own. */
const APP = 'porch-light'
const OWN = /^(door|direct)$/

/** One visitor from the first byte to the last. */
async function visit(port: number, ca: string, session?: Buffer): Promise<Visit> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca,
    servername: 'lamp.local',
    ...(session && { session }),
  })
  let ticket: Buffer | undefined
  let said = ''
  socket.on('session', (given) => {
    ticket = given
  })
  socket.on('data', (piece: Buffer) => {
    said += piece
  })
  socket.write(REQUEST)
  await once(socket, 'end')
  socket.destroy()
  return { session: ticket, said }
}

export async function measureDoor(port: DoorPort): Promise<DoorCost> {
  await using stack = new AsyncDisposableStack()
  buildFirmware(port, [PROGRAM, APP])
  const { server, blobs } = openPki()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  stack.defer(() => void server.close())
  const directory = mkdtempSync(join(tmpdir(), 'shallot-door-'))
  stack.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))
  mkdirSync(join(directory, 'world'), { mode: 0o700 })
  const keep = (name: string, bytes: Uint8Array) =>
    writeFileSync(join(directory, name), bytes, { mode: 0o600 })
  for (const [name, bytes] of Object.entries(blobs)) keep(name, bytes)
  const door = stack.use(await openEmulatedDoor())
  const elf = programPath(port, PROGRAM)
  const emulator = startEmulator({
    elf,
    flashcheck: FLASHCHECK,
    directory,
    countInstructions: true,
    door,
    ...DRAM_END[port],
  })
  const child = stack.use(adopt(emulator.child, emulator.end))
  await child.line(/^ready/, STEP_MS_MAX)
  const ask = async (command: string): Promise<string> => {
    const verb = command.split(' ')[0]!
    const answers = () => child.lines.filter((line) => line.startsWith(`${verb} code=`))
    const before = answers().length
    emulator.child.stdin!.write(`${command}\n`)
    const deadline = systemClock.now() + STEP_MS_MAX
    while (answers().length === before) {
      if (systemClock.now() > deadline) throw new Error(`no answer to ${command}:\n${child.lines.join('\n')}`)
      await systemClock.sleep(5)
    }
    const answer = answers().at(-1)!
    if (!answer.startsWith(`${verb} code=0`)) throw new Error(`${command}: ${answer}`)
    return answer
  }
  const numberIn = (line: string, name: string): number => {
    const found = new RegExp(`\\b${name}=(\\d+)`).exec(line)
    if (!found) throw new Error(`no ${name} in ${line}`)
    return Number(found[1])
  }
  await ask(`open 127.0.0.1 ${(server.address() as { port: number }).port}`)
  const made = await ask('key')
  const ca = webKey(webScalar(randomBytes(48)))
  const point = Buffer.from(/point=([0-9a-f]+)/.exec(made)![1]!, 'hex')
  const { cert } = webLeaf(ca, { key: ca.key, point }, ['lamp.local'], randomBytes(16), systemClock.now())
  keep('leaf', Buffer.from(cert.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'))
  await ask('door')
  const serve = async (session?: Buffer) => {
    const [answer, seen] = await Promise.all([
      ask('serve'),
      visit(door.port, toPem('CERTIFICATE', webCaCertificate(ca)), session),
    ])
    if (!seen.said.startsWith('HTTP/1.1 401 ') || numberIn(answer, 'resumed') !== (session ? 1 : 0))
      throw new Error(`the door was not as expected: ${answer}\n${seen.said}`)
    return { instructions: numberIn(answer, 'instructions'), session: seen.session }
  }
  // What waits for serial lines on a busy machine counts too, and only adds: the least is nearest to the truth.
  const fulls = [await serve(), await serve()]
  const again = []
  for (let { session } = fulls[1]!; again.length < RESUMPTIONS; ) {
    again.push(await serve(session))
    session = again.at(-1)!.session ?? session
  }
  await ask('echo hello')
  emulator.end()
  const memory = await child.line(/^memory /, STEP_MS_MAX)
  const peak = numberIn(memory, 'door_peak')
  const own = symbols(port, APP, OWN)
  return {
    static: own,
    dram: own + peak,
    peak,
    held: numberIn(memory, 'door_live'),
    linkPeak: numberIn(memory, 'arena_peak'),
    stackPeak: numberIn(memory, 'stack_peak'),
    key: numberIn(made, 'instructions'),
    handshake: Math.min(...fulls.map(({ instructions }) => instructions)),
    resumed: Math.min(...again.map(({ instructions }) => instructions)),
  }
}
