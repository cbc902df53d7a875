// SPDX-License-Identifier: GPL-3.0-or-later
/** A script far away, with a narrow key and an address of its own: through real Tor, and from one address to the next. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadIdentity } from '../../daemon/config/identity.ts'
import { onionAddress, readHomeCode } from '../../daemon/core/identity/index.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { type LiveDevice, type LiveHome, openLiveHome, type Ran, type Said } from '../support/home.ts'
import { privateTor } from '../support/private-tor.ts'

let network: PrivateTor
let home: LiveHome
let light: LiveDevice
let file: string
let away: Record<string, string>

before(async () => {
  network = await privateTor()
  home = await openLiveHome({ network })
  light = await home.enrol('porch-light', 'porch-light')
  file = join(home.place, 'far.key')
  away = {
    SHALLOT_OWNER: join(home.place, 'nobody'),
    SHALLOT_DATA: join(home.place, 'nowhere'),
    SHALLOT_IDENTITY: file,
    SHALLOT_TORRC_EXTRA: home.joining(network, 'far'),
  }
  const args = ['token', 'add', 'far', 'porch-light', 'on', '--away', '--no-lan', '--out', file]
  await home.done(args)
})
after(async () => {
  await light?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
})

const far = (line: string): Promise<Ran> => home.json(line.split(' '), { environment: away })

async function done(line: string): Promise<Said> {
  const { exit, said, out } = await far(line)
  assert.equal(exit, 0, out)
  return said
}

/** Where the key file leads. */
function address(): string {
  const code = readHomeCode(loadIdentity(file).reach!.reveal())
  assert(code.ok)
  return onionAddress(code.value.onion)
}

const addresses = async () =>
  ((await home.done(['onion', 'list'])).invitations as Said[])
    .filter(({ name }) => name === 'script-far')
    .map((each) => each.address)

test('it does what it was granted, through Tor, and the log says who and by which way', {
  timeout: 240_000,
}, async () => {
  const said = await done('set porch-light on true')
  assert.deepEqual([said.way, said.verified, said.values], ['tor', true, { on: true }])
  const { entries } = (await home.done(['log', '--who', 'far'])) as { entries: Said[] }
  const command = entries.findLast(({ kind }) => kind === 'command')
  assert(command)
  assert.deepEqual([command.origin, (command.person as Said).name], ['onion:invitation:script-far', 'far'])
})

test('it is refused the rest by the same codes as at home', { timeout: 240_000 }, async () => {
  const answers = await Promise.all([far('set porch-light level 5'), far('status'), far('get nobody')])
  assert.deepEqual(
    answers.map(({ exit, said }) => [exit, said.code]),
    [
      [3, 'not-granted'],
      [3, 'forbidden'],
      [5, 'not-found'],
    ],
  )
})

test('a new address reaches it over the old one, and the old one goes', { timeout: 240_000 }, async () => {
  const before = address()
  const renewed = await home.done(['onion', 'renew', 'script-far'])
  assert.equal(renewed.was, before)
  for (let tries = 0; address() === before; tries++) {
    assert(tries < 20, 'it was never told')
    await done('get porch-light on')
  }
  assert.equal(address(), renewed.address)
  const said = await done('set porch-light on false')
  assert.equal(said.way, 'tor')
  assert.deepEqual(await addresses(), [renewed.address])
  const services = (await home.done(['status'])).services as Said[]
  assert(!services.some((each) => each.address === before), JSON.stringify(services))
})

test('taken back, it is known no more, and its address is gone', { timeout: 240_000 }, async () => {
  await home.done(['token', 'remove', 'far', '--yes'])
  const { exit, said } = await far('set porch-light on true')
  assert.deepEqual([exit, said.code], [4, 'unreachable'])
  assert.deepEqual(await addresses(), [])
})
