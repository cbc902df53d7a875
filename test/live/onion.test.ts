// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { systemClock } from '../../daemon/base/clock.ts'
import { isCode } from '../../daemon/base/error.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { serviceIdOf } from '../../daemon/edge/onion/address.ts'
import { obey } from '../../daemon/edge/onion/control.ts'
import {
  type OnionOptions,
  type OnionService,
  type OnionStatus,
  openOnion,
} from '../../daemon/edge/onion/index.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { controlOf, onionOn, pidOf, privateTor, type TestOnion } from '../support/private-tor.ts'

let network: PrivateTor
let hub: TestOnion
let phone: TestOnion
let guest: TestOnion

before(async () => {
  network = await privateTor()
  ;[hub, phone, guest] = await Promise.all([onionOn(network), onionOn(network), onionOn(network)])
})

after(async () => {
  await Promise.all([hub, phone, guest].map((onion) => onion?.[Symbol.asyncDispose]()))
  await network?.[Symbol.asyncDispose]()
})

const soon = (ms = 60_000) => AbortSignal.timeout(ms)
const newSeed = () => new Secret(Uint8Array.from(randomBytes(32)))

function service(name: string, target: string, more: Partial<OnionService> = {}): OnionService {
  return { name, seed: newSeed(), target, port: 80, clients: [], ...more }
}

function x25519(): { publicKey: Uint8Array; privateKey: Secret } {
  const pair = generateKeyPairSync('x25519')
  return {
    publicKey: Uint8Array.from(pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
    privateKey: new Secret(
      Uint8Array.from(pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)),
    ),
  }
}

/** A target that answers HTTP with its name. */
async function httpAt(name: string, directory = hub.directory): Promise<{ path: string } & AsyncDisposable> {
  const path = join(directory, name)
  const server = createHttpServer((_request, response) => response.end(name))
  return { path, [Symbol.asyncDispose]: await serving(server, path) }
}

/** A target that sends back what it hears. `cut`: the first stream to it has ended. */
async function echoAt(name: string): Promise<{ path: string; cut: Promise<void> } & AsyncDisposable> {
  const path = join(hub.directory, name)
  const streams = new Set<Socket>()
  const cut = Promise.withResolvers<void>()
  const server = createServer((socket) => {
    streams.add(socket.on('error', () => {}).once('close', () => cut.resolve()))
    socket.on('data', (bytes) => socket.write(bytes))
  })
  const close = await serving(server, path)
  const dispose = async () => {
    for (const stream of streams) stream.destroy()
    await close()
  }
  return { path, cut: cut.promise, [Symbol.asyncDispose]: dispose }
}

async function serving(server: Server, path: string): Promise<() => Promise<void>> {
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return () => new Promise((resolve) => server.close(() => resolve()))
}

/** Dials until it works: a descriptor takes a second or two to be everywhere. */
async function dialSoon(from: TestOnion, address: string, isolation: string): Promise<Socket> {
  const signal = soon()
  for (;;) {
    try {
      return await from.dial(address, 80, { isolation, signal })
    } catch (error) {
      if (signal.aborted) throw error
    }
  }
}

async function get(from: TestOnion, address: string, isolation: string): Promise<string> {
  const socket = await dialSoon(from, address, isolation)
  socket.write(`GET / HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`)
  let heard = ''
  for await (const bytes of socket) heard += bytes
  return heard.slice(heard.indexOf('\r\n\r\n') + 4)
}

/** No stream comes: tor names a cause, or goes on looking for introduction points that are gone. */
async function unreachable(from: TestOnion, address: string, isolation: string): Promise<void> {
  await assert.rejects(from.dial(address, 80, { isolation, signal: soon(8000) }))
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  return await new Promise((resolve, reject) => {
    socket.once('data', (bytes) => resolve(`${bytes}`))
    socket.once('close', () => reject(new Error('the stream was closed')))
  })
}

/** Inodes of the sockets a process holds. */
async function socketsOf(pid: number): Promise<Set<string>> {
  const open = await readdir(`/proc/${pid}/fd`)
  const links = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
}

/** Gives the room's tor a client key for as long as it is held. */
async function clientKey(onion: TestOnion, address: string, key: Secret): Promise<AsyncDisposable> {
  const id = serviceIdOf(address)
  using control = await controlOf(onion)
  await obey(control, `ONION_CLIENT_AUTH_ADD ${id} x25519:${key.reveal().toBase64()}`)
  return {
    [Symbol.asyncDispose]: async () => {
      using control = await controlOf(onion)
      await obey(control, `ONION_CLIENT_AUTH_REMOVE ${id}`)
    },
  }
}

async function status(
  onion: TestOnion,
  name: string,
  test: (status: OnionStatus) => boolean,
  signal = soon(),
): Promise<OnionStatus> {
  for (;;) {
    const found = onion.statuses().find((one) => one.name === name)
    if (found !== undefined && test(found)) return found
    const changed = Promise.withResolvers<void>()
    using _listener = onion.onChange(() => changed.resolve())
    signal.addEventListener('abort', () =>
      changed.reject(new Error(`${name} stayed ${JSON.stringify(found)}`)),
    )
    await changed.promise
  }
}

test('offer() publishes a service that a stranger reaches, and the probe says so', async () => {
  await using target = await httpAt('plain')
  const address = hub.offer(service('plain', target.path))
  assert.equal(await get(phone, address, 'a'), 'plain')
  const reached = await status(hub, 'plain', ({ state }) => state === 'reachable')
  assert.ok(reached.uploads > 0)
  assert.ok(reached.probedAt !== undefined)
  await hub.withdraw('plain')
})

test('tor listens on unix sockets only', async () => {
  const torrc = await readFile(join(hub.directory, 'torrc'), 'utf8')
  const inodes = await socketsOf(await pidOf(hub))
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')))
  const listening = tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && inodes.has(fields[9]!))
  assert.deepEqual(listening, [])
  assert.match(torrc, /^ControlPort 0$/m)
})

test('withdraw() cuts exactly that invitation, its open stream included', async () => {
  await using mine = await echoAt('mine')
  await using theirs = await echoAt('theirs')
  const phoneAddress = hub.offer(service('phone', mine.path))
  const guestAddress = hub.offer(service('guest', theirs.path))
  const kept = await dialSoon(phone, phoneAddress, 'kept')
  const cut = await dialSoon(guest, guestAddress, 'cut')
  assert.equal(await echo(cut, 'one'), 'one')
  assert.equal(await echo(kept, 'one'), 'one')
  let keptClosed = false
  kept.once('close', () => {
    keptClosed = true
  })
  await hub.withdraw('guest')
  // At our end, where it counts: when relays tell the other end is theirs to choose, up to a minute later.
  await theirs.cut
  cut.destroy()
  await Promise.all(['cut', 'new'].map((isolation) => unreachable(guest, guestAddress, isolation)))
  assert.equal(await echo(kept, 'two'), 'two')
  assert.equal(keptClosed, false)
  assert.deepEqual(
    hub.statuses().map(({ name }) => name),
    ['phone'],
  )
  kept.destroy()
  await hub.withdraw('phone')
})

test('client authorisation refuses who has no key or a wrong one, and admits our probe', async () => {
  await using target = await httpAt('hidden')
  const invited = x25519()
  const probeKey = x25519().privateKey
  const address = hub.offer(
    service('hidden', target.path, { clients: [{ publicKey: invited.publicKey }], probeKey }),
  )
  await status(hub, 'hidden', ({ state }) => state === 'reachable')
  const dial = () => guest.dial(address, 80, { isolation: 'h', attempts: 1, signal: soon() })
  await assert.rejects(dial(), (error) => isCode(error, 'authorisation-missing'))
  {
    await using _stranger = await clientKey(guest, address, x25519().privateKey)
    await assert.rejects(dial(), (error) => isCode(error, 'authorisation-wrong'))
  }
  await using _invited = await clientKey(guest, address, invited.privateKey)
  assert.equal(await get(guest, address, 'h'), 'hidden')
  await hub.withdraw('hidden')
})

test('a dead target is told from an unreachable one', async () => {
  hub.offer(service('dead', join(hub.directory, 'nobody-listens')))
  const dead = await status(hub, 'dead', ({ state }) => state === 'unreachable')
  assert.equal(dead.cause?.code, 'target-dead')
  await hub.withdraw('dead')
})

test('twenty services are published, never more than ten at a time', async () => {
  await using target = await httpAt('many')
  let most = 0
  using _listener = hub.onChange(() => {
    const publishing = hub.statuses().filter(({ state }) => state === 'publishing').length
    most = Math.max(most, publishing)
  })
  const names = Array.from({ length: 20 }, (_, i) => `many-${i}`)
  for (const name of names) hub.offer(service(name, target.path))
  for (const name of names) await status(hub, name, ({ uploads }) => uploads > 0)
  assert.equal(most, 10)
  const last = hub.statuses().find(({ name }) => name === 'many-19')!
  assert.equal(await get(phone, last.address, 'm'), 'many')
  await Promise.all(names.map((name) => hub.withdraw(name)))
})

test('services return by themselves when tor is killed, and a client finds them again', async () => {
  await using target = await httpAt('back')
  const address = hub.offer(service('back', target.path))
  assert.equal(await get(phone, address, 'b'), 'back')
  await status(hub, 'back', ({ state }) => state === 'reachable')
  const before = await pidOf(hub)
  process.kill(before, 'SIGKILL')
  await status(hub, 'back', ({ state, cause }) => state === 'queued' && cause?.code === 'tor-died')
  assert.equal(await get(phone, address, 'b'), 'back')
  await status(hub, 'back', ({ state }) => state === 'reachable')
  assert.notEqual(await pidOf(hub), before)
  await hub.withdraw('back')
})

test('a tor that others run serves as well, and is left running', async () => {
  // It runs elsewhere, and can be told of plain paths alone.
  const plain = await mkdtemp(join(tmpdir(), 'onion-'))
  after(() => rm(plain, { recursive: true, force: true }))
  await using target = await httpAt('foreign', plain)
  const before = await pidOf(guest)
  {
    await using lodger = await openOnion(
      { clock: systemClock, random: systemRandom, log: new Log(systemClock, silent) },
      {
        tor: {
          kind: 'existing',
          controlSocket: join(guest.directory, 'control'),
          socksSocket: guest.socksPath,
        },
      },
      soon(),
    )
    const address = lodger.offer(service('foreign', target.path))
    assert.equal(await get(phone, address, 'f'), 'foreign')
    await lodger.withdraw('foreign')
    await unreachable(phone, address, 'f')
  }
  assert.equal(await pidOf(guest), before)
})

test('openOnion() names what keeps it from opening', async () => {
  const deps = { clock: systemClock, random: systemRandom, log: new Log(systemClock, silent) }
  const open = (tor: OnionOptions['tor']) => openOnion(deps, { tor }, soon())
  const own = { kind: 'child', binary: 'tor', directory: join(hub.directory, 'x'), extraTorrc: [] } as const
  await assert.rejects(open({ ...own, binary: '/nowhere/tor' }), (error) => isCode(error, 'tor-missing'))
  const deep = join(hub.directory, 'd'.repeat(100))
  await assert.rejects(open({ ...own, directory: deep }), (error) => isCode(error, 'bad-path'))
  const foreign = { kind: 'existing', controlSocket: 'relative', socksSocket: '/s' } as const
  await assert.rejects(open(foreign), (error) => isCode(error, 'bad-path'))
})

test("a torrc that tor refuses is told with tor's own words", async () => {
  await using broken = await onionOn({ ...network, torrc: [...network.torrc, 'NoSuchOption 1'] })
  const signal = soon()
  while (!/NoSuchOption/.test(broken.bootstrap().summary)) {
    const changed = Promise.withResolvers<void>()
    using _listener = broken.onChange(() => changed.resolve())
    signal.addEventListener('abort', () => changed.reject(signal.reason))
    await changed.promise
  }
  assert.equal(broken.bootstrap().ready, false)
})

test('tor ends with the daemon when that is killed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'onion-'))
  const program = join(import.meta.dirname, '..', 'support', 'onion-alone.ts')
  const { torrc, seedFiles } = network
  const daemon = spawn(process.execPath, [program, JSON.stringify({ directory, torrc, seedFiles })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [printed] = await once(daemon.stdout, 'data')
  const tor = Number(`${printed}`)
  assert.ok(isRunning(tor))
  daemon.kill('SIGKILL')
  for (let i = 0; i < 300 && isRunning(tor); i++) await setTimeout(100)
  assert.equal(isRunning(tor), false)
  await rm(directory, { recursive: true, force: true })
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
