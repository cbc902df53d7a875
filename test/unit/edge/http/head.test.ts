// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { addCamera, pictureOf } from '../../../support/camera.ts'
import { type Answer, ask, openTestHome, type TestHome } from '../../../support/http-home.ts'

const PICTURE = pictureOf(37)

describe('HEAD [RFC 9110 9.3.2]', () => {
  let home: TestHome
  let socketPath: string
  before(async () => {
    home = await openTestHome(
      { unprovenBurst: 1e6, faceUnprovenBurst: 1e6 },
      undefined,
      '<!doctype html><p>page</p>',
    )
    socketPath = (await home.unix()).socketPath
    const gate = await addCamera(home, 'gate')
    gate.say(PICTURE, new Uint8Array(32))
    await gate.send(PICTURE)
  })
  after(() => home[Symbol.asyncDispose]())

  /** Everything the server sent, to the end of the connection. */
  async function bytesOf(method: string, path: string, seal = true): Promise<string> {
    const authorization = `Authorization: ${home.owner.authorization({ method, path })}\r\n`
    const socket = connect(socketPath)
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${seal ? authorization : ''}Connection: close\r\n\r\n`,
    )
    const parts: Buffer[] = []
    for await (const part of socket) parts.push(part)
    return Buffer.concat(parts).toString('latin1')
  }

  const headOf = (bytes: string) => {
    const [head = '', body = ''] = bytes.split('\r\n\r\n')
    const lines = head.split('\r\n').filter((line) => !/^(?:date|transfer-encoding):/i.test(line))
    return { lines, body }
  }

  for (const path of [
    '/things',
    '/things/porch-light',
    '/things/porch-light/properties',
    '/things/porch-light/history?property=on',
    '/things/gate/stills',
    '/things/gate/stills/latest',
    '/home',
    '/.well-known/wot',
    '/.well-known/shallot',
    '/nowhere',
    '/things/nobody',
    '/things?what=1',
    '/',
  ])
    it(`${path} has the head of GET, and nothing behind it`, async () => {
      const isOpen = path === '/' || path === '/.well-known/shallot'
      const [got, head] = [await bytesOf('GET', path, !isOpen), await bytesOf('HEAD', path, !isOpen)]
      assert.notEqual(headOf(got).body, '')
      assert.equal(headOf(head).body, '')
      // What tells the time differs in nothing but its digits.
      const still = (lines: readonly string[]) => lines.map((line) => line.replace(/(?<=length: )\d+/i, 'n'))
      assert.deepEqual(still(headOf(head).lines), still(headOf(got).lines))
    })

  it('of a picture tells how long it is, and its seal', async () => {
    const head = headOf(await bytesOf('HEAD', '/things/gate/stills/latest')).lines.join('\n')
    assert.match(head, new RegExp(`content-length: ${PICTURE.length}`, 'i'))
    assert.match(head, /shallot-still: [\w-]{100}/i)
  })

  it('of what goes on without end ends at once', async () => {
    const { lines, body } = headOf(await bytesOf('HEAD', '/events'))
    assert.deepEqual([lines[0], body], ['HTTP/1.1 200 OK', ''])
    assert.match(lines.join('\n'), /content-type: text\/event-stream/i)
  })

  it('leaves the connection as it was: the next answer is the next', async () => {
    const [first, second] = ['HEAD', 'GET'].map((method) =>
      home.owner.authorization({ method, path: '/things' }),
    )
    const socket = connect(socketPath)
    socket.write(`HEAD /things HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${first}\r\n\r\n`)
    socket.write(
      `GET /things HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${second}\r\nConnection: close\r\n\r\n`,
    )
    const parts: Buffer[] = []
    for await (const part of socket) parts.push(part)
    const [, next = ''] = Buffer.concat(parts).toString().split('\r\n\r\n')
    assert.match(next, /^HTTP\/1\.1 200 OK/)
  })

  const asked = (method: string, path: string, seal?: Parameters<TestHome['owner']['authorization']>[0]) => {
    const authorization = seal && home.owner.authorization(seal)
    return ask({ socketPath, method, path, headers: authorization ? { authorization } : {} })
  }
  const refusals: [string, () => Promise<Answer>, number][] = [
    ['of a stranger', () => asked('HEAD', '/things'), 401],
    ['sealed for GET', () => asked('HEAD', '/things', { method: 'GET', path: '/things' }), 401],
    [
      'in place of a GET that was sealed for HEAD',
      () => asked('GET', '/things', { method: 'HEAD', path: '/things' }),
      401,
    ],
    [
      'where there is no GET',
      () => asked('HEAD', '/enrolments', { method: 'HEAD', path: '/enrolments' }),
      405,
    ],
    ['of the probe, with a query', () => asked('HEAD', '/.well-known/shallot?x=1'), 400],
    ['of the page, with a query', () => asked('HEAD', '/?x=1'), 400],
  ]
  for (const [what, asks, status] of refusals)
    it(`is refused with ${status}: ${what}`, async () => {
      const answer = await asks()
      assert.equal(answer.status, status)
      if (what.includes('HEAD')) return
      assert.equal(answer.text, '')
    })
})
