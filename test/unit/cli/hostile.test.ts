// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemRandom } from '../../../daemon/base/random.ts'
import { Account } from './as-user.ts'

const account = new Account()
let server: Server
let speak: (socket: Socket) => void = () => {}

before(async () => {
  await account.init()
  mkdirSync(account.data, { recursive: true })
  server = createServer((socket) => {
    socket.on('error', () => {})
    // Hears the whole head first, as a server would; what it then says is not what a server would say.
    socket.once('data', () => speak(socket))
  })
  await new Promise<void>((resolve) => server.listen(join(account.data, 'api.sock'), resolve))
})
after(async () => {
  await new Promise((resolve) => server.close(resolve))
  account[Symbol.dispose]()
})

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const REFUSED = 'HTTP/1.1 403 Forbidden\r\ncontent-type: application/problem+json\r\nconnection: close\r\n'

function whole(body: string, head = OK): (socket: Socket) => void {
  return (socket) => socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/** Writes without end, as fast as it is read. */
function endless(head: string, chunk: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(head)
    const more = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    }
    socket.on('drain', more)
    more()
  }
}

const answers: readonly (readonly [string, (socket: Socket) => void, number, string])[] = [
  ['random bytes', (socket) => socket.end(systemRandom.bytes(4096)), 3, 'bad-answer'],
  ['another protocol', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), 3, 'bad-answer'],
  ['a line of headers without end', endless('HTTP/1.1 200 OK\r\nx: ', 'a'.repeat(65_536)), 3, 'bad-answer'],
  ['a body without end', endless(`${OK}\r\n`, 'a'.repeat(65_536)), 3, 'bad-answer'],
  ['an answer that is not JSON', whole('<html>'), 3, 'bad-answer'],
  [
    'bytes that are not UTF-8',
    (socket) =>
      socket.end(
        Buffer.concat([Buffer.from(`${OK}content-length: 3\r\n\r\n`), Buffer.from([0x22, 0xff, 0x22])]),
      ),
    3,
    'bad-answer',
  ],
  ['JSON of another shape', whole('[]'), 3, 'bad-answer'],
  ['a number for JSON', whole('7'), 3, 'bad-answer'],
  ['null', whole('null'), 3, 'bad-answer'],
  ['a deep nest', whole('['.repeat(200_000)), 3, 'bad-answer'],
  ['nothing, and an end', (socket) => socket.end(), 4, 'unreachable'],
  ['half a head', (socket) => socket.end('HTTP/1.1 200'), 4, 'unreachable'],
  ['half a body', (socket) => socket.end(`${OK}content-length: 100\r\n\r\n{"ok"`), 4, 'unreachable'],
  ['a reset', (socket) => socket.destroy(), 4, 'unreachable'],
  ['a refusal without a code', whole('{}', REFUSED), 3, 'bad-answer'],
  ['a refusal with a code nobody knows', whole('{"code":"because"}', REFUSED), 3, 'bad-answer'],
  ['a refusal with a code of the language', whole('{"code":"constructor"}', REFUSED), 3, 'bad-answer'],
  ['a refusal that is not JSON', whole('no', REFUSED), 3, 'bad-answer'],
  [
    'a redirect',
    whole('', 'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n'),
    3,
    'bad-answer',
  ],
]
for (const [what, answer, exit, code] of answers) {
  test(`${what} in the place of an answer is exit ${exit}, in one line of JSON`, async () => {
    speak = answer
    const ran = await account.within(['device', 'show', 'porch-light', '--json'])
    assert.equal(ran.err, '')
    const lines = ran.out.trimEnd().split('\n')
    assert.equal(lines.length, 1)
    const said = JSON.parse(lines[0]!)
    assert.deepEqual([ran.exit, said.ok, said.code], [exit, false, code], ran.out)
  })
}

test('an event without an end does not fill the memory', async () => {
  speak = (socket) => {
    if (socket.bytesRead > 0)
      endless(
        'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n',
        `data: ${'a'.repeat(65_000)}\n`,
      )(socket)
  }
  const { exit, said } = await account.jsonWithin(['enrol', '--confirm', 'nobody'])
  assert.deepEqual([exit, said.code], [5, 'not-found'])
  const watched = await account.jsonWithin(['device', 'list'])
  assert.deepEqual([watched.exit, watched.said.code], [3, 'bad-answer'])
})

test('no answer leaves a stack or bytes of its own on the terminal', async () => {
  speak = whole('\x1b[2J<html>')
  const { err, out, exit } = await account.run(['device', 'list'])
  assert.equal(exit, 3)
  assert.equal(out, '')
  assert.doesNotMatch(err, /\x1b|\.ts:\d/)
})
