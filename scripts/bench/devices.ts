// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Devices in a process of their own: connected, idle, answering commands, and sending readings when asked to.
 * In: its argument, a `DevicesArgument`; then messages, each answered by one.
 */
import type { ConnectionOptions } from 'node:tls'
import { systemClock } from '../../daemon/base/clock.ts'
import { nativeEd25519, type Sample } from '../../daemon/core/envelope/index.ts'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { ALPN_LINK, TYPE_COMMAND } from '../../schemas/gen/ts/wire.ts'
import { type DeviceSession, deviceKeys, dial, type Hub, openSession, type Wire } from '../device/index.ts'
import type { KnownDevice } from './home.ts'
import { readArgument } from './process.ts'

export interface DevicesArgument {
  readonly host: string
  readonly port: number
  readonly homeId: PartyId
  readonly hubCas: readonly string[]
  readonly devices: readonly KnownDevice[]
  /** Opens TLS and says nothing: for a server that is no hub. */
  readonly mute?: boolean
}

export type Question =
  | { readonly connect: number }
  | { readonly prepare: number }
  | { readonly flood: true }
  /** The first device sends one reading of this level. */
  | { readonly read: number }

const KEEP_ALIVE_MS = 10_000
const AT_ONCE = 8
/** Below the hub's address limit of 256 each. */
const PER_ADDRESS = 200
/** Sent and not yet noted as stored: what a small device keeps. */
const UNSTORED_MAX = 16

const argument = await readArgument<DevicesArgument>()
const ed25519 = nativeEd25519()
const hub: Hub = {
  host: argument.host,
  port: argument.port,
  homeId: argument.homeId,
  hubCaKeys: argument.hubCas.map((key) => Uint8Array.fromHex(key)),
}
const sessions: DeviceSession[] = []
const wires: Wire[] = []

async function connectOne(number: number): Promise<void> {
  const known = argument.devices[number]!
  const keys = deviceKeys(ed25519, Uint8Array.fromHex(known.seed))
  const certificate = Uint8Array.fromHex(known.certificate)
  const tls: ConnectionOptions & { localAddress: string } = {
    localAddress: `127.0.0.${2 + Math.floor(number / PER_ADDRESS)}`,
  }
  if (argument.mute) {
    wires.push(await dial(hub, keys, ALPN_LINK, certificate, tls))
    return
  }
  const session = await openSession(hub, keys, certificate, { tls })
  session.onEnvelope = (frame) => answer(session, frame)
  sessions.push(session)
  wires.push(session.wire)
}

/** Does what it is told and seals a receipt, as the firmware does. */
function answer(session: DeviceSession, frame: Uint8Array): void {
  if (!isCommand(frame)) return
  session.got(frame)
  const { body } = session.openCommand(frame)
  const values = body.value === undefined ? [] : [sampleOf(body.affordance, body.value)]
  session.receipt(frame, 0, values)
}

/** Owners' papers come by the same way; only commands name their type so. */
function isCommand(frame: Uint8Array): boolean {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.length).includes(TYPE_COMMAND)
}

function sampleOf(affordance: number, value: number | boolean): Sample {
  return { affordance, at: systemClock.now(), value }
}

async function connect(count: number): Promise<void> {
  const from = wires.length
  let next = from
  const worker = async (): Promise<void> => {
    while (next < from + count) await connectOne(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Readings sealed ahead, so that sealing them takes nothing from the machine while the hub is measured. */
let prepared: Uint8Array[][] = []
let sent: number[] = []

function prepare(perDevice: number): number {
  prepared = sessions.map((session) => {
    const seal = (n: number) => session.sealReading([sampleOf(1, n % 2 === 0), sampleOf(2, n % 100)])
    return Array.from({ length: perDevice }, (_, n) => seal(n))
  })
  sent = sessions.map(() => 0)
  return prepared[0]![0]!.length
}

/** Sends what was prepared, a reading of each device in turn, as far as the hub keeps up; resolves when all are stored. */
async function flood(): Promise<number> {
  const before = sessions.map((session) => session.sequence - prepared[0]!.length)
  const all = prepared.length * prepared[0]!.length
  let open = prepared.length
  while (open > 0) {
    open = 0
    for (const [number, session] of sessions.entries()) {
      const stored = Math.max(0, session.storedUpTo - before[number]! + 1)
      if (stored < prepared[0]!.length) open++
      if (sent[number]! === prepared[0]!.length || sent[number]! - stored >= UNSTORED_MAX) continue
      session.wire.send(prepared[number]![sent[number]!++]!)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  return all
}

process.on('message', async (question: Question) => {
  if ('connect' in question) {
    await connect(question.connect)
    process.send!({ connected: wires.length })
  } else if ('read' in question) {
    const [session] = sessions
    const frame = session!.sealReading([sampleOf(2, question.read)])
    const at = performance.timeOrigin + performance.now()
    session!.wire.send(frame)
    process.send!({ at })
  } else if ('prepare' in question) process.send!({ frameBytes: prepare(question.prepare) })
  else process.send!({ stored: await flood() })
})
setInterval(() => {
  for (const wire of wires) wire.keepAlive()
}, KEEP_ALIVE_MS)
process.send!({ ready: true })
