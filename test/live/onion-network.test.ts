// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { claimAnyPorts, claimPorts, PORTS_PER_RANGE } from '../../scripts/private-tor/ports.ts'
import { findSnapshots } from '../../scripts/private-tor/snapshot.ts'
import { RELAYS_MAX } from '../../scripts/private-tor/torrc.ts'
import { openPrivateTor, type PrivateTor } from '../../scripts/private-tor.ts'
import { onionOn } from '../support/private-tor.ts'

const PROGRAM = join(import.meta.dirname, '..', '..', 'scripts', 'private-tor.ts')
const deps = { clock: systemClock, random: systemRandom }
const soon = () => AbortSignal.timeout(90_000)

let store: string
const copies: string[] = []

before(async () => {
  store = await mkdtemp(join(tmpdir(), 'snapshots-'))
})

after(async () => {
  for (const folder of [store, ...copies]) await rm(folder, { recursive: true, force: true })
})

async function bootstraps(network: PrivateTor): Promise<void> {
  await using onion = await onionOn(network)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  using _listener = onion.onChange(() => onion.bootstrap().ready && resolve())
  soon().addEventListener('abort', () => reject(new Error(onion.bootstrap().summary)))
  if (!onion.bootstrap().ready) await promise
}

async function copyOfStore(name: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), `snapshots-${name}-`))
  copies.push(copy)
  await cp(store, copy, { recursive: true })
  return copy
}

async function versionIn(folder: string): Promise<string> {
  const [name] = await readdir(folder)
  const manifest = JSON.parse(await readFile(join(folder, name!, 'manifest.json'), 'utf8'))
  return (manifest as { torVersion: string }).torVersion
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(socket.destroy() === socket))
    socket.once('error', () => resolve(false))
  })
}

async function gone(basePort: number): Promise<boolean> {
  const ports = Array.from({ length: 10 }, (_, i) => basePort + i)
  for (let i = 0; i < 300; i++) {
    if (!(await Promise.all(ports.map(accepts))).includes(true)) return true
    await setTimeout(100)
  }
  return false
}

/** Runs the command until it has printed its one line of JSON. */
async function run(
  ...args: string[]
): Promise<{ command: ChildProcess; basePort: number; directory: string }> {
  const command = spawn(process.execPath, [PROGRAM, '--json', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let printed = ''
  for await (const text of command.stdout) {
    printed += text
    if (printed.includes('\n')) break
  }
  return { command, ...(JSON.parse(printed) as { basePort: number; directory: string }) }
}

test('a network starts from nothing, sleeps in a snapshot, and wakes from it', async () => {
  {
    await using network = await openPrivateTor(deps, { snapshots: store }, soon())
    assert.equal(network.startedFrom, 'nothing')
    await bootstraps(network)
  }
  assert.equal((await readdir(store)).length, 1)
  await using network = await openPrivateTor(deps, { snapshots: store }, soon())
  assert.equal(network.startedFrom, 'snapshot')
  await bootstraps(network)
})

test('a network beside a sleeping one takes its ports from nobody, and a range in use is refused', async () => {
  await using one = await openPrivateTor(deps, { snapshots: store }, soon())
  await using two = await openPrivateTor(deps, { snapshots: store }, soon())
  assert.deepEqual([one.startedFrom, two.startedFrom], ['snapshot', 'nothing'])
  assert.ok(Math.abs(one.basePort - two.basePort) >= 10)
  const third = openPrivateTor(deps, { snapshots: false, basePort: two.basePort }, soon())
  await assert.rejects(third, /are not free/)
})

test('a network of more relays owns two ranges, and gives back what it could not have whole', async () => {
  const { basePort: first, ...three } = await claimAnyPorts(systemRandom.fraction, 3)
  await three[Symbol.asyncDispose]()
  const [second, third] = [first + PORTS_PER_RANGE, first + 2 * PORTS_PER_RANGE]
  {
    const claim = await claimPorts(second, 2)
    assert.notEqual(claim, undefined)
    await using _both = claim!
    for (const base of [second, third]) assert.equal(await claimPorts(base), undefined)
    assert.equal(await claimPorts(first, 2), undefined)
    const alone = await claimPorts(first)
    assert.notEqual(alone, undefined)
    await alone![Symbol.asyncDispose]()
  }
  const again = await claimPorts(second, 2)
  assert.notEqual(again, undefined)
  await again![Symbol.asyncDispose]()
})

test('a network of fewer or more relays than it has ports for is refused', async () => {
  for (const relays of [2, RELAYS_MAX + 1]) {
    await assert.rejects(openPrivateTor(deps, { snapshots: false, relays }, soon()), /are not 3 to 11/)
  }
})

test('a snapshot that is stale, of the future, of another tor or damaged is not used', async () => {
  const now = systemClock.now()
  const [stale, future, other, damaged] = await Promise.all(['a', 'b', 'c', 'd'].map(copyOfStore))
  const torVersion = await versionIn(store)
  assert.ok((await findSnapshots(store, torVersion, now)).length > 0)
  assert.deepEqual(await findSnapshots(stale!, torVersion, now + 86_400_000), [])
  assert.deepEqual(await findSnapshots(future!, torVersion, now - 86_400_000), [])
  assert.deepEqual(await findSnapshots(other!, `${torVersion}1`, now), [])
  for (const name of await readdir(damaged!)) {
    const consensus = join(damaged!, name, 'authority', 'cached-microdesc-consensus')
    await writeFile(consensus, (await readFile(consensus, 'utf8')).replace('Running', 'Crawling'))
  }
  assert.deepEqual(await findSnapshots(damaged!, torVersion, now), [])
  assert.deepEqual(await readdir(damaged!), [])
})

test('the command ends its tors when it is interrupted, and they end by themselves when it is killed', async () => {
  const interrupted = await run()
  assert.equal(await accepts(interrupted.basePort), true)
  interrupted.command.kill('SIGINT')
  const [code] = await once(interrupted.command, 'exit')
  assert.equal(code, 0)
  assert.equal(await accepts(interrupted.basePort), false)
  const killed = await run()
  killed.command.kill('SIGKILL')
  await once(killed.command, 'exit')
  assert.equal(await gone(killed.basePort), true)
  await rm(killed.directory, { recursive: true, force: true })
})

test('closing while it starts leaves nothing behind', async () => {
  const stop = new AbortController()
  const directory = await mkdtemp(join(tmpdir(), 'private-'))
  copies.push(directory)
  const said: string[] = []
  const opening = openPrivateTor(
    deps,
    {
      snapshots: false,
      directory,
      basePort: 21_990,
      say: (sentence) => {
        said.push(sentence)
        if (said.length === 2) stop.abort(new Error('enough'))
      },
    },
    stop.signal,
  )
  await assert.rejects(opening, /enough/)
  assert.equal(await gone(21_990), true)
})
