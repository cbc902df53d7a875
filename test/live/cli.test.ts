// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
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

test('another home behind the address is refused', async () => {
  home.claims = 'A'.repeat(43)
  const { exit, said } = await account.json(['status', '--home', await invitation(clientKey)])
  home.claims = undefined
  assert.deepEqual([exit, said.code], [3, 'wrong-audience'])
})
