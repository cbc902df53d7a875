// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { lstat, stat, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { systemClock } from '../../../../daemon/base/clock.ts'
import type { HttpError } from '../../../../daemon/edge/http/index.ts'
import { ask, begin, openTestHome } from '../../../support/http-home.ts'
import { askLan, lanFace as lan } from '../../../support/lan-face.ts'

const refusedWith = (code: string) => (error: HttpError) => error.name === 'HttpError' && error.code === code

describe('a unix face [SPEC 9.1]', () => {
  it('has a socket that only its owner may use, and leaves none behind', async () => {
    await using home = await openTestHome()
    const face = await home.unix()
    assert.equal((await stat(face.socketPath)).mode & 0o777, 0o600)
    await face[Symbol.asyncDispose]()
    await assert.rejects(lstat(face.socketPath))
  })

  it('takes the place of a socket that a dead daemon left', async () => {
    await using home = await openTestHome()
    const path = join(home.dir, 'stale.sock')
    // A child that is killed leaves its socket behind, as a daemon would.
    const { spawn } = await import('node:child_process')
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    await once(spawn(process.execPath, ['-e', script]), 'exit')
    assert.ok((await lstat(path)).isSocket())
    await home.unix({ name: 'stale.sock' })
    assert.equal((await ask({ socketPath: path, path: '/things', as: home.owner })).status, 200)
  })

  it('does not take the place of a socket where somebody listens', async () => {
    await using home = await openTestHome()
    const path = join(home.dir, 'live.sock')
    const other = createServer((socket) => socket.destroy()).listen(path)
    await once(other, 'listening')
    await assert.rejects(home.unix({ name: 'live.sock' }), refusedWith('address-in-use'))
    assert.ok(other.listening)
    other.close()
  })

  it('does not take the place of a file', async () => {
    await using home = await openTestHome()
    await writeFile(join(home.dir, 'file.sock'), 'mine')
    await assert.rejects(home.unix({ name: 'file.sock' }), refusedWith('address-in-use'))
    assert.ok((await lstat(join(home.dir, 'file.sock'))).isFile())
  })

  it('cannot be opened in a directory that is not there', async () => {
    await using home = await openTestHome()
    await assert.rejects(home.unix({ name: 'nowhere/face.sock' }), refusedWith('cannot-listen'))
  })
})

describe('the LAN face [SPEC 9.1]', () => {
  it('serves the same routes over TLS, under the name the client used', async () => {
    await using home = await openTestHome()
    const options = await lan()
    const { address } = await home.http.face(options)
    assert.ok(address.kind === 'tls' && address.port > 0)
    const { status, base } = await askLan(home, options, address.port, '/things/weather')
    assert.deepEqual([status, base], [200, `https://127.0.0.1:${address.port}/`])
  })

  it('speaks TLS 1.2 and 1.3 and nothing older, and no CBC', async () => {
    await using home = await openTestHome()
    const options = await lan()
    const { address } = await home.http.face(options)
    const port = (address as { port: number }).port
    const speak = async (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', ciphers = 'DEFAULT@SECLEVEL=0') => {
      const socket = connectTls({
        host: '127.0.0.1',
        port,
        ca: options.cert,
        minVersion: version,
        maxVersion: version,
        ciphers,
      })
      try {
        await once(socket, 'secureConnect')
        return socket.getProtocol()
      } catch {
        return 'refused'
      } finally {
        socket.destroy()
      }
    }
    assert.deepEqual(
      [await speak('TLSv1.1'), await speak('TLSv1.2'), await speak('TLSv1.3')],
      ['refused', 'TLSv1.2', 'TLSv1.3'],
    )
    assert.equal(await speak('TLSv1.2', 'ECDHE-ECDSA-AES128-SHA256'), 'refused')
  })

  it('refuses a key that is none, and a port that is taken', async () => {
    await using home = await openTestHome()
    await assert.rejects(lan({ key: 'x' }).then(home.http.face), refusedWith('bad-certificate'))
    const { address } = await home.http.face(await lan())
    const { port } = address as { port: number }
    await assert.rejects(lan({ port }).then(home.http.face), refusedWith('address-in-use'))
  })

  it('holds on to no more connections of one address than the limit, and closes its oldest strangers first', async () => {
    await using home = await openTestHome({ connectionsPerAddressMax: 8 })
    const options = await lan()
    const face = await home.http.face(options)
    const { port } = face.address as { port: number }
    const idle = Array.from({ length: 20 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    await Promise.all(idle.map((socket) => once(socket, 'connect')))
    assert.equal((await askLan(home, options, port, '/things/weather')).status, 200)
    assert.ok(face.connections <= 8)
    assert.ok(idle[0]!.destroyed || (await once(idle[0]!, 'close')))
    for (const socket of idle) socket.destroy()
  })
})

describe('a face of one device [SPEC 9.3]', () => {
  it('serves that device, and answers for the others as if there were none', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix({ origin: `onion:device:${home.sensor.id}`, only: home.sensor.id })
    const get = (path: string) => ask({ socketPath, path, as: home.owner })
    assert.equal((await get('/things/weather')).status, 200)
    assert.equal(((await get('/things')).json as unknown as object[]).length, 1)
    const other = await get('/things/porch-light')
    const nobody = await get('/things/porch-lamp')
    assert.equal(other.status, 404)
    assert.equal(other.text, nobody.text)
    for (const path of [
      `/things/${home.light.id}`,
      '/things/porch-light/properties',
      '/events?device=porch-light',
    ]) {
      assert.equal((await get(path)).status, 404, path)
    }
    for (const path of [
      '/status',
      '/log',
      '/log/verify',
      '/invitations',
      '/exposures',
      '/enrolments/AAAAAAAAAAA',
    ]) {
      assert.deepEqual(
        [(await get(path)).status, (await get(path)).json.detail],
        [404, 'no such route'],
        path,
      )
    }
  })

  it('delivers no command to another device', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix({ origin: 'onion:x', only: home.sensor.id })
    const body = home.owner.command({
      device: home.light.id,
      nonce: home.light.nonce,
      affordance: 1,
      value: true,
    })
    const path = `/things/${home.light.id}/properties/on`
    const headers = { 'content-type': 'application/cose' }
    const { status } = await ask({ socketPath, method: 'PUT', path, body, as: home.owner, headers })
    assert.equal(status, 404)
    assert.equal(home.light.got.length, 0)
  })

  it('tells its watchers of that device alone', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix({ origin: 'onion:x', only: home.sensor.id })
    const { sent, answer } = await begin({ socketPath, path: '/events', as: home.owner })
    await home.light.report([{ affordance: 1, at: 1, value: true }])
    home.home.feed.publish({ event: 'onion', at: 1, service: 'invitation:phone', status: 'published' })
    await home.sensor.report([{ affordance: 3, at: 2, value: 2100 }])
    let text = ''
    answer.setEncoding('utf8').on('data', (part) => {
      text += part
    })
    while (!text.includes('event: reading')) await once(answer, 'data')
    assert.ok(text.includes(home.sensor.id))
    assert.ok(!text.includes(home.light.id) && !text.includes('phone'))
    answer.on('error', () => {})
    sent.destroy()
  })

  it('is named as the origin of what it brings', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix({ origin: 'onion:device:x', only: home.sensor.id })
    const headers = { 'content-type': 'application/json' }
    await ask({
      socketPath,
      method: 'PATCH',
      path: '/things/weather',
      body: '{"name":"w"}',
      as: home.owner,
      headers,
    })
    assert.equal(home.home.journal.read({ limit: 1 })[0]!.origin, 'onion:device:x')
  })
})

describe('the life of a face', () => {
  it('an answer under way is finished, a waiting command breaks off visibly, and nobody new is let in', async () => {
    await using home = await openTestHome({ drainMsMax: 100 })
    const face = await home.unix()
    const { socketPath } = face
    home.light.answers = 'nothing'
    const { answer } = await begin({
      socketPath,
      method: 'PUT',
      path: '/things/porch-light/properties/on',
      body: home.owner.command({
        device: home.light.id,
        nonce: home.light.nonce,
        affordance: 1,
        value: true,
      }),
      as: home.owner,
      headers: { 'content-type': 'application/cose' },
    })
    const broken = once(answer, 'error')
    answer.resume()
    await face[Symbol.asyncDispose]()
    await broken
    assert.equal(answer.complete, false)
    await assert.rejects(ask({ socketPath, path: '/things', as: home.owner }))
    assert.equal(face.connections, 0)
  })

  it('a command that ends within the drain is answered to its end', async () => {
    await using home = await openTestHome()
    const face = await home.unix()
    home.light.answers = 'nothing'
    const body = home.owner.command({
      device: home.light.id,
      nonce: home.light.nonce,
      affordance: 1,
      value: true,
    })
    const { answer } = await begin({
      socketPath: face.socketPath,
      method: 'PUT',
      path: '/things/porch-light/properties/on',
      body,
      as: home.owner,
      headers: { 'content-type': 'application/cose' },
    })
    let text = ''
    answer.setEncoding('utf8').on('data', (part) => {
      text += part
    })
    const ended = once(answer, 'end')
    const closed = face[Symbol.asyncDispose]()
    home.light.answers = 0
    await home.light.obey(body)
    await Promise.all([closed, ended])
    assert.match(text, /"stage":"done"/)
  })

  it('closing one face leaves the others', async () => {
    await using home = await openTestHome()
    const [one, two] = [await home.unix(), await home.unix()]
    await one[Symbol.asyncDispose]()
    await one[Symbol.asyncDispose]()
    assert.equal((await ask({ socketPath: two.socketPath, path: '/things', as: home.owner })).status, 200)
  })

  it('idle connections do not hold up the end', async () => {
    await using home = await openTestHome({ drainMsMax: 60_000 })
    const face = await home.unix()
    const idle = Array.from({ length: 10 }, () => connect(face.socketPath).on('error', () => {}))
    await Promise.all(idle.map((socket) => once(socket, 'connect')))
    const ended = face[Symbol.asyncDispose]().then(() => 'ended')
    assert.equal(await Promise.race([ended, systemClock.sleep(20_000).then(() => 'late')]), 'ended')
  })
})
