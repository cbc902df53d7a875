// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A device whose hub is there and does not speak, or whose hub's address swallows what is sent to it: who comes to its own door (SPEC 18) is
 * served between the steps of its dialling. What state the device is in is read off the sockets, never off a clock.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openEnvelope } from '../../daemon/core/envelope/index.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { AFFORDANCE_ALL } from '../../schemas/gen/ts/wire.ts'
import { openEmulatedDoor } from '../../scripts/emulator-door.ts'
import { isEmulated, type Port } from '../../scripts/firmware.ts'
import { type Direct, openDirect, requestOf, Visitor } from '../support/direct.ts'
import { PORTS_TRIED } from '../support/firmware.ts'
import { codeName, command, type FirmwareHome, openFirmwareHome, until } from '../support/firmware-home.ts'
import { ed25519 } from '../support/link-home.ts'
import { ownPort } from '../support/ports.ts'

/** Of what the hub says in its handshake, about 700 bytes, in one piece. */
const PIECE = 230
const READ_ALL = { operation: 'read', affordance: AFFORDANCE_ALL } as const

/** A device with an open door, whose hub has just gone from `hubPort`. */
async function openLeft(port: Port, hubPort: number) {
  await using undo = new AsyncDisposableStack()
  const home = undo.use(await openFirmwareHome({ port: hubPort }))
  const door = isEmulated(port) ? undo.use(await openEmulatedDoor()) : undefined
  const direct = undo.use(await openDirect(home, { port, ...(door && { door }) }))
  direct.give()
  await direct.isOpen()
  await home.home.link[Symbol.asyncDispose]()
  const owned = undo.move()
  return { home, direct, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** What the device answers to an owner who comes anew and asks for everything. */
async function asked(home: FirmwareHome, direct: Direct): Promise<string | undefined> {
  using visitor = await Visitor.come(direct)
  const frame = command(direct.hello, home.owner, READ_ALL)
  const answer = await visitor.ask(requestOf(frame))
  assert.equal(answer?.status, 200, answer?.code ?? 'no answer')
  const receiver = { sizeMax: 1024, accepts: () => true, isAudience: () => true }
  const opened = openEnvelope(new Uint8Array(answer.body), receiver, ed25519)
  assert.ok(opened.ok && opened.value.body.type === 'receipt')
  return codeName(opened.value.body.code)
}

/** Somebody who takes every connection and says nothing. */
async function openMute(port: number) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.resume()
  })
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
  return {
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

const LISTENS = `require('node:net').createServer().listen(Number(process.argv[1]), '127.0.0.1', 1, () => console.log('listens'))`

/** Between device and hub: from the moment `isSlow` is said, what the hub says to a new connection comes in pieces, each when `release` is called. */
async function openSlowWay(target: number) {
  const sockets = new Set<Socket>()
  const way = { isSlow: false, port: 0, held: [] as { near: Socket; bytes: Buffer }[] }
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    const slow = way.isSlow ? { near, bytes: Buffer.alloc(0) } : undefined
    if (slow) way.held.push(slow)
    near.on('data', (bytes: Buffer) => far.write(bytes))
    far.on('data', (bytes: Buffer) => {
      if (slow) slow.bytes = Buffer.concat([slow.bytes, bytes])
      else near.write(bytes)
    })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        for (const each of [near, far]) each.destroy()
        way.held = way.held.filter((each) => each !== slow)
      })
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  way.port = (server.address() as { port: number }).port
  return Object.assign(way, {
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    release(size: number) {
      for (const each of way.held) {
        each.near.write(each.bytes.subarray(0, size))
        each.bytes = each.bytes.subarray(size)
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  })
}

/** A port of which a stopped process is the owner: when two wait there, the system drops whoever else knocks, without a word. */
async function openSwallowing(port: number) {
  const owner = spawn(process.execPath, ['-e', LISTENS, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(owner.stdout, 'data')
  owner.kill('SIGSTOP')
  const waiting = Array.from({ length: 2 }, () => connect(port, '127.0.0.1'))
  for (const socket of waiting) socket.on('error', () => socket.destroy())
  await Promise.all(waiting.map((socket) => once(socket, 'connect')))
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of waiting) socket.destroy()
      owner.kill('SIGKILL')
      await once(owner, 'close')
    },
  }
}

/** The local ports of connections to this one that nobody has taken yet. */
function knocking(port: number): string[] {
  const [SYN_SENT, hex] = ['02', port.toString(16).toUpperCase().padStart(4, '0')]
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, state]) => state === SYN_SENT && remote?.endsWith(`:${hex}`))
    .map(([, local]) => local!)
}

for (const port of PORTS_TRIED.filter((each) => each !== 'qemu'))
  describe(`a door while the hub says nothing, ${port} [SPEC 18]`, { timeout: 120_000 }, () => {
    it('is served in a handshake that gets no answer', async () => {
      const hubPort = await ownPort()
      await using place = await openLeft(port, hubPort)
      const { home, direct } = place
      await using mute = await openMute(hubPort)
      for (let round = 0; round < 2; round++) {
        const dialled = await until('the device to dial', () => [...mute.sockets][0])
        for (let i = 0; i < 3; i++) assert.equal(await asked(home, direct), 'ok')
        assert.ok(mute.sockets.has(dialled), 'it was still in that handshake when it had answered')
        dialled.destroy()
        await until('that connection to be over', () => (mute.sockets.has(dialled) ? undefined : true))
      }
    })

    it('is served while the hub speaks slowly, and the hub is heard in the end', async () => {
      await using home = await openFirmwareHome()
      await using way = await openSlowWay(home.home.hub.port)
      Object.assign(home.home.hub, { port: way.port })
      await using door = isEmulated(port) ? await openEmulatedDoor() : undefined
      await using direct = await openDirect(home, { port, ...(door && { door }) })
      direct.give()
      await direct.isOpen()
      const { lines, directory } = direct.firmware
      const connected = () => lines.filter((line) => line === 'connected').length
      const before = connected()
      rmSync(join(directory, 'ticket'))
      way.isSlow = true
      way.cut()
      let served = 0
      while (connected() === before) {
        const { near } = await until('the device to dial', () =>
          way.held.find(({ bytes }) => bytes.length > 0),
        )
        assert.equal(await asked(home, direct), 'ok')
        served += Number(way.held.some((each) => each.near === near))
        way.release(PIECE)
      }
      assert.ok(served >= 3, `served ${served} times in the midst of it`)
      const short = lines.filter((line) => line === `link ended -${CODES['tls-out-of-memory']}`)
      assert.deepEqual(short, [])
    })

    // Of an emulated device the runner knocks, and goes on when the device has given up.
    if (isEmulated(port)) return
    it('is served while its knocking is not answered', async () => {
      const hubPort = await ownPort()
      await using place = await openLeft(port, hubPort)
      const { home, direct } = place
      await using _swallowing = await openSwallowing(hubPort)
      const [local] = await until('the device to knock', () => {
        const now = knocking(hubPort)
        return now.length > 0 ? now : undefined
      })
      assert.equal(await asked(home, direct), 'ok')
      assert.ok(knocking(hubPort).includes(local!), 'it was still knocking when it had answered')
    })
  })
