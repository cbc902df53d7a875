// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadOwner } from '../../daemon/config/keyring.ts'
import { nativeEd25519, type Receipt } from '../../daemon/core/envelope/index.ts'
import { readEnrolCode } from '../../daemon/core/identity/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import {
  type DeviceKeys,
  type DeviceSession,
  deviceKeys,
  enrolDevice,
  type Hub,
  type Kind,
  openSession,
} from '../../scripts/device/index.ts'
import { LiveHome } from '../support/home.ts'
import { begin } from '../support/http-home.ts'
import { Sealer, sha256 } from '../support/request.ts'

const KILLS = 50
const LAMPS = 3
const CLIENTS = 2
/** Kills at any moment of the start, before the daemon may have said a word. */
const IS_EARLY = (round: number) => round % 5 === 4
const KIND: Kind = { board: 'test', firmware: '0.1.0', affordances: [1, 2, 3] }
const [LEVEL, TEMPERATURE] = [2, 3]
const UNSTORED_MAX = 40
const READING_MS = 10

interface Kept {
  readonly sequence: number
  readonly frame: Uint8Array
  readonly values: readonly number[]
  readonly answers?: string
}

/** A device that streams readings, obeys commands, and keeps what it sealed until that is stored (SPEC 6.4). */
class Lamp {
  readonly name: string
  readonly hub: Hub
  readonly keys: DeviceKeys
  readonly epoch = Uint8Array.from(crypto.getRandomValues(new Uint8Array(8)))
  readonly sealed: number[] = []
  readonly stored = new Set<number>()
  readonly storedReceipts = new Set<string>()
  readonly received = new Set<string>()
  readonly #certificate: Uint8Array
  #outbox: Kept[] = []
  #next = 0
  streaming = true

  constructor(name: string, hub: Hub, keys: DeviceKeys, certificate: Uint8Array) {
    this.name = name
    this.hub = hub
    this.keys = keys
    this.#certificate = certificate
  }

  get waiting(): number {
    return this.#outbox.length
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const session = await this.#connect().catch(() => undefined)
      if (session) await this.#talk(session, stop)
      else await sleep(20)
    }
  }

  #connect(): Promise<DeviceSession> {
    const sequence = this.#next++
    return openSession(this.hub, this.keys, this.#certificate, { kind: KIND, epoch: this.epoch, sequence })
  }

  async #talk(session: DeviceSession, stop: AbortSignal): Promise<void> {
    session.wire.onStored = (_epoch, sequence) => this.#noted(sequence)
    session.onEnvelope = (frame) => this.#obey(session, frame)
    for (const { frame } of this.#outbox) session.wire.send(frame)
    const stream = setInterval(() => this.#measure(session), READING_MS)
    await Promise.race([
      session.closed,
      new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true })),
    ])
    clearInterval(stream)
    session.vanish()
  }

  #measure(session: DeviceSession): void {
    if (!this.streaming || this.#outbox.length >= UNSTORED_MAX) return
    const values = [this.sealed.length, this.sealed.length + 1]
    this.sealed.push(...values)
    const at = Date.now()
    const samples = values.map((value) => ({ affordance: TEMPERATURE, at: at + (value % 2), value }))
    this.#keep(session, { frame: session.sealReading(samples), values })
  }

  #obey(session: DeviceSession, frame: Uint8Array): void {
    const digest = sha256(frame).toHex()
    try {
      session.openCommand(frame)
    } catch {
      return
    }
    session.got(frame)
    if (this.received.has(digest)) return
    this.received.add(digest)
    const body = { type: 'receipt', command: sha256(frame), code: 0, values: [] } as const
    this.#keep(session, { frame: session.seal<Receipt>(body), values: [], answers: digest })
  }

  #keep(session: DeviceSession, kept: Omit<Kept, 'sequence'>): void {
    this.#outbox.push({ ...kept, sequence: this.#next++ })
    session.wire.send(kept.frame)
  }

  #noted(upTo: number): void {
    const stored = this.#outbox.filter(({ sequence }) => sequence <= upTo)
    this.#outbox = this.#outbox.slice(stored.length)
    for (const { values, answers } of stored) {
      for (const value of values) this.stored.add(value)
      if (answers) this.storedReceipts.add(answers)
    }
  }
}

/** Sends commands one after another, and remembers what it was told of each. */
class Client {
  readonly atHub = new Set<string>()
  readonly receipts = new Map<string, string>()
  readonly #socketPath: string
  readonly #sealer: Sealer

  constructor(home: LiveHome) {
    const { owner, home: id } = loadOwner(home.owner)
    this.#socketPath = `${home.data}/api.sock`
    this.#sealer = new Sealer(owner, id)
  }

  async run(lamps: readonly Lamp[], stop: AbortSignal): Promise<void> {
    for (let turn = 0; !stop.aborted; turn++) {
      await this.#command(lamps[turn % lamps.length]!, turn % 101).catch(() => {})
      await sleep(5)
    }
  }

  async #command({ keys, epoch }: Lamp, value: number): Promise<void> {
    const frame = this.#sealer.command({
      device: keys.id,
      nonce: epoch,
      affordance: LEVEL,
      value,
      lifetimeS: 4,
    })
    const digest = sha256(frame).toHex()
    const path = `/things/${keys.id}/properties/level`
    const headers = { 'content-type': 'application/cose', accept: 'application/x-ndjson' }
    const { answer } = await begin({
      socketPath: this.#socketPath,
      method: 'PUT',
      path,
      body: frame,
      headers,
      as: this.#sealer,
    })
    let text = ''
    for await (const part of answer.setEncoding('utf8')) {
      text += part
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const said = JSON.parse(text.slice(0, end))
        text = text.slice(end + 1)
        if (said.stage === 'at-hub') this.atHub.add(digest)
        if (said.stage === 'done') this.receipts.set(digest, said.receipt)
      }
    }
  }
}

async function enrol(home: LiveHome, name: string): Promise<Lamp> {
  const { code } = await home.done(['enrol', name, '--no-wait'])
  const read = readEnrolCode(code as string)
  assert(read.ok)
  const { host, port, root, hubCas, secret } = read.value
  const hub = { host, port, homeId: idOf(root), hubCaKeys: hubCas }
  const keys = deviceKeys(nativeEd25519())
  const { certificate } = await enrolDevice(hub, keys, secret.reveal(), KIND)
  await home.done(['enrol', '--confirm', name])
  return new Lamp(name, hub, keys, certificate)
}

interface LoggedEntry {
  readonly index: number
  readonly kind: string
  readonly device?: string
  readonly command?: string
  readonly frame?: string
}

async function wholeLog(home: LiveHome): Promise<readonly LoggedEntry[]> {
  const pages: LoggedEntry[][] = []
  await using stack = new AsyncDisposableStack()
  const { api } = await home.api(stack)
  for (let before: number | undefined; before !== 1; before = pages[0]![0]!.index) {
    const { entries } = (await api.get(`/log?limit=1000${before ? `&before=${before}` : ''}`)) as {
      entries: LoggedEntry[]
    }
    if (entries.length === 0) break
    pages.unshift(entries)
  }
  return pages.flat()
}

const hexOf = (text: string) => Buffer.from(text, 'base64url').toString('hex')

/** Each key once, or the test fails. */
function once(keys: readonly string[], what: string): ReadonlySet<string> {
  const seen = new Set(keys)
  assert.equal(seen.size, keys.length, `${keys.length - seen.size} ${what} are there twice`)
  return seen
}

test(`what the daemon acknowledged survives ${KILLS} kills, and nothing is there twice`, {
  timeout: 240_000,
}, async (t) => {
  await using home = new LiveHome()
  await home.found()
  await home.start()
  const lamps: Lamp[] = []
  for (let number = 0; number < LAMPS; number++) lamps.push(await enrol(home, `lamp-${number}`))
  const clients = Array.from({ length: CLIENTS }, () => new Client(home))
  const [stopLamps, stopClients] = [new AbortController(), new AbortController()]
  const lampsEnd = Promise.all(lamps.map((lamp) => lamp.run(stopLamps.signal)))
  const clientsEnd = Promise.all(clients.map((client) => client.run(lamps, stopClients.signal)))

  let kills = 0
  for (let round = 0; round < KILLS; round++) {
    if (!IS_EARLY(round)) await home.ready()
    await sleep(Math.random() * (IS_EARLY(round) ? 700 : 500))
    await home.kill()
    kills++
    home.launch()
  }
  await home.ready()
  stopClients.abort()
  await clientsEnd
  for (const lamp of lamps) lamp.streaming = false
  for (let wait = 0; wait < 1200 && lamps.some((lamp) => lamp.waiting > 0); wait++) await sleep(50)
  for (const lamp of lamps) assert.equal(lamp.waiting, 0, `${lamp.name} could not hand in all it kept`)
  stopLamps.abort()
  await lampsEnd

  assert.equal(kills, KILLS)
  const verified = await home.done(['log', 'verify'])
  const log = await wholeLog(home)
  assert.equal(log.length, verified.entries)
  const commands = once(
    log.flatMap(({ kind, command }) => (kind === 'command' ? [hexOf(command!)] : [])),
    'commands',
  )
  const answered = log.filter(({ kind }) => kind === 'receipt')
  once(
    answered.map(({ command }) => command!),
    'receipts',
  )
  const receipts = new Map(answered.map(({ command, frame }) => [hexOf(command!), frame!]))
  for (const { atHub, receipts: shown } of clients) {
    for (const digest of atHub) assert(commands.has(digest), `a command that was at the hub is lost`)
    for (const [digest, frame] of shown)
      assert.equal(receipts.get(digest), frame, 'a receipt that was shown is lost')
  }
  for (const lamp of lamps) {
    for (const digest of lamp.received)
      assert(commands.has(digest), 'a command was delivered and not recorded')
    for (const digest of lamp.storedReceipts)
      assert(receipts.has(digest), 'a receipt that was stored is lost')
    const query = ['history', lamp.name, 'temperature', '--limit', '10000']
    const { samples } = (await home.done(query)) as { samples: { value: number }[] }
    const values = samples.map(({ value }) => String(Math.round(value * 100)))
    const kept = once(values, `samples of ${lamp.name}`)
    for (const value of lamp.stored) assert(kept.has(String(value)), `sample ${value} was stored and is lost`)
    assert.equal(kept.size, lamp.sealed.length)
  }

  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)
  const told = {
    kills,
    samples: sum(lamps.map(({ stored }) => stored.size)),
    commandsAtHub: sum(clients.map(({ atHub }) => atHub.size)),
    receiptsShown: sum(clients.map(({ receipts: shown }) => shown.size)),
    receiptsStored: sum(lamps.map(({ storedReceipts }) => storedReceipts.size)),
    entries: log.length,
  }
  // A test that killed only silence would prove nothing.
  assert(told.samples > KILLS * LAMPS, JSON.stringify(told))
  assert(told.commandsAtHub > KILLS && told.receiptsShown > KILLS, JSON.stringify(told))
  t.diagnostic(JSON.stringify(told))
})
