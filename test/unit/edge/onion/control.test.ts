// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { codeOf, isCode } from '../../../../daemon/base/error.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { type Control, getInfo, obey, openControl } from '../../../../daemon/edge/onion/control.ts'
import { ManualClock, settled } from '../../../support/manual-clock.ts'
import { type Answer, type FakeControl, fakeControl, loggingIn } from './fake-control.ts'

const deps = { clock: systemClock, random: systemRandom }
const open = (fake: FakeControl, clock = deps.clock) =>
  openControl({ ...deps, clock }, fake.path, AbortSignal.timeout(20_000))

/** Logs in, and answers the first line after it by `write`. */
const answering = (write: (socket: Socket) => void) =>
  fakeControl(loggingIn((_line, socket) => write(socket)))

async function outcome(control: Control, line = 'GETINFO x'): Promise<string> {
  return await control.command(line).then(
    ({ code }) => `${code}`,
    (error) => codeOf(error) ?? 'unnamed',
  )
}

test('openControl() logs in with SAFECOOKIE and never shows the cookie', async () => {
  await using fake = await fakeControl(loggingIn((_line, socket) => socket.write('250 OK\r\n')))
  using control = await open(fake)
  assert.equal((await control.command('SIGNAL NEWNYM')).code, 250)
  assert.equal(fake.lines.join('\n').includes(fake.cookie.toHex()), false)
})

test('openControl() refuses a server that does not know the cookie', async () => {
  const answer: Answer = (line, socket, fake) => {
    if (!line.startsWith('AUTHCHALLENGE')) return loggingIn(() => {})(line, socket, fake)
    const wrong = randomBytes(32).toString('hex')
    socket.write(`250 AUTHCHALLENGE SERVERHASH=${wrong} SERVERNONCE=${wrong}\r\n`)
  }
  await using fake = await fakeControl(answer)
  await assert.rejects(open(fake), (error) => isCode(error, 'server-hash-wrong'))
  assert.equal(
    fake.lines.some((line) => line.startsWith('AUTHENTICATE')),
    false,
  )
})

test('openControl() refuses a login answered by anything but a challenge', async () => {
  for (const [line, reply] of [
    ['PROTOCOLINFO 1', '510 Unrecognized command'],
    ['PROTOCOLINFO 1', '250 OK'],
    ['PROTOCOLINFO 1', '250-AUTH METHODS=NULL\r\n250 OK'],
    ['PROTOCOLINFO 1', '250-AUTH METHODS=COOKIE COOKIEFILE="/nowhere"\r\n250 OK'],
    ['AUTHCHALLENGE', '513 Wrong number of arguments'],
    ['AUTHCHALLENGE', '250 AUTHCHALLENGE'],
    ['AUTHCHALLENGE', '250 AUTHCHALLENGE SERVERHASH=00 SERVERNONCE=00'],
    ['AUTHCHALLENGE', `250 AUTHCHALLENGE SERVERHASH=${'zz'.repeat(32)} SERVERNONCE=${'00'.repeat(32)}`],
    ['AUTHENTICATE', '515 Authentication failed'],
  ] as const) {
    const login = loggingIn(() => {})
    await using fake = await fakeControl((said, socket, self) => {
      if (said.startsWith(line)) socket.write(`${reply}\r\n`)
      else login(said, socket, self)
    })
    await assert.rejects(open(fake), (error) => isCode(error, 'login-refused'), reply)
  }
})

test('openControl() hashes nothing but a cookie of 32 bytes', async () => {
  await using fake = await fakeControl(loggingIn(() => {}))
  for (const length of [0, 31, 33]) {
    await writeFile(fake.cookieFile, new Uint8Array(length))
    await assert.rejects(open(fake), (error) => isCode(error, 'cookie-unreadable'))
  }
  await using lost = await fakeControl((line, socket, self) =>
    loggingIn(() => {})(line, socket, { ...self, cookieFile: '/nowhere/cookie' }),
  )
  await assert.rejects(open(lost), (error) => isCode(error, 'cookie-unreadable'))
})

test('openControl() gives up on a socket where nobody listens', async () => {
  const clock = new ManualClock()
  const opening = openControl({ ...deps, clock }, '/nowhere/control', new AbortController().signal)
  const refused = assert.rejects(opening, (error) => isCode(error, 'control-unreachable'))
  let over = false
  refused.finally(() => {
    over = true
  })
  for (let tries = 0; tries < 1000 && !over; tries++) {
    await clock.pass(1000)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await refused
})

test('openControl() gives up on a server that never answers', async () => {
  await using fake = await fakeControl(() => {})
  const clock = new ManualClock()
  const opening = assert.rejects(open(fake, clock), (error) => isCode(error, 'control-silent'))
  while (fake.lines.length === 0) await settled()
  await clock.pass(10_000)
  await opening
  assert.equal(clock.waiting, 0)
})

test('a command that tor refuses is an answer, and obey() throws it without the command', async () => {
  await using fake = await answering((socket) => socket.write('512 Bad arguments\r\n'))
  using control = await open(fake)
  assert.equal((await control.command('ADD_ONION SECRET')).code, 512)
  await assert.rejects(obey(control, 'ADD_ONION SECRET'), (error: Error) => {
    assert.ok(isCode(error, 'command-refused'))
    assert.match(error.message, /512 Bad arguments/)
    assert.doesNotMatch(error.message, /SECRET/)
    return true
  })
})

test('a command cannot smuggle in a second one', async () => {
  await using fake = await answering((socket) => socket.write('250 OK\r\n'))
  using control = await open(fake)
  await assert.rejects(control.command('GETINFO x\r\nSIGNAL HALT'), TypeError)
  await assert.rejects(control.command('GETINFO x\nSIGNAL HALT'), TypeError)
  assert.equal(await outcome(control), '250')
})

test('every waiting command settles when tor closes in the middle, and later ones are refused at once', async () => {
  await using fake = await answering((socket) => socket.end('250-half\r\n'))
  using control = await open(fake)
  const outcomes = await Promise.all([outcome(control), outcome(control), outcome(control)])
  assert.deepEqual(outcomes, ['control-closed', 'control-closed', 'control-closed'])
  assert.equal((await control.closed).code, 'control-closed')
  assert.equal(await outcome(control), 'control-closed')
})

test('a command without an answer ends the conversation, so that no later one waits behind it', async () => {
  const clock = new ManualClock()
  await using fake = await answering(() => {})
  using control = await open(fake, clock)
  const outcomes = Promise.all([outcome(control), outcome(control)])
  await clock.pass(60_000)
  assert.deepEqual(await outcomes, ['control-silent', 'control-silent'])
  assert.equal(clock.waiting, 0)
})

test('hostile bytes in place of a reply end the conversation by name', async () => {
  const noise = randomBytes(5000)
  // A code by chance would only make the noise a reply; without line ends it could only be too long later.
  noise[0] = 0
  noise[100] = 10
  for (const [bytes, code] of [
    [noise, 'reply-malformed'],
    [Buffer.alloc(10_000_000, 0x61), 'reply-too-long'],
    [Buffer.from(`250 ${'a'.repeat(10_000_000)}\r\n`), 'reply-too-long'],
    [Buffer.from('250 OK\r\n250 OK\r\n'), '250'],
    [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'reply-malformed'],
  ] as const) {
    await using fake = await answering((socket) => socket.write(bytes))
    using control = await open(fake)
    assert.equal(await outcome(control), code)
    assert.ok((await control.closed) instanceof Error)
  }
})

test('a reply cut short at every offset ends in a named refusal and leaves nothing waiting', async () => {
  const reply = '250+circuit-status=\r\n1 BUILT\r\n.\r\n250 OK\r\n'
  for (let length = 0; length < reply.length; length++) {
    await using fake = await answering((socket) => socket.end(reply.slice(0, length)))
    using control = await open(fake)
    assert.equal(await outcome(control), 'control-closed', `cut at ${length}`)
  }
})

test('a flood of commands is refused instead of being held', async () => {
  await using fake = await answering(() => {})
  using control = await open(fake)
  const waiting = Array.from({ length: 256 }, () => outcome(control))
  assert.equal(await outcome(control), 'control-busy')
  control[Symbol.dispose]()
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['control-closed']))
})

test('events reach listeners until disposed, between and before replies', async () => {
  await using fake = await answering((socket) =>
    socket.write('650 HS_DESC UPLOADED a\r\n250 OK\r\n650 X\r\n'),
  )
  using control = await open(fake)
  const heard: string[] = []
  const listener = control.onEvent(({ lines }) => heard.push(lines[0]!.text))
  assert.equal(await outcome(control), '250')
  assert.equal(await outcome(control), '250')
  listener[Symbol.dispose]()
  assert.equal(await outcome(control), '250')
  assert.deepEqual(heard.slice(0, 3), ['HS_DESC UPLOADED a', 'X', 'HS_DESC UPLOADED a'])
})

test('getInfo() gives the value of a line or of a data block, and refuses an answer to another key', async () => {
  for (const [reply, expected] of [
    ['250-x=one two\r\n250 OK\r\n', 'one two'],
    ['250-x=\r\n250 OK\r\n', ''],
    ['250+x=\r\na\r\nb\r\n.\r\n250 OK\r\n', 'a\nb'],
  ] as const) {
    await using fake = await answering((socket) => socket.write(reply))
    using control = await open(fake)
    assert.equal(await getInfo(control, 'x'), expected)
  }
  await using fake = await answering((socket) => socket.write('250-y=1\r\n250 OK\r\n'))
  using control = await open(fake)
  await assert.rejects(getInfo(control, 'x'), (error) => isCode(error, 'reply-unexpected'))
})

test('closing the room settles the login and every command', async () => {
  await using fake = await answering(() => {})
  const room = new AbortController()
  using control = await openControl(deps, fake.path, room.signal)
  const waiting = outcome(control)
  room.abort()
  assert.equal(await waiting, 'control-closed')
})
