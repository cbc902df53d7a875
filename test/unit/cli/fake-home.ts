// SPDX-License-Identifier: GPL-3.0-or-later
/** A home that answers the CLI over a unix socket by SPEC 9, small enough to be made to lie. Its devices' seals are real. */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fromBase64url, toBase64url } from '../../../daemon/base/bytes.ts'
import { systemClock } from '../../../daemon/base/clock.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import {
  type Body,
  type Command,
  nativeEd25519,
  openEnvelope,
  type Signer,
  sealEnvelope,
} from '../../../daemon/core/envelope/index.ts'
import { derive, parseWords } from '../../../daemon/core/identity/index.ts'
import { affordanceOf, fromWire, idOf, type PartyId } from '../../../daemon/core/model/index.ts'

export const ed25519 = nativeEd25519()

export interface Asked {
  readonly method: string
  readonly path: string
  readonly body: Uint8Array
  readonly answer: ServerResponse
}

/** Answers instead of the home; false leaves the question to the home. */
export type Twist = (asked: Asked) => boolean | undefined

export class FakeDevice {
  readonly home: FakeHome
  readonly name: string
  readonly signer: Signer = ed25519.signer(systemRandom.bytes(32))
  readonly affordances: readonly number[]
  nonce = systemRandom.bytes(8)
  confirmed = true
  sequence = 0
  readonly values = new Map<number, number | boolean>()
  /** Instead of 0, what its next receipts say. */
  code = 0

  constructor(home: FakeHome, name: string, affordances: readonly number[]) {
    this.home = home
    this.name = name
    this.affordances = affordances
  }

  get id(): PartyId {
    return idOf(this.signer.key)
  }

  hello(signer: Signer = this.signer): Uint8Array {
    const { affordances } = this
    return this.seal({ type: 'hello', board: 'fake', firmware: 'fake-1', affordances, lost: 0 }, signer)
  }

  seal(body: object, signer: Signer = this.signer): Uint8Array {
    return sealEnvelope(
      {
        audience: this.home.id,
        sealedAt: Math.floor(systemClock.now() / 1000),
        epoch: this.nonce,
        sequence: this.sequence++,
        ...body,
      } as unknown as Body,
      signer,
    )
  }

  record(name = this.name, key = this.signer.key, owner = this.home.owner): Uint8Array {
    const body = { type: 'enrolment', name, key, permit: new Uint8Array(8) }
    return this.seal(body, owner)
  }

  receipt(command: Uint8Array, signer: Signer = this.signer): Uint8Array {
    const values = [...this.values].map(([affordance, value]) => ({ affordance, at: 0, value }))
    return this.seal({ type: 'receipt', command: sha256(command), code: this.code, values }, signer)
  }
}

export class FakeHome implements AsyncDisposable {
  readonly root: Signer
  readonly owner: Signer
  readonly id: PartyId
  readonly devices: FakeDevice[] = []
  readonly asked: string[] = []
  readonly commands: Command[] = []
  readonly bodies = new Map<string, Uint8Array>()
  twist: Twist = () => false
  /** Ids of keys beside the owner's that it answers: holders of grants. */
  readonly callers = new Set<string>()
  /** Instead of its own id, what it says it is. */
  claims: string | undefined
  /** How its authorities are. */
  ca: object = { generation: 0, devices: [], kept: [] }
  #tls: TlsServer | undefined
  readonly #server = createServer((request, answer) => void this.#serve(request, answer))

  constructor(words: string) {
    const seed = parseWords(words)
    if (!seed.ok) throw new Error('no words')
    this.root = ed25519.signer(derive(seed.value, 'root').reveal())
    this.owner = ed25519.signer(derive(seed.value, 'owner/0').reveal())
    this.id = idOf(this.root.key)
  }

  async listen(data: string): Promise<this> {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    await new Promise<void>((resolve) => this.#server.listen(join(data, 'api.sock'), resolve))
    return this
  }

  /** The LAN face: the same answers over TLS. @returns its origin */
  async listenTls(leaf: { readonly key: string; readonly cert: string }): Promise<string> {
    this.#tls = createTlsServer(leaf, (request, answer) => void this.#serve(request, answer))
    await new Promise<void>((resolve) => this.#tls!.listen(0, '127.0.0.1', resolve))
    return `https://127.0.0.1:${(this.#tls.address() as AddressInfo).port}`
  }

  device(name: string, affordances: readonly number[] = [1, 2, 5]): FakeDevice {
    const device = new FakeDevice(this, name, affordances)
    this.devices.push(device)
    return device
  }

  async #serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const asked: Asked = {
      method: request.method!,
      path: request.url!,
      body: Uint8Array.from(Buffer.concat(parts)),
      answer,
    }
    if (asked.path === '/.well-known/shallot') {
      json(answer, { home: this.claims ?? this.id, bootedAt: 1 })
      return
    }
    const refusal = this.#judge(request, asked)
    if (refusal) {
      problem(answer, 401, 'unauthorized', refusal)
      return
    }
    this.asked.push(`${asked.method} ${asked.path}`)
    this.bodies.set(`${asked.method} ${asked.path}`, asked.body)
    if (this.twist(asked) !== true) this.#answer(asked)
  }

  #answers(signer: Uint8Array): boolean {
    return idOf(signer) === idOf(this.owner.key) || this.callers.has(idOf(signer))
  }

  #judgeCommand(body: Uint8Array): string | undefined {
    const opened = openEnvelope(
      body,
      {
        sizeMax: 65_536,
        accepts: (claims, signer) => claims.type === 'command' && this.#answers(signer),
        isAudience: () => true,
      },
      ed25519,
    )
    return opened.ok ? undefined : opened.why
  }

  /** SPEC 9.2, as the daemon checks it. */
  #judge(request: IncomingMessage, { method, path, body }: Asked): string | undefined {
    const isCommand = /^\/things\/[^/]+\/(?:properties|actions)\//.test(path) && method !== 'GET'
    if (isCommand && request.headers.authorization === undefined) return this.#judgeCommand(body)
    const [scheme, text] = (request.headers.authorization ?? '').split(' ')
    const frame = scheme === 'Shallot' && text ? fromBase64url(text) : undefined
    if (!frame) return 'bad-structure'
    const opened = openEnvelope(
      frame,
      {
        sizeMax: 65_536,
        accepts: (claims, signer) => claims.type === 'request' && this.#answers(signer),
        isAudience: (claims) => claims.audience === this.id,
      },
      ed25519,
    )
    if (!opened.ok) return opened.why
    const said = opened.value.body
    if (said.type !== 'request' || said.method !== method || said.path !== path) return 'bad-claims'
    if (toBase64url(said.digest) !== toBase64url(sha256(body))) return 'bad-claims'
    if (said.expiresAt <= systemClock.now() / 1000) return 'expired'
    return undefined
  }

  #answer(asked: Asked): void {
    const [path, query] = asked.path.split('?')
    const [, first, named, what, name] = path!.split('/').map(decodeURIComponent)
    const { method, answer } = asked
    const device = this.devices.find((each) => each.id === named || each.name === named)
    const routes: readonly (readonly [boolean, () => void])[] = [
      [path === '/things', () => json(answer, this.devices.map(description))],
      [path === '/status', () => json(answer, STATUS)],
      [path === '/ca' && method === 'GET', () => json(answer, this.ca)],
      [first !== 'things' || !device, () => problem(answer, 404, 'not-found')],
      [method === 'DELETE' || method === 'PATCH', () => empty(answer)],
      [what === undefined, () => json(answer, description(device!))],
      [what === 'properties' && name === undefined, () => json(answer, stateOf(device!))],
      [what === 'history', () => json(answer, historyOf(query!))],
      [name !== undefined, () => this.command(asked, device!)],
      [true, () => problem(answer, 404, 'not-found')],
    ]
    routes.find(([fits]) => fits)![1]()
  }

  /** Opens the command as the device would, does it, and tells the stages. */
  command({ body, answer }: Asked, device: FakeDevice): void {
    const opened = openEnvelope(
      body,
      {
        sizeMax: 1024,
        accepts: (claims, signer) => claims.type === 'command' && this.#answers(signer),
        isAudience: (claims) => claims.audience === device.id,
      },
      ed25519,
    )
    if (!opened.ok) {
      problem(answer, 403, opened.why)
      return
    }
    const command = opened.value.body as Command
    if (toBase64url(command.nonce) !== toBase64url(device.nonce)) {
      problem(answer, 409, 'stale-nonce')
      return
    }
    this.commands.push(command)
    if (command.value !== undefined && device.code === 0) device.values.set(command.affordance, command.value)
    stages(answer, [
      { stage: 'at-hub', at: systemClock.now() },
      { stage: 'at-device', at: systemClock.now() },
      {
        stage: device.code === 0 ? 'done' : 'refused',
        at: systemClock.now(),
        receipt: toBase64url(device.receipt(body)),
      },
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tls?.closeAllConnections()
    this.#tls?.close()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const STATUS = {
  version: '0.1.0',
  devices: { connected: 1, known: 1 },
  link: { host: '127.0.0.1', port: 24_500 },
  tor: { percent: 100, summary: 'Done', ready: true },
  memoryMb: 50,
  services: [],
}

function description(device: FakeDevice): object {
  const named = (kind: string) =>
    Object.fromEntries(
      device.affordances
        .map((number) => affordanceOf(number)!)
        .filter(({ capability }) => capability.kind === kind)
        .map(({ name }) => [name, {}]),
    )
  return {
    '@context': 'https://www.w3.org/2022/wot/td/v1.1',
    id: `urn:shallot:${device.id}`,
    title: device.name,
    'shallot:connected': true,
    'shallot:confirmed': device.confirmed,
    properties: named('property'),
    actions: named('action'),
  }
}

export function stateOf(device: FakeDevice): Record<string, unknown> {
  return {
    id: device.id,
    name: device.name,
    connected: true,
    since: 1_700_000_000_000,
    nonce: toBase64url(device.nonce),
    hello: toBase64url(device.hello()),
    ...(device.confirmed && { record: toBase64url(device.record()) }),
    properties: Object.fromEntries(
      [...device.values].map(([number, value]) => {
        const { name, capability } = affordanceOf(number)!
        return [name, { value: fromWire(capability, value), at: 1_700_000_000_000 }]
      }),
    ),
  }
}

function historyOf(query: string): object {
  const limit = Number(new URLSearchParams(query).get('limit'))
  const samples = [
    { property: 'temperature', at: 1_700_000_000_000, value: 21.5 },
    { property: 'temperature', at: 1_700_000_060_000, value: 21.53 },
  ]
  return { property: 'temperature', samples: samples.slice(-limit) }
}

export function json(answer: ServerResponse, body: unknown): void {
  answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export function empty(answer: ServerResponse): void {
  answer.writeHead(204).end()
}

export function problem(answer: ServerResponse, status: number, code: string, reason?: string): void {
  const body = { type: `urn:shallot:problem:${code}`, title: code, status, code, ...(reason && { reason }) }
  answer.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body))
}

export function stages(answer: ServerResponse, lines: readonly object[]): void {
  answer.writeHead(200, { 'content-type': 'application/x-ndjson' })
  for (const line of lines) answer.write(`${JSON.stringify(line)}\n`)
  answer.end()
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
