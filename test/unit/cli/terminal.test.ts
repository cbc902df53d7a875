// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemRandom } from '../../../daemon/base/random.ts'
import { onionAddress, readEnrolCode, readHomeCode } from '../../../daemon/core/identity/index.ts'
import { Account } from './as-user.ts'
import { ed25519, FakeHome, json } from './fake-home.ts'
import { readPicture, Terminal } from './terminal.ts'

const account = new Account()
let words: string
let home: FakeHome

before(async () => {
  words = await account.init()
  home = await new FakeHome(words).listen(account.data)
})
after(async () => {
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})

/** The 24 words as a person copies them from the screen, in their order. */
function wordsOn(screen: string): string[] {
  const numbered = [...screen.matchAll(/(\d{1,2}) ([a-z]{3,8})\b/g)]
  const ordered = numbered.map(([, at, word]) => [Number(at), word!] as const).sort(([a], [b]) => a - b)
  assert.deepEqual(
    ordered.map(([at]) => at),
    Array.from({ length: 24 }, (_, at) => at + 1),
  )
  return ordered.map(([, word]) => word)
}

test('init shows 24 words, asks for two of them, and makes the home of exactly these', async () => {
  using other = new Account()
  const terminal = new Terminal(other, ['init'])
  const [, first] = await terminal.sees(/Word (\d+): $/)
  const shown = wordsOn(terminal.screen.split('paper.')[1]!)
  terminal.type('onion\r')
  await terminal.sees(/another word. Look again/)
  await terminal.sees(new RegExp(`again\\.\\s+Word ${first}: $`))
  terminal.type(`${shown[Number(first) - 1]}x\x7f\r`)
  const [, second] = await terminal.sees(new RegExp(`Word (?!${first}:)(\\d+): $`))
  terminal.type(`${shown[Number(second) - 1]!.toUpperCase()}\r`)
  assert.equal(await terminal.exit(), 0)
  using again = new Account()
  assert.equal((await again.json(['restore'], shown.join(' '))).exit, 0)
  const [made, restored] = [other, again].map(({ owner }) => readFileSync(join(owner, 'owner.key')))
  assert.deepEqual(made, restored)
})

test('init makes no home for somebody who did not write the words down', async () => {
  using other = new Account()
  const terminal = new Terminal(other, ['init'])
  for (let tries = 1; tries <= 3; tries++) {
    await terminal.sees(new RegExp(`(?:Word \\d+: [\\s\\S]*){${tries}}$`))
    terminal.type('onion\r')
  }
  assert.equal(await terminal.exit(), 3)
  assert.match(terminal.screen, /no home was made/)
  assert.ok(!existsSync(other.owner) && !existsSync(other.data))
})

test('Ctrl-C at a question of init makes no home', async () => {
  using other = new Account()
  const terminal = new Terminal(other, ['init'])
  await terminal.sees(/Word \d+: $/)
  terminal.type('\x03')
  assert.equal(await terminal.exit(), 1)
  assert.ok(!existsSync(other.owner))
})

test('restore shows nothing of what is typed', async () => {
  using other = new Account()
  const terminal = new Terminal(other, ['restore'])
  await terminal.sees(/not shown\): $/)
  terminal.type('abandon ability\r')
  await terminal.sees(/Try again\.\s+.*not shown\): $/)
  terminal.type(`${words}\r`)
  assert.equal(await terminal.exit(), 0)
  assert.match(terminal.screen, /is here again/)
  for (const word of ['abandon ability', ...words.split(' ').map((each) => ` ${each} `)]) {
    assert.ok(!terminal.screen.includes(word), word)
  }
  assert.ok(readdirSync(other.owner).includes('owner.key'))
})

test('enrol draws a picture that a camera reads, tells that it waits, and leaves a clean line', async () => {
  home.twist = ({ method, path, answer }) => {
    if (!path.startsWith('/enrolments')) return false
    if (method === 'POST') json(answer, {})
    else answer.writeHead(200, { 'content-type': 'text/event-stream' }).write(': shallot\n\n')
    return true
  }
  const terminal = new Terminal(account, ['enrol', 'lamp'])
  await terminal.sees(/\r\x1b\[2K\S waiting for lamp$/)
  const code = readPicture(terminal.screen)
  assert.ok(readEnrolCode(code).ok)
  assert.ok(terminal.screen.includes(code), 'the text is the same code')
  terminal.type('\x03')
  assert.equal(await terminal.exit(), 1)
  assert.match(terminal.screen, /\r\x1b\[2Kshallot: stopped by SIGINT\s*$/)
})

const onionKey = ed25519.signer(systemRandom.bytes(32)).key

function letInvite(): void {
  home.twist = ({ path, answer }) => {
    if (path !== '/invitations/anna') return false
    json(answer, { name: 'anna', address: onionAddress(onionKey), clientKey: 'A'.repeat(43) })
    return true
  }
}

test('onion invite draws a picture that a camera reads', async () => {
  letInvite()
  const terminal = new Terminal(account, ['onion', 'invite', 'anna'])
  assert.equal(await terminal.exit(), 0)
  const code = readHomeCode(readPicture(terminal.screen))
  assert.ok(code.ok)
  assert.deepEqual(code.value.onion, onionKey)
})

test('in a window too narrow for the picture, a sentence takes its place', async () => {
  letInvite()
  const terminal = new Terminal(account, ['onion', 'invite', 'anna'], 40)
  assert.equal(await terminal.exit(), 0)
  assert.match(terminal.screen, /needs a window of \d+ columns; this one has 40/)
  assert.doesNotMatch(terminal.screen, /█/)
})
