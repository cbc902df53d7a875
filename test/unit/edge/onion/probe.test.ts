// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { OnionError } from '../../../../daemon/edge/onion/error.ts'
import { probe } from '../../../../daemon/edge/onion/probe.ts'
import { ManualClock, settled } from '../../../support/manual-clock.ts'

const never = new AbortController().signal

/** A target at a unix socket; the "way through tor" is a plain connection to it. */
async function target(serve: (socket: Socket, heard: string) => void) {
  const directory = await mkdtemp(join(tmpdir(), 'target-'))
  const path = join(directory, 't')
  const open = new Set<Socket>()
  const heard: string[] = []
  const server = createServer((socket) => {
    open.add(socket.on('error', () => {}))
    socket.once('data', (bytes) => {
      heard.push(`${bytes}`)
      serve(socket, `${bytes}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    where: { address: 'x.onion', port: 80, target: path, path: '/probe' },
    heard,
    dial: async () => connect(path),
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

test('probe() counts any HTTP status as reached', async () => {
  for (const status of ['200 OK', '404 Not Found', '503 Busy', '101 Switching']) {
    await using service = await target((socket) => socket.end(`HTTP/1.1 ${status}\r\n\r\n`))
    const verdict = await probe({ clock: new ManualClock(), dial: service.dial }, service.where, never)
    assert.equal(verdict.ok, true, status)
    assert.match(service.heard[0]!, /^GET \/probe HTTP\/1\.1\r\nHost: x\.onion\r\n/)
  }
})

test('probe() reads a status line that comes byte by byte', async () => {
  await using service = await target(async (socket) => {
    for (const letter of 'HTTP/1.1 204 \r\n\r\n') {
      socket.write(letter)
      await settled()
    }
  })
  const verdict = await probe({ clock: new ManualClock(), dial: service.dial }, service.where, never)
  assert.equal(verdict.ok, true)
})

test('probe() does not take other protocols, garbage or a closed door for an answer', async () => {
  for (const answer of [
    'SSH-2.0-OpenSSH_9.2\r\n',
    'HTTP/2.0 200 OK\r\n',
    'HTTP/1.1 999 x\r\n',
    'HTTP/1.1 2',
    '',
  ]) {
    await using service = await target((socket) => socket.end(answer))
    const verdict = await probe({ clock: new ManualClock(), dial: service.dial }, service.where, never)
    assert.deepEqual([verdict.ok, verdict.ok || verdict.why], [false, 'not-http'], answer)
  }
})

test('probe() tells a service that never answers', async () => {
  await using service = await target(() => {})
  const clock = new ManualClock()
  const probing = probe({ clock, dial: service.dial }, service.where, never)
  while (service.heard.length === 0) await settled()
  await clock.pass(20_000)
  const verdict = await probing
  assert.equal(verdict.ok || verdict.why, 'dial-timeout')
})

test('probe() passes the cause of a failed dial on', async () => {
  await using service = await target(() => {})
  const dial = () => Promise.reject(new OnionError('no-descriptor', 'no directory knows it'))
  const verdict = await probe({ clock: new ManualClock(), dial }, service.where, never)
  assert.deepEqual(verdict, { ok: false, why: 'no-descriptor', detail: 'no directory knows it' })
})

test('probe() says that the target is dead when nothing listens there', async () => {
  const where = { address: 'x.onion', port: 80, target: '/nowhere/t', path: '/' }
  const dial = () => Promise.reject(new OnionError('not-served', 'nothing took the connection'))
  const verdict = await probe({ clock: new ManualClock(), dial }, where, never)
  assert.equal(verdict.ok || verdict.why, 'target-dead')
})

test('probe() ends with its signal', async () => {
  await using service = await target(() => {})
  const cancel = new AbortController()
  const probing = probe({ clock: new ManualClock(), dial: service.dial }, service.where, cancel.signal)
  while (service.heard.length === 0) await settled()
  cancel.abort(new Error('closing'))
  await assert.rejects(probing, /closing/)
})
