// SPDX-License-Identifier: GPL-3.0-or-later
/** A home of real core objects behind a real HTTP API; only the device link and tor are played, and the database is in memory. */
import { mkdtemp, rm } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../daemon/base/clock.ts'
import { no } from '../../daemon/base/error.ts'
import { Log, type LogLine } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import {
  type Command,
  type DirectServer,
  type Message,
  nativeEd25519,
  openEnvelope,
  type Sample,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { Feed } from '../../daemon/core/feed.ts'
import { type Core, openCore } from '../../daemon/core/home.ts'
import {
  Charges,
  hereOf,
  MeshHome,
  type MeshRoom,
  openAdoption,
  othersOf,
  revocationsOf,
} from '../../daemon/core/mesh/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import type { Carrier, DeviceDesk } from '../../daemon/core/ports.ts'
import { openServices, type Publisher, type Services } from '../../daemon/core/services.ts'
import {
  type Face,
  type FaceOptions,
  type Http,
  type HttpHome,
  type HttpLimits,
  openHttp,
} from '../../daemon/edge/http/index.ts'
import { IN_MEMORY, openState } from '../../daemon/state/index.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { stillGenerations } from './generations.ts'
import { Sealer, sha256 } from './request.ts'

const ed25519 = nativeEd25519()

/** Other daemons cannot be reached from here. */
const noRoom: MeshRoom = {
  reach: () => {},
  leave: () => {},
  send: () => {},
  trouble: () => ({ code: 'unreachable', detail: 'there is no network in this test' }),
  rtt: () => undefined,
  said: () => undefined,
  ping: async () => [],
  ask: async () => {
    throw Object.assign(new Error('there is no network in this test'), { code: 'no-answer' })
  },
}

export function newSigner(): Signer {
  return ed25519.signer(systemRandom.bytes(32))
}

/** A device in memory that obeys: it opens each command and seals a true receipt. */
export class FakeDevice {
  readonly sealer: Sealer
  /** So many times it says of a command that it does not know its grant. */
  forgetful = 0
  nonce = systemRandom.bytes(8)
  /** What it does with a command that reaches it: answer with this code, or stay silent. */
  answers: number | 'nothing' = 0
  readonly got: Uint8Array[] = []
  /** Its own server, told with the next hello; what it was asked there, and the last good values. */
  server: DirectServer | undefined
  readonly asked: Uint8Array[] = []
  stands: readonly Sample[] = []
  /** What a command without a value changes. */
  changes: (frame: Uint8Array) => readonly Sample[] = () => []
  #sequence = 0
  readonly #desk: () => DeviceDesk

  constructor(home: PartyId, desk: () => DeviceDesk) {
    this.sealer = new Sealer(newSigner(), home)
    this.#desk = desk
  }

  get id(): PartyId {
    return this.sealer.id
  }

  seal<B extends { type: 'hello' | 'reading' | 'receipt' }>(body: B): Message<never> {
    const sealedAt = Math.floor(systemClock.now() / 1000)
    const whole = {
      audience: this.sealer.home,
      sealedAt,
      epoch: this.nonce,
      sequence: this.#sequence++,
      ...body,
    }
    const frame = sealEnvelope(whole as never, this.sealer.signer)
    const opened = openEnvelope(
      frame,
      { sizeMax: 1024, accepts: () => true, isAudience: () => true },
      ed25519,
    )
    if (!opened.ok) throw new Error(`the fake device sealed something wrong: ${opened.why}`)
    return opened.value as Message<never>
  }

  /** Born anew: another boot nonce, and a sequence from 0. */
  restart(): void {
    this.nonce = systemRandom.bytes(8)
    this.#sequence = 0
  }

  async connect(affordances: readonly number[]): Promise<void> {
    await this.#desk().hello(
      this.id,
      this.seal({
        type: 'hello',
        board: 'host',
        firmware: 'light 1',
        affordances,
        lost: 0,
        ...(this.server && { direct: this.server }),
      }),
    )
  }

  async report(values: readonly Sample[]): Promise<void> {
    await this.#desk().reading(this.id, this.seal({ type: 'reading', values }))
  }

  /** The sealed receipt that its own server answers with (SPEC 18.4); a command for another life is stale. */
  answerDirectly(frame: Uint8Array): Uint8Array {
    this.asked.push(frame)
    const opened = openEnvelope(
      frame,
      { sizeMax: 1024, accepts: () => true, isAudience: ({ audience }) => audience === this.id },
      ed25519,
    )
    if (!opened.ok) throw new Error(`not for this device: ${opened.why}`)
    const { affordance, value, operation, nonce } = opened.value.body as Command
    const isStale = Buffer.compare(nonce, this.nonce) !== 0
    const code = isStale ? CODES['stale-nonce'] : (this.answers as number)
    const at = systemClock.now()
    const changed = value === undefined ? [] : [{ affordance, at, value }]
    const values = code !== 0 ? [] : operation === 'read' ? this.stands : changed
    return this.seal({ type: 'receipt' as const, command: sha256(frame), code, values } as never).frame
  }

  async obey(frame: Uint8Array): Promise<void> {
    this.got.push(frame)
    // A note is not answered.
    if (frame[0] !== 0xd2) return
    if (this.answers === 'nothing') return
    const opened = openEnvelope(
      frame,
      { sizeMax: 1024, accepts: () => true, isAudience: () => true },
      ed25519,
    )
    const { affordance, value, grant } = (opened.ok ? opened.value.body : {}) as Command
    this.#desk().got(this.id, sha256(frame).subarray(0, 8))
    const changed =
      this.answers === 0 && value !== undefined
        ? [{ affordance, at: systemClock.now(), value }]
        : this.changes(frame)
    const forgets = grant !== undefined && this.forgetful > 0
    if (forgets) this.forgetful--
    const code = forgets ? CODES['unknown-grant'] : this.answers
    const body = { type: 'receipt' as const, command: sha256(frame), code, values: changed }
    await this.#desk().receipt(this.id, this.seal(body))
  }
}

export interface TestHome extends AsyncDisposable {
  readonly http: Http
  readonly home: HttpHome
  readonly root: Sealer
  readonly owner: Sealer
  /** The root's word that this is an owner, or somebody else's. */
  ownerFrame(who: Sealer, name: string, by?: Sealer): Uint8Array
  /** The deciding rooms anew over the same books, as after a restart; devices are connected no more. */
  restart(): void
  readonly ownerSeed: Uint8Array
  readonly light: FakeDevice
  readonly sensor: FakeDevice
  /** Devices that commands reach. */
  readonly fakes: Map<PartyId, FakeDevice>
  readonly dir: string
  readonly lines: readonly LogLine[]
  readonly withdrawn: readonly string[]
  readonly deviceDesk: DeviceDesk
  unix(options?: Partial<FaceOptions> & { name?: string }): Promise<Face & { readonly socketPath: string }>
}

/**
 * @param change  puts something else in place of a part of the home, such as one that throws
 * @param clock  of the HTTP API alone; everything behind it has the system's
 */
export async function openTestHome(
  limits: Partial<HttpLimits> = {},
  change: (home: HttpHome) => HttpHome = (home) => home,
  page?: string,
  clock: Clock = systemClock,
): Promise<TestHome> {
  const root = newSigner()
  const home = idOf(root.key)
  const ownerSeed = systemRandom.bytes(32)
  const ownerSigner = ed25519.signer(ownerSeed)
  const atRoot = new Sealer(root, home)
  const ownerFrame = sealEnvelope(
    { type: 'owner', ...atRoot.claims(), name: 'ada', key: ownerSigner.key },
    root,
  )
  const hubSigner = newSigner()
  const hub = idOf(hubSigner.key)
  const lines: LogLine[] = []
  const log = new Log(systemClock, (line) => lines.push(line))
  const stop = new AbortController()
  const state = await openState({ clock: systemClock, log }, { path: IN_MEMORY, author: hub }, stop.signal)
  const { devices, journal, permits, readings } = state
  const feed = new Feed()
  const fakes = new Map<PartyId, FakeDevice>()
  const carrier: Carrier = {
    send(id, frame) {
      const fake = fakes.get(id)
      if (!fake || !devices.get(id)?.presence.connected) return 'away'
      setImmediate(() => fake.obey(frame))
      return 'sent'
    },
    drop: () => {},
  }
  let services: Services | undefined
  const openRooms = (): Core => {
    const opened = openCore(
      {
        clock: systemClock,
        random: systemRandom,
        ed25519,
        ...state,
        carrier,
        feed,
        zone: () => undefined,
        offered: () => new Set(services?.list().map(({ service }) => service)),
        async invite(name, by) {
          const invited = await services!.invite(name, false, by)
          if (!invited.ok) throw new Error(invited.why)
          return invited.value.address
        },
        withdraw: (service, by) => void services?.withdraw(service, by),
        onFailure: (error) => log.taskFailed('journal', error),
        generations: stillGenerations(hubSigner.key),
      },
      { root: root.key, owners: [ownerFrame], hub: hubSigner },
    )
    if (!opened.ok) throw new Error(opened.why)
    return opened.value
  }
  let core = openRooms()
  const withdrawn: string[] = []
  const publisher: Publisher = {
    offer: async ({ service }) =>
      `${service
        .replace(/[^a-z]/g, '')
        .padEnd(56, 'a')
        .slice(0, 56)}.onion`,
    withdraw: async (service) => {
      withdrawn.push(service)
    },
    status: () => ({ state: 'reachable', since: 0 }),
  }
  services = await openServices({
    clock: systemClock,
    master: new Secret(systemRandom.bytes(32)),
    book: state.services,
    journal,
    publisher,
    onFault: (error) => {
      throw error
    },
  })
  const addDevice = async (name: string, affordances: readonly number[]): Promise<FakeDevice> => {
    const fake = new FakeDevice(home, () => core.deviceDesk)
    fakes.set(fake.id, fake)
    await devices.enrol(
      { id: fake.id, name, board: 'host', firmware: 'light 1', affordances },
      systemClock.now(),
    )
    await fake.connect(affordances)
    return fake
  }
  const light = await addDevice('porch-light', [1, 2, 5, 6])
  const sensor = await addDevice('weather', [3, 4])
  const { trust, groups } = core.authority
  const charges = new Charges({
    ...{ own: hub, clock: systemClock, trust, ed25519, papers: state.papers, devices, carrier },
    far: (device) => mesh.far.get(device),
    ended: (device) => core.router.forgotten(device),
  })
  const here = hereOf(devices, charges)
  const mesh: MeshHome = new MeshHome({
    ...{ clock: systemClock, random: systemRandom, log, ed25519, feed },
    ...{ devices, readings, journal, shelf: state.shelf, book: state.mesh, signer: hubSigner },
    ...{ farReadings: state.farReadings, everyS: 0, guestsMost: 16 },
    trust: core.authority.trust,
    revocations: revocationsOf(core.authority.trust, (frame) => core.desk.people.revoke(frame, 'mesh')),
    others: othersOf({ home, ed25519, papers: state.papers, people: core.desk.people, charges }),
    clientKey: new Secret(systemRandom.bytes(32)),
    services: () => services!,
    keys: { unlock: () => {}, lock: () => {} },
    openRoom: async () => noRoom,
    carryOut: async () => no('not-found'),
    show: async () => no('not-found'),
    stills: { read: () => undefined },
  })
  const httpHome: HttpHome = change({
    home,
    hub,
    bootedAt: systemClock.now(),
    zone: 'UTC',
    get authority() {
      return core.authority
    },
    get desk() {
      return core.desk
    },
    get rollouts() {
      return core.rollouts
    },
    get stills() {
      return core.stills
    },
    devices,
    readings,
    journal,
    permits,
    pairings: state.pairings,
    services,
    feed,
    mesh,
    adoption: openAdoption({
      ...{ clock: systemClock, charges, groups, journal, here, feed },
      far: () => mesh.far.list(),
    }),
    get generations() {
      return core.generations
    },
    member: sealEnvelope(
      { type: 'member', ...new Sealer(ownerSigner, home).claims(), name: 'hub', key: hubSigner.key },
      ownerSigner,
    ),
    status: () => ({
      version: '0.1.0',
      devices: { connected: 2, known: 2 },
      link: { host: '127.0.0.1', port: 1 },
      tor: { percent: 100, summary: 'Done', ready: true },
      memoryMb: 1,
    }),
  })
  const http = await openHttp({ clock, log, home: httpHome }, { limits, page }, stop.signal)
  const dir = await mkdtemp(join(tmpdir(), 'shallot-http-'))
  let faces = 0
  return {
    http,
    home: httpHome,
    root: atRoot,
    owner: new Sealer(ownerSigner, home),
    ownerFrame: (who, name, by = atRoot) =>
      sealEnvelope({ type: 'owner', ...by.claims(), name, key: who.signer.key }, by.signer),
    restart() {
      core[Symbol.dispose]()
      core = openRooms()
    },
    ownerSeed,
    light,
    sensor,
    fakes,
    dir,
    lines,
    withdrawn,
    get deviceDesk() {
      return core.deviceDesk
    },
    async unix({ name, ...options } = {}) {
      const path = join(dir, name ?? `face-${++faces}.sock`)
      const face = await http.face({ kind: 'unix', path, origin: 'unix', ...options } as FaceOptions)
      return {
        address: face.address,
        socketPath: path,
        get connections() {
          return face.connections
        },
        get handshakes() {
          return face.handshakes
        },
        [Symbol.asyncDispose]: () => face[Symbol.asyncDispose](),
      }
    },
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]()
      await mesh[Symbol.asyncDispose]()
      core[Symbol.dispose]()
      await state[Symbol.asyncDispose]()
      await rm(dir, { recursive: true })
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** The body as JSON. */
  readonly json: Record<string, never> & { code?: string; reason?: string }
}

export interface Ask {
  readonly socketPath: string
  readonly method?: string
  readonly path: string
  readonly body?: Uint8Array | string
  readonly headers?: Record<string, string>
  /** Seals the request; absent: asks as a stranger. */
  readonly as?: Sealer | undefined
}

/** Begins a request and resolves with the head of its answer. */
export function begin({ socketPath, method = 'GET', path, body, headers, as }: Ask): Promise<{
  readonly sent: ClientRequest
  readonly answer: IncomingMessage
}> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const sealed = as && { authorization: as.authorization({ method, path, ...(bytes && { body: bytes }) }) }
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath,
      method,
      path,
      agent: false,
      headers: {
        host: 'localhost',
        ...(bytes && !headers?.['transfer-encoding'] && { 'content-length': bytes.length }),
        ...sealed,
        ...headers,
      },
    })
    sent.once('error', reject)
    sent.once('response', (answer) => resolve({ sent, answer }))
    sent.end(bytes)
  })
}

export async function ask(options: Ask): Promise<Answer> {
  const { answer } = await begin(options)
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part)
  const text = Buffer.concat(parts).toString()
  return {
    status: answer.statusCode!,
    headers: answer.headers,
    text,
    get json() {
      return JSON.parse(text)
    },
  }
}

/** PUTs or POSTs a sealed command. */
export function askCommand(options: Omit<Ask, 'body'> & { readonly body: Uint8Array }): Promise<Answer> {
  return ask({
    method: 'PUT',
    ...options,
    headers: { 'content-type': 'application/cose', ...options.headers },
  })
}

export function lines(text: string): Record<string, never>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
