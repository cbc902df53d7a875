// SPDX-License-Identifier: GPL-3.0-or-later
/** What becomes of a command when what it says does not get out: a reader that hung up, a disk that is full. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { Account } from './as-user.ts'
import { FakeHome } from './fake-home.ts'

const account = new Account()
let home: FakeHome

before(async () => {
  home = await new FakeHome(await account.init()).listen(account.data)
  home.device('porch-light').values.set(1, true)
})
after(async () => {
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})

/** Whoever reads one of the two has hung up before there is anything to read. */
async function unread(of: Account, stream: 'stdout' | 'stderr', args: readonly string[]) {
  const child = of.start(args)
  child[stream].destroy()
  child.stdin.end()
  let text = ''
  const other = stream === 'stdout' ? child.stderr : child.stdout
  other.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  const exit = await new Promise<number | null>((done) => child.once('close', done))
  return { exit, text }
}

test('a command is carried out to its end when nobody reads its steps', async () => {
  const { exit, text } = await unread(account, 'stderr', ['set', 'porch-light', 'on', 'false'])
  assert.match(text, /^porch-light has done it/)
  assert.equal(exit, 0)
})

test('a refusal keeps its status when nobody reads it', async () => {
  assert.equal((await unread(account, 'stderr', ['get', 'nothing'])).exit, 5)
})

test('a reader that has seen enough is no fault', async () => {
  assert.deepEqual(await unread(account, 'stdout', ['get', 'porch-light']), { exit: 0, text: '' })
})

for (const args of [['get', 'porch-light'], ['get', 'porch-light', '--json'], ['--help']])
  test(`a result that finds no room is not there: ${args.join(' ')}`, async () => {
    assert.equal((await account.run(args, '', undefined, '/dev/full')).exit, 1)
  })

test('init makes no home of words that nobody can have seen', async () => {
  using other = new Account()
  const { exit, err } = await other.run(['init'], '', undefined, '/dev/full')
  assert.match(err, /^shallot: what was to be told could not be written: ENOSPC/)
  assert.equal((await unread(other, 'stdout', ['init'])).exit, 1)
  assert.equal(exit, 1)
  assert.ok(!existsSync(other.owner) && !existsSync(other.data))
})

test('init --json does not call it done when its words went nowhere', async () => {
  using other = new Account()
  assert.equal((await unread(other, 'stdout', ['init', '--json'])).exit, 1)
})
