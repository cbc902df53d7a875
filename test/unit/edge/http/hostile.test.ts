// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { ask, openTestHome, type TestHome } from '../../../support/http-home.ts'

/** Sends bytes as they are, and resolves with all that came back when the other side or `ms` ends it. */
async function raw(
  socketPath: string,
  bytes: Uint8Array | string,
  { end = false, ms = 5000 } = {},
): Promise<string> {
  const socket = connect(socketPath)
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (part) => {
    text += part.toString('latin1')
  })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  if (end) socket.end(bytes)
  else socket.write(bytes)
  await Promise.race([closed, systemClock.sleep(ms)])
  socket.destroy()
  return text
}

async function idle(socketPath: string, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(socketPath).on('error', () => {}))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

describe('the HTTP API under bad input', () => {
  let home: TestHome
  let socketPath: string
  const served = async () =>
    assert.equal((await ask({ socketPath, path: '/things/weather', as: home.owner })).status, 200)
  const head = (method: string, path: string, body = '') =>
    [
      `${method} ${path} HTTP/1.1`,
      'Host: localhost',
      `Authorization: ${home.owner.authorization({ method, path, body: Buffer.from(body) })}`,
    ].join('\r\n')

  before(async () => {
    home = await openTestHome({ unprovenBurst: 1e6, faceUnprovenBurst: 1e6 })
    socketPath = (await home.unix()).socketPath
  })
  after(() => home[Symbol.asyncDispose]())

  it('random bytes are answered 400 or not at all, a thousand times', async () => {
    for (let i = 0; i < 1000; i += 50) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, j) =>
          raw(socketPath, systemRandom.bytes(1 + ((i + j) % 300)), { end: true }),
        ),
      )
      for (const text of answers) assert.match(text, /^$|^HTTP\/1\.1 400 /)
    }
    await served()
  })

  it('a request cut off at any byte changes nothing and is never answered as if it were whole', async () => {
    const body = '{"name":"hacked"}'
    const path = '/things/weather'
    const whole = `${head('PATCH', path, body)}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const answers = await Promise.all(
      Array.from({ length: whole.length - 1 }, (_, i) =>
        raw(socketPath, whole.slice(0, i + 1), { end: true }),
      ),
    )
    for (const text of answers) assert.match(text, /^$|^HTTP\/1\.1 400 /)
    assert.ok(home.home.devices.named('weather'))
    assert.equal(home.home.devices.named('hacked'), undefined)
    await served()
  })

  for (const [what, text, status] of [
    ['no version', 'GET /things\r\n\r\n', 421],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n\r\n', 400],
    ['HTTP/2’s preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    [
      'two lengths',
      'PATCH /things/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
    ],
    [
      'a length and a coding',
      'PATCH /things/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a negative length', 'PATCH /things/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n', 400],
    ['a bare line feed in a header', 'GET /things HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n', 400],
    ['a space before the colon', 'GET /things HTTP/1.1\r\nHost : localhost\r\n\r\n', 400],
    ['a folded header', 'GET /things HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n', 400],
    ['a NUL in a header', 'GET /things HTTP/1.1\r\nHost: local\0host\r\n\r\n', 400],
    ['an absolute target', 'GET http://localhost/things HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['no Host', 'GET /things HTTP/1.1\r\n\r\n', 421],
    ['two Hosts', 'GET /things HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n', 400],
    ['the same Host twice', 'GET /things HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\n\r\n', 400],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 400],
    [
      'an expectation nobody knows',
      'GET /things HTTP/1.1\r\nHost: localhost\r\nExpect: 200-maybe\r\n\r\n',
      417,
    ],
    [
      'a body in a coding that is not read here',
      'PUT /revocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cose\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      501,
    ],
    ['a 10 KiB header', `GET /things HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(10_240)}\r\n\r\n`, 431],
    ['a target of 10 KiB', `GET /${'x'.repeat(10_240)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
    ['many small headers', `GET /things HTTP/1.1\r\nHost: localhost\r\n${'a: b\r\n'.repeat(5000)}\r\n`, 431],
    [
      'a chunk that is no number',
      'PATCH /things/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
  ] as const) {
    it(`refuses ${what}: ${status}, with a code`, async () => {
      const answer = await raw(socketPath, text, { end: true })
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      assert.match(answer, /"code":"[a-z-]+"/)
      await served()
    })
  }

  it('a second request in the same bytes is judged by itself', async () => {
    const smuggled = 'GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
    const text = await raw(socketPath, `${head('GET', '/things/weather')}\r\n\r\n${smuggled}`)
    assert.match(text, /^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 401 /)
  })

  it('a line of 10 MB is cut off', async () => {
    assert.match(await raw(socketPath, Buffer.alloc(10_000_000, 0x41)), /^$|^HTTP\/1\.1 4\d\d /)
    await served()
  })

  it('a body of 10 MB is refused with 413, and the client can read it', async () => {
    const path = '/things/weather'
    const body = Buffer.alloc(10_000_000, 0x20)
    const headers = { 'content-type': 'application/json' }
    const { status } = await ask({ socketPath, method: 'PATCH', path, body, as: home.owner, headers })
    assert.equal(status, 413)
    await served()
  })

  it('a body of 10 MB in chunks is refused after 64 KiB, and not kept', async () => {
    const text = await raw(
      socketPath,
      Buffer.concat([
        Buffer.from(
          `${head('PATCH', '/things/weather')}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n989680\r\n`,
        ),
        Buffer.alloc(10_000_000, 0x20),
        Buffer.from('\r\n0\r\n\r\n'),
      ]),
      { end: true },
    )
    assert.match(text, /^HTTP\/1\.1 413 /)
    await served()
  })

  it('Expect: 100-continue is said to who may send a body, and not to who may not', async () => {
    const tail = '\r\nContent-Type: application/json\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n'
    const invited = raw(socketPath, `${head('PATCH', '/things/weather', '{"name":"w"}')}${tail}`, { ms: 300 })
    assert.match(await invited, /^HTTP\/1\.1 100 /)
    const huge = tail.replace('12', '99999999')
    assert.match(
      await raw(socketPath, `${head('PATCH', '/things/weather')}${huge}`, { ms: 300 }),
      /^HTTP\/1\.1 413 /,
    )
    const unproven = `PATCH /things/weather HTTP/1.1\r\nHost: localhost${tail}`
    assert.match(await raw(socketPath, unproven, { ms: 300 }), /^HTTP\/1\.1 401 /)
  })

  it('an upgrade is not taken up', async () => {
    const upgrade =
      'GET /things HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    assert.match(await raw(socketPath, upgrade, { ms: 300 }), /^HTTP\/1\.1 401 /)
  })
})

describe('slow and silent peers of the HTTP API', () => {
  it('headers that never end are cut off with 408, bodies that never end too, and others are served meanwhile', async () => {
    await using home = await openTestHome({ headerMsMax: 400, requestMsMax: 800 })
    const { socketPath } = await home.unix()
    const slowHead = raw(socketPath, 'GET /things HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
    const authorization = home.owner.authorization({ method: 'PATCH', path: '/things/weather' })
    const slowBody = raw(
      socketPath,
      `PATCH /things/weather HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{`,
    )
    assert.equal((await ask({ socketPath, path: '/things', as: home.owner })).status, 200)
    assert.match(await slowHead, /^HTTP\/1\.1 408 [\s\S]*"code":"bad-request"/)
    assert.match(await slowBody, /^HTTP\/1\.1 408 /)
  })

  it('1,000 idle connections do not keep anybody out, and a client that proved itself keeps its connection', async () => {
    await using home = await openTestHome()
    const face = await home.unix()
    const { socketPath } = face
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const sockets = new Set<Socket>()
    const work = () =>
      new Promise<number>((resolve, reject) => {
        const authorization = home.owner.authorization({ method: 'GET', path: '/things' })
        const sent = request(
          { socketPath, path: '/things', agent, headers: { host: 'localhost', authorization } },
          (answer) => {
            sockets.add(sent.socket!)
            answer.resume().once('end', () => resolve(answer.statusCode!))
          },
        )
        sent.once('error', reject).end()
      })
    assert.equal(await work(), 200)
    const all: Socket[] = []
    for (let i = 0; i < 10; i++) {
      all.push(...(await idle(socketPath, 100)))
      assert.equal(await work(), 200)
      assert.equal((await ask({ socketPath, path: '/things', as: home.owner })).status, 200)
    }
    assert.equal(sockets.size, 1)
    assert.ok(face.connections <= 256)
    for (const socket of all) socket.destroy()
    agent.destroy()
  })

  it('a flood of bad signatures on a face is answered 429, and another face does not feel it', async () => {
    await using home = await openTestHome()
    const [flooded, calm] = [
      (await home.unix()).socketPath,
      (await home.unix({ origin: 'onion:invitation:x' })).socketPath,
    ]
    const bad = home.owner.request({ method: 'GET', path: '/things' })
    bad[bad.length - 40]! ^= 1
    const authorization = `Shallot ${Buffer.from(bad).toString('base64url')}`
    const statuses = new Map<number, number>()
    for (let i = 0; i < 20; i++) {
      const batch = await Promise.all(
        Array.from({ length: 20 }, () =>
          ask({ socketPath: flooded, path: '/things', headers: { authorization } }),
        ),
      )
      for (const { status } of batch) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      assert.equal((await ask({ socketPath: calm, path: '/things', as: home.owner })).status, 200)
    }
    assert.deepEqual([...statuses.keys()].sort(), [401, 429])
    assert.ok(statuses.get(429)! > statuses.get(401)!)
  })

  it('an answer that nobody reads is dropped', async () => {
    await using home = await openTestHome({ stalledMsMax: 500 })
    const face = await home.unix()
    const deaf = connect(face.socketPath).on('error', () => {})
    deaf.pause()
    for (let i = 0; i < 400; i++) {
      const authorization = home.owner.authorization({ method: 'GET', path: '/things' })
      deaf.write(`GET /things HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`)
    }
    while (face.connections === 0) await systemClock.sleep(5)
    while (face.connections > 0) await systemClock.sleep(50)
    deaf.destroy()
  })
})
