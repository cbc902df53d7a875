// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What TLS alone costs: firmware/check/tls-check under emulation with a Node server like the daemon's link, and with certificates as the
 * daemon makes them. In: a port. Out: bytes and instructions. Throws when the firmware refuses or says too little.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { systemClock } from '../daemon/base/clock.ts'
import { systemRandom } from '../daemon/base/random.ts'
import { nativeEd25519, type Signer } from '../daemon/core/envelope/index.ts'
import {
  caCertificate,
  deviceLeaf,
  hubLeaf,
  privateKeyPem,
  toPem,
} from '../daemon/core/identity/certificates.ts'
import { startEmulator } from './emulator.ts'
import { type EmulatedPort, FLASHCHECK, programPath } from './firmware.ts'
import { programSize, sections, symbols } from './firmware-elf.ts'
import { adopt } from './home/children.ts'

const PROGRAM = 'tls-check'
const ALPN = 'shallot/1'
const STEP_MS_MAX = 60_000
/** What tls-check has for itself. */
const NOT_TLS = /^(identity|answer|line|ticket|config|door|lan)$/

/** Bytes and instructions. */
export type TlsCost = {
  arenaPeak: number
  /** What the library holds while the connection is idle. */
  held: number
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

type Answers = { lines: readonly string[]; number(name: string, line?: RegExp): number }

function answersIn(lines: readonly string[]): Answers {
  return {
    lines,
    number(name, line = /^/) {
      const found = lines
        .filter((each) => line.test(each))
        .map((each) => new RegExp(`\\b${name}=(\\d+)`).exec(each))
        .find((match) => match !== null)
      if (!found) throw new Error(`the firmware reported no ${name} in ${line}:\n${lines.join('\n')}`)
      return Number(found[1])
    },
  }
}

/** One run of tls-check: each command is answered before the next, the last memory line is that of an open connection. */
async function ask(
  port: EmulatedPort,
  commands: readonly string[],
  blobs: Record<string, Uint8Array>,
): Promise<Answers> {
  const directory = mkdtempSync(join(tmpdir(), 'shallot-size-'))
  mkdirSync(join(directory, 'world'), { mode: 0o700 })
  for (const [name, bytes] of Object.entries(blobs))
    writeFileSync(join(directory, name), bytes, { mode: 0o600 })
  const elf = programPath(port, PROGRAM)
  const emulator = startEmulator({ elf, flashcheck: FLASHCHECK, directory, countInstructions: true })
  try {
    await using child = adopt(emulator.child, emulator.end)
    await child.line(/^ready/, STEP_MS_MAX)
    for (const [index, command] of commands.entries()) {
      emulator.child.stdin!.write(`${command}\n`)
      await answered(child.lines, index + 1, command)
    }
    emulator.end()
    await child.line(/^memory /, STEP_MS_MAX)
    return answersIn(child.lines)
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** Waits for the count-th answer, which must be good. */
async function answered(lines: readonly string[], count: number, command: string): Promise<void> {
  const deadline = systemClock.now() + STEP_MS_MAX
  const answers = () => lines.filter((line) => /^\w+ code=/.test(line))
  while (answers().length < count) {
    if (systemClock.now() > deadline) throw new Error(`no answer to ${command}:\n${lines.join('\n')}`)
    await systemClock.sleep(5)
  }
  if (!/^\w+ code=0\b/.test(answers()[count - 1]!)) throw new Error(`${command}: ${answers()[count - 1]}`)
}

interface Pki {
  readonly server: Server
  readonly blobs: Record<string, Uint8Array>
}

function signer(): { seed: Uint8Array; signer: Signer } {
  const seed = systemRandom.bytes(32)
  return { seed, signer: nativeEd25519().signer(seed) }
}

/** A hub’s end of the link, and what a device needs to get in. */
export function openPki(): Pki {
  const [hubCa, deviceCa] = [signer().signer, signer().signer]
  const [hub, device] = [signer(), signer()]
  const server = createServer(
    {
      key: privateKeyPem(hub.seed),
      cert: toPem('CERTIFICATE', hubLeaf(hubCa, hub.signer.key, systemRandom.bytes(16))),
      ca: toPem('CERTIFICATE', caCertificate('device', deviceCa)),
      requestCert: true,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [ALPN],
    },
    (socket) => void socket.on('error', () => socket.destroy()).pipe(socket),
  )
  const certificate = deviceLeaf(deviceCa, device.signer.key, systemRandom.bytes(8), systemClock.now())
  return { server, blobs: { pins: hubCa.key, alpn: Buffer.from(ALPN), seed: device.seed, certificate } }
}

export async function measureTls(port: EmulatedPort): Promise<TlsCost> {
  const { server, blobs } = openPki()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const open = `open 127.0.0.1 ${(server.address() as { port: number }).port}`
  try {
    const full = await ask(port, [open, 'echo hello', 'save'], blobs)
    const again = await ask(port, [open, 'echo hello', 'save', 'close', `${open} ticket`], blobs)
    const signing = await ask(port, ['seal', 'verify'], blobs)
    const own = programSize(port, PROGRAM).static - symbols(port, PROGRAM, NOT_TLS)
    const [arenaPeak, stackPeak] = [full.number('arena_peak'), full.number('stack_peak')]
    return {
      arenaPeak,
      held: full.number('arena_live'),
      arenaPeakResumed: again.number('arena_peak'),
      stackPeak,
      dramPeak: own + arenaPeak + stackPeak,
      textOfTls: sections(port, PROGRAM)['.text']! - symbols(port, PROGRAM, /^app_main$/),
      handshake: full.number('instructions', /^open /),
      resumed: again.number('instructions', /resumed=1/),
      seal: signing.number('instructions', /^seal /),
      open: signing.number('instructions', /^verify /),
    }
  } finally {
    server.close()
  }
}
