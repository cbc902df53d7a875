// SPDX-License-Identifier: GPL-3.0-or-later
/** The CLI and the daemon as two processes, and a device between them: what test/unit/cli holds against a fake, held against the home itself. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../daemon/base/clock.ts'
import { loadOwner } from '../../daemon/config/keyring.ts'
import { type Frame, nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { readEnrolCode, readHomeCode, writeHomeCode } from '../../daemon/core/identity/index.ts'
import { webCaCertificate, webKey } from '../../daemon/core/identity/web-certificates.ts'
import {
  type DeviceKeys,
  type DeviceSession,
  deviceKeys,
  enrolDevice,
  openSession,
} from '../../scripts/device/index.ts'
import { Account } from '../unit/cli/as-user.ts'

const account = new Account()
const keys: DeviceKeys = deviceKeys(nativeEd25519())
let daemon: ChildProcess
let device: DeviceSession
let alive: Disposable
let lanOrigin: string

before(async () => {
  await account.init()
  daemon = startDaemon()
  await until(() => existsSync(join(account.data, 'api.sock')))
  lanOrigin = (await account.json(['status'])).said.lan as string
})
after(async () => {
  alive?.[Symbol.dispose]()
  device?.vanish()
  await stopDaemon()
  account[Symbol.dispose]()
})

/** @param host  where it listens; the one that everybody starts with is a wildcard */
function startDaemon(host = '127.0.0.1'): ChildProcess {
  const entry = resolve(import.meta.dirname, '../../daemon/cli/shallot.js')
  const args = [
    'daemon',
    '--tor',
    'off',
    '--link-host',
    host,
    '--link-port',
    '0',
    '--lan-host',
    host,
    '--lan-port',
    '0',
    '--log-level',
    'error',
  ]
  const env = { PATH: process.env.PATH ?? '', HOME: account.base, SHALLOT_DATA: account.data }
  return spawn(process.execPath, [entry, ...args], { env, stdio: 'ignore' })
}

async function stopDaemon(): Promise<number | null> {
  const gone = new Promise<number | null>((done) => daemon.once('exit', done))
  daemon.kill('SIGTERM')
  return gone
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !holds(); tries++) await systemClock.sleep(50)
  assert.ok(holds(), 'it did not come')
}

/** What a lamp does: takes note, does it, seals a receipt. */
function obey(session: DeviceSession): void {
  session.onEnvelope = (frame: Frame) => {
    try {
      const { body } = session.openCommand(frame)
      session.got(frame)
      const values =
        body.value === undefined ? [] : [{ affordance: body.affordance, at: 0, value: body.value }]
      session.receipt(frame, 0, values)
    } catch {
      // An owner or an enrolment: papers, not commands.
    }
  }
}

test('enrol, the device, --confirm: the device is known, named and confirmed', async () => {
  const begun = await account.json(['enrol', 'porch-light', '--no-wait'])
  assert.equal(begun.exit, 0, JSON.stringify(begun.said))
  const code = readEnrolCode(begun.said.code as string)
  assert.ok(code.ok)
  const { host, port, hubCas, secret } = code.value
  const hub = { host, port, hubCaKeys: hubCas, homeId: loadOwner(account.owner).home }
  const { certificate } = await enrolDevice(hub, keys, secret.reveal())
  device = await openSession(hub, keys, certificate)
  alive = systemClock.every(10_000, () => device.wire.keepAlive())
  obey(device)
  const done = await account.json(['enrol', '--confirm', 'porch-light'])
  assert.equal(done.exit, 0, JSON.stringify(done.said))
  assert.deepEqual(done.said.device, { id: keys.id, name: 'porch-light', confirmed: true })
  const shown = await account.json(['device', 'show', 'porch-light'])
  assert.equal((shown.said.device as { confirmed: boolean }).confirmed, true)
})

test('enrol waits: it prints the code first and ends when the device came', async () => {
  const running = account.run(['enrol', 'lamp', '--json'])
  await until(() => existsSync(join(account.owner, 'enrolments')))
  // The code is on the CLI's own stdout; a second look at the pending file stands for the eye that reads it.
  await until(() => readdirSync(join(account.owner, 'enrolments')).length > 0)
  const [file] = readdirSync(join(account.owner, 'enrolments'))
  const { secret } = JSON.parse(readFileSync(join(account.owner, 'enrolments', file!), 'utf8'))
  const facts = loadOwner(account.owner)
  const { link } = (await account.json(['status'])).said as { link: { host: string; port: number } }
  const hub = { ...link, hubCaKeys: facts.hubCas, homeId: facts.home }
  const lamp = deviceKeys(nativeEd25519())
  await enrolDevice(hub, lamp, Uint8Array.fromBase64(secret, { alphabet: 'base64url' }))
  const { out, exit } = await running
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(exit, 0, out)
  assert.deepEqual(
    lines.map(({ stage }) => stage),
    ['code', 'confirmed'],
  )
  assert.equal(lines[1].device.id, lamp.id)
})

test('set reaches the device and comes back with its receipt', async () => {
  const { exit, said } = await account.json(['set', 'porch-light', 'on', 'true'])
  assert.equal(exit, 0, JSON.stringify(said))
  assert.deepEqual(
    (said.stages as { stage: string }[]).map(({ stage }) => stage),
    ['sent', 'at-hub', 'at-device', 'done'],
  )
  assert.deepEqual([said.verified, said.values, said.way], [true, { on: true }, 'unix'])
  assert.equal((await account.run(['get', 'porch-light', 'on'])).out, 'on\n')
})

test('many commands at once are each answered, none as a replay', async () => {
  const runs = await Promise.all(
    [1, 2, 3, 4].map((level) => account.json(['set', 'porch-light', 'level', String(level)])),
  )
  assert.deepEqual(
    runs.map(({ exit }) => exit),
    [0, 0, 0, 0],
    JSON.stringify(runs.map(({ said }) => said)),
  )
})

test('history and the log hold what was done', async () => {
  await device.reading([{ affordance: 2, at: systemClock.now(), value: 77 }])
  const history = await account.json(['history', 'porch-light', 'level'])
  assert.ok((history.said.samples as { value: number }[]).some(({ value }) => value === 77))
  const log = await account.json(['log', 'show', '--limit', '100'])
  const kinds = (log.said.entries as { kind: string }[]).map(({ kind }) => kind)
  for (const kind of ['permit', 'enrolled', 'confirmed', 'command', 'receipt'])
    assert.ok(kinds.includes(kind), kind)
  assert.equal((await account.json(['log', 'verify'])).exit, 0)
})

const READINGS_MAX = 300

/** `watch --json` beside a device that reports again and again, until it has told of a reading; then Ctrl-C. */
async function watchOneReading(): Promise<{ line: string; exit: number | null }> {
  const watch = account.start(['watch', 'porch-light', '--json'])
  const closed = once(watch, 'close')
  let out = ''
  watch.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
  })
  const told = () => out.split('\n').find((line) => line.includes('"event":"reading"') && line.endsWith('}'))
  for (let value = 0; value < READINGS_MAX && !told(); value++) {
    await device.reading([{ affordance: 2, at: systemClock.now(), value: value % 100 }])
    await systemClock.sleep(100)
  }
  watch.kill('SIGINT')
  const [exit] = await closed
  return { line: told() ?? '', exit }
}

test('watch tells of a reading as it comes', async () => {
  const { line, exit } = await watchOneReading()
  assert.equal(exit, 0)
  assert.match(line, /"event":"reading".*"property":"level"/)
})

test('--home drives the same home over the LAN, with the CA of the code and no flag to choose', async () => {
  const { root } = loadOwner(account.owner)
  const scalar = Uint8Array.from(readFileSync(join(account.data, 'web-ca.key')))
  const file = join(account.base, 'home.txt')
  const webCa = webCaCertificate(webKey(scalar))
  writeFileSync(file, writeHomeCode({ root, onion: root, lan: [lanOrigin], webCa }).reveal())
  // Should the LAN fail, nothing else may be tried from a test.
  const elsewhere = ['--home', file, '--tor-socks', join(account.base, 'no-tor')]
  const { exit, said } = await account.json(['set', 'porch-light', 'on', 'false', ...elsewhere])
  assert.equal(exit, 0, JSON.stringify(said))
  assert.deepEqual([said.way, said.values], ['lan', { on: false }])
})

test('a LAN page under another CA is passed over', async () => {
  const { root } = loadOwner(account.owner)
  const file = join(account.base, 'false-home.txt')
  const webCa = webCaCertificate(webKey(new Uint8Array(32).fill(7)))
  writeFileSync(file, writeHomeCode({ root, onion: root, lan: [lanOrigin], webCa }).reveal())
  const nowhere = join(account.base, 'no-tor')
  const { exit, said } = await account.json(['status', '--home', file, '--tor-socks', nowhere])
  assert.deepEqual([exit, said.code], [4, 'unreachable'])
})

/** `a.b`, `list[].c`; the members of a map from names to things are one `*`; a Thing Description has rules of its own. */
function keysOf(value: unknown, path = ''): string[] {
  if (path === 'description') return [path]
  if (Array.isArray(value)) return value.flatMap((each) => keysOf(each, `${path}[]`))
  if (typeof value !== 'object' || value === null) return [path]
  const isMap = /^(?:properties|values)$/.test(path)
  const inside = Object.entries(value).flatMap(([key, each]) =>
    keysOf(each, `${path}${path === '' ? '' : '.'}${isMap ? '*' : key}`),
  )
  return inside.length > 0 ? inside : [isMap ? `${path}.*` : path]
}

/** A grant with everything that it may have. */
const TERMS = ['--hours', 'daily 0-24', '--from', '2026-01-01', '--until', '1d', '--uses', '3']

test('the objects of --json have the keys that scripts rely on, and no others', async () => {
  const file = join(import.meta.dirname, 'cli-json-keys.json')
  const promised: Record<string, string[]> = JSON.parse(readFileSync(file, 'utf8'))
  const elsewhere = ['--owner', join(account.base, 'o2'), '--data', join(account.base, 'd2')]
  await device.reading([{ affordance: 2, at: systemClock.now(), value: 7 }])
  const got: Record<string, string[]> = {}
  const runs: readonly (readonly [string, readonly string[], string?])[] = [
    ['init', ['init', ...elsewhere]],
    ['init --words-out', ['init', '--words-out', 'words.txt', '--owner', 'o3', '--data', 'd3']],
    ['restore', ['restore', '--owner', 'o4', '--data', 'd4'], 'words.txt'],
    ['status', ['status']],
    ['enrol --no-wait', ['enrol', 'attic', '--no-wait']],
    ['device list', ['device', 'list']],
    ['device show', ['device', 'show', 'porch-light']],
    ['get', ['get', 'porch-light']],
    ['get property', ['get', 'porch-light', 'level']],
    ['set', ['set', 'porch-light', 'on', 'true']],
    ['invoke', ['invoke', 'porch-light', 'toggle']],
    ['history', ['history', 'porch-light', 'level']],
    ['expose', ['expose', 'porch-light']],
    ['expose --all', ['expose', '--all', '--no-wait']],
    ['hide', ['hide', 'porch-light']],
    ['onion invite', ['onion', 'invite', 'carl']],
    ['onion list', ['onion', 'list']],
    ['onion renew', ['onion', 'renew', 'carl']],
    ['onion withdraw', ['onion', 'withdraw', 'carl']],
    ['person add', ['person', 'add', 'sitter']],
    ['person list', ['person', 'list']],
    ['grant, promised', ['grant', 'sitter', 'porch-light', 'on', ...TERMS]],
    ['grants, promised', ['grants', 'sitter']],
    ['phone add --no-wait', ['phone', 'add', 'phone', '--person', 'sitter', '--no-wait', '--auth']],
    ['why', ['why', 'sitter', 'porch-light', 'on']],
    ['revoke', ['revoke', 'sitter']],
    ['person remove', ['person', 'remove', 'sitter', '--yes']],
    ['group add', ['group', 'add', 'lamps', 'porch-light']],
    ['group list', ['group', 'list']],
    ['group remove', ['group', 'remove', 'lamps', 'porch-light']],
    ['token add', ['token', 'add', 'blinds', 'porch-light', 'on', ...TERMS]],
    ['token add --away', ['token', 'add', 'far', 'porch-light', 'on', '--away']],
    ['token add --bearer', ['token', 'add', 'dashboard', 'everything', 'on:read', '--bearer']],
    ['token list', ['token', 'list']],
    ['grants', ['grants', 'blinds']],
    ['phone list', ['phone', 'list']],
    ['token remove', ['token', 'remove', 'blinds', '--yes']],
    ['token remove, bearer', ['token', 'remove', 'dashboard', '--yes']],
    ['owner list', ['owner', 'list']],
    ['revoke --start-over', ['revoke', '--start-over']],
    ['log', ['log']],
    ['log verify', ['log', 'verify']],
    ['config show', ['config', 'show']],
    ['device rename', ['device', 'rename', 'porch-light', 'porch-light-2']],
    ['device rename back', ['device', 'rename', 'porch-light-2', 'porch-light']],
    ['device adopt', ['device', 'adopt', 'porch-light']],
    ['--help', ['--help']],
    ['--version', ['--version']],
    ['an error', ['device', 'forget', 'porch-light']],
    ['an error with a next step', ['status', '--data', 'nowhere']],
  ]
  for (const [name, args, input] of runs) {
    const typed = input === undefined ? '' : readFileSync(join(account.base, input), 'utf8')
    const { said } = await account.json(args, typed)
    got[name] = [...new Set(keysOf(said))].sort()
  }
  const { line } = await watchOneReading()
  got.watch = [...new Set(keysOf(JSON.parse(line || 'null')))].sort()
  assert.deepEqual(got, promised)
})

test('rename, and the new name is what an owner sealed', async () => {
  assert.equal((await account.json(['device', 'rename', 'porch-light', 'front-door'])).exit, 0)
  const { exit, said } = await account.json(['set', 'front-door', 'on', 'true'])
  assert.equal(exit, 0, JSON.stringify(said))
  assert.equal((said.device as { confirmed: boolean }).confirmed, true)
  assert.equal((await account.json(['get', 'porch-light'])).exit, 5)
})

test('invite, list, withdraw', async () => {
  const invited = await account.json(['onion', 'invite', 'anna'])
  assert.equal(invited.exit, 0, JSON.stringify(invited.said))
  assert.match(invited.said.code as string, /^shallot:home:/)
  assert.equal((await account.json(['onion', 'invite', 'anna', '--no-auth'])).said.code, 'conflict')
  const list = await account.json(['onion', 'list'])
  assert.ok((list.said.invitations as { name: string }[]).some(({ name }) => name === 'anna'))
  assert.equal((await account.json(['onion', 'withdraw', 'anna'])).exit, 0)
  assert.equal((await account.json(['onion', 'withdraw', 'anna'])).exit, 5)
})

test('expose and hide', async () => {
  assert.equal((await account.json(['expose', 'front-door'])).exit, 0)
  assert.equal((await account.json(['hide', 'front-door'])).exit, 0)
  assert.equal((await account.json(['hide', 'front-door'])).exit, 5)
})

test('a device that went away is exit 4, not a success', async () => {
  alive[Symbol.dispose]()
  device.vanish()
  const { exit, said } = await account.json(['set', 'front-door', 'on', 'true', '--within', '2s'])
  assert.deepEqual([exit, said.code], [4, 'expired'])
})

test('forget, and it is gone', async () => {
  assert.equal((await account.json(['device', 'forget', 'front-door', '--yes'])).exit, 0)
  const { exit, said } = await account.json(['set', 'front-door', 'on', 'true'])
  assert.deepEqual([exit, said.code], [5, 'not-found'])
})

test('the daemon ends when it is told to, with exit 0', async () => {
  assert.equal(await stopDaemon(), 0)
  daemon = startDaemon()
  await until(() => existsSync(join(account.data, 'api.sock')))
})

test('a home that listens everywhere, as by default, is told and carried by an address of its machine', async () => {
  await stopDaemon()
  daemon = startDaemon('0.0.0.0')
  await until(() => existsSync(join(account.data, 'api.sock')))
  const { said } = await account.json(['status'])
  const { out } = await account.run(['status'])
  assert.doesNotMatch(`${JSON.stringify(said)}${out}`, /0\.0\.0\.0/)
  const begun = await account.json(['enrol', 'shed', '--no-wait'])
  assert.equal(begun.exit, 0, JSON.stringify(begun.said))
  const enrolled = readEnrolCode(begun.said.code as string)
  assert.ok(enrolled.ok)
  assert.match(enrolled.value.host, /^(?!0\.0\.0\.0$)[0-9a-f.:]+$/)
  const invited = readHomeCode((await account.json(['onion', 'invite', 'bob'])).said.code as string)
  assert.ok(invited.ok)
  assert.equal(invited.value.lan.length, 1)
  assert.doesNotMatch(invited.value.lan[0]!, /0\.0\.0\.0/)
})
