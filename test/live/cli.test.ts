// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { toBase32 } from '../../daemon/base/bytes.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { writeHomeCode, x25519Public } from '../../daemon/core/identity/index.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { onionOn, privateTor, type TestOnion } from '../support/private-tor.ts'
import { Account } from '../unit/cli/as-user.ts'
import { FakeHome } from '../unit/cli/fake-home.ts'

const account = new Account()
const clientKey = new Secret(systemRandom.bytes(32))
const seed = new Secret(systemRandom.bytes(32))
const onionKey = nativeEd25519().signer(seed.reveal()).key
let network: PrivateTor
let onion: TestOnion
let home: FakeHome

before(async () => {
  network = await privateTor()
  home = await new FakeHome(await account.init()).listen(account.data)
  home.device('porch-light')
  onion = await onionOn(network)
  const published = Promise.withResolvers<void>()
  onion.onChange((change) => change.kind === 'status' && change.status.uploads > 0 && published.resolve())
  onion.offer({
    name: 'phone',
    seed,
    target: join(account.data, 'api.sock'),
    port: 80,
    clients: [{ publicKey: x25519Public(clientKey) }],
  })
  await published.promise
  const extra = join(account.base, 'torrc-extra')
  await writeFile(extra, network.torrc.join('\n'))
  account.environment.SHALLOT_TORRC_EXTRA = extra
  // Away from the tors of others on this machine.
  account.environment.TMPDIR = account.base
})
after(async () => {
  await onion?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})

async function invitation(key: Secret | undefined, lan: readonly string[] = []): Promise<string> {
  const path = join(account.base, `home-${systemRandom.bytes(4).toHex()}.txt`)
  const code = writeHomeCode({ root: home.root.key, onion: onionKey, lan, ...(key && { clientKey: key }) })
  await writeFile(path, code.reveal())
  return path
}

test('set through Tor, with nothing but an invitation, ends with the receipt of the device', async () => {
  const { exit, said } = await account.json([
    'set',
    'porch-light',
    'on',
    'true',
    '--home',
    await invitation(clientKey),
  ])
  assert.equal(exit, 0, JSON.stringify(said))
  assert.deepEqual([said.way, said.verified, said.code], ['tor', true, 'ok'])
})

test('a person is shown how far the way through Tor has come', async () => {
  const { exit, err } = await account.run(['get', 'porch-light', '--home', await invitation(clientKey)])
  assert.equal(exit, 0, err)
  assert.match(err, /tor/i)
})

test('the tor that runs here is used when it is named, and has no key for a closed address', async () => {
  const { exit, said } = await account.json([
    'status',
    '--home',
    await invitation(undefined),
    '--tor-socks',
    onion.socksPath,
  ])
  assert.deepEqual([exit, said.code], [4, 'unreachable'])
  assert.match(said.message as string, /client key/)
})

test('a withdrawn client key ends at once with exit 4 and its cause', async () => {
  const { exit, said } = await account.json([
    'status',
    '--home',
    await invitation(new Secret(systemRandom.bytes(32))),
  ])
  assert.deepEqual([exit, said.code], [4, 'unreachable'])
  assert.match(said.message as string, /client key/)
})

test('an address that nobody published is given up with its cause, long before the patience for a slow home ends', async () => {
  const path = join(account.base, 'nowhere.txt')
  const nowhere = nativeEd25519().signer(systemRandom.bytes(32)).key
  await writeFile(path, writeHomeCode({ root: home.root.key, onion: nowhere, lan: [] }).reveal())
  const { exit, said } = await account.json(['status', '--home', path])
  assert.deepEqual([exit, said.code], [4, 'unreachable'])
  assert.match(said.message as string, /withdrawn, or is not published yet/)
  assert.match(said.next as string, /new invitation/)
})

test('another home behind the address is refused', async () => {
  home.claims = 'A'.repeat(43)
  const { exit, said } = await account.json(['status', '--home', await invitation(clientKey)])
  home.claims = undefined
  assert.deepEqual([exit, said.code], [3, 'wrong-audience'])
})

/** What tors of ours hold at this moment: kept, or for one run. */
function torFiles(): string[] {
  const runs = readdirSync(account.base).filter((name) => name.startsWith('shallot-tor-'))
  return [join(account.owner, 'tor'), ...runs.map((name) => join(account.base, name))]
    .filter((directory) => existsSync(directory))
    .flatMap((directory) =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    )
}

/** The guard that tor came to trust first. */
function guardIn(state: string): string | undefined {
  const guards = readFileSync(state, 'utf8').split('\n')
  return guards.find((line) => line.includes('confirmed_idx=0'))?.match(/rsa_id=(\w+)/)?.[1]
}

/** A `watch` through Tor that has begun to watch. */
async function startWatch() {
  const watch = account.start(['watch', '--home', await invitation(clientKey)])
  let said = ''
  watch.stderr.on('data', (chunk) => {
    said += chunk
  })
  home.twist = ({ method, path, answer }) => {
    if (`${method} ${path}` !== 'GET /events') return false
    answer.writeHead(200, { 'content-type': 'text/event-stream' }).write(': shallot\n\n')
    watching.resolve()
    return true
  }
  const watching = Promise.withResolvers<void>()
  watch.once('exit', () => watching.reject(new Error(`watch ended: ${said}`)))
  await watching.promise
  return watch
}

test('the guard of one command is the guard of the next', async () => {
  const state = join(account.owner, 'tor', 'state')
  const before = guardIn(state)
  assert.ok(before, 'the commands above chose one')
  assert.equal((await account.json(['status', '--home', await invitation(clientKey)])).exit, 0)
  assert.equal(guardIn(state), before)
})

test('a command beside one that goes on works, with the same guard; the client key is in no file', async () => {
  const watch = await startWatch()
  const second = await startWatch()
  const files = torFiles()
  const states = files.filter((file) => file.endsWith('/state'))
  assert.equal(states.length, 2)
  assert.equal(guardIn(states[0]!), guardIn(states[1]!))
  const forms = [toBase32(clientKey.reveal()), Buffer.from(clientKey.reveal()).toString('base64')]
  for (const file of files) {
    const held = readFileSync(file).toString('latin1').toLowerCase()
    for (const form of forms) assert.ok(!held.includes(form.toLowerCase().replace(/=+$/, '')), file)
  }
  for (const each of [watch, second]) {
    each.kill('SIGINT')
    await once(each, 'close')
  }
})

test('after a command was killed the next one works and clears away what it left', async () => {
  const watch = await startWatch()
  const second = await startWatch()
  for (const each of [watch, second]) each.kill('SIGKILL')
  await Promise.all([watch, second].map((each) => once(each, 'close')))
  const left = readdirSync(account.base).filter((name) => name.startsWith(`shallot-tor-${second.pid}-`))
  assert.equal(left.length, 1)
  const { exit, said } = await account.json(['status', '--home', await invitation(clientKey)])
  assert.equal(exit, 0, JSON.stringify(said))
  assert.ok(!existsSync(join(account.base, left[0]!)))
})
