// SPDX-License-Identifier: GPL-3.0-or-later
/** `shallot provision` as a person runs it: the CLI, a daemon and a device as three processes, and a pseudo-terminal for a cable. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../daemon/base/clock.ts'
import { startOnHost } from '../../scripts/emulator.ts'
import { buildFirmware, programPath } from '../../scripts/firmware.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { Account } from '../unit/cli/as-user.ts'
import { Terminal } from '../unit/cli/terminal.ts'

const PASSWORD = 'correct horse battery'
const ENTRY = resolve(import.meta.dirname, '../../daemon/cli/shallot.js')
const account = new Account()
let daemon: ChildProcess

before(async () => {
  await account.init()
  const where = ['--link-host', '127.0.0.1', '--link-port', '0', '--lan-host', '127.0.0.1', '--lan-port', '0']
  daemon = spawn(process.execPath, [ENTRY, 'daemon', '--tor', 'off', '--log-level', 'error', ...where], {
    env: account.variables(),
    stdio: 'ignore',
  })
  for (let tries = 0; tries < 600 && !existsSync(join(account.data, 'api.sock')); tries++) {
    await systemClock.sleep(50)
  }
  writeFileSync(join(account.base, 'wifi.txt'), `${PASSWORD}\n`, { mode: 0o600 })
  writeFileSync(join(account.base, 'wrong.txt'), 'wrong horse battery\n', { mode: 0o600 })
})
after(async () => {
  const gone = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  await gone
  account[Symbol.dispose]()
})

/** A board in a place with one Wi-Fi, on a cable: its port. */
async function board(): Promise<Firmware & { port: string }> {
  const world = { wifi: `Home\n${PASSWORD}` }
  const firmware = await startFirmware({ port: 'sanitize', program: 'porch-light', world, serial: true })
  const port = (await firmware.line(/^serial /)).split(' ')[1]!
  return Object.assign(firmware, { port })
}

const wifi = (file = 'wifi.txt') => ['--wifi', 'Home', '--password-file', file]
const stagesIn = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).stage)

test('one command: the device is in the Wi-Fi, enrolled, confirmed and obeys', async () => {
  await using device = await board()
  const ran = await account.json(['provision', 'porch-light', '--port', device.port, ...wifi()])
  assert.equal(ran.exit, 0, ran.out + ran.err)
  assert.deepEqual(stagesIn(ran.out), ['device', 'joining', 'enrolling', 'confirmed'])
  assert.deepEqual((ran.said.device as { confirmed: boolean }).confirmed, true)
  await device.line(/^connected/)
  assert.equal((await account.json(['set', 'porch-light', 'on', 'true'])).exit, 0)
  for (const said of [ran.out, ran.err, device.lines.join('\n')]) assert.ok(!said.includes(PASSWORD))
  const settings = execFileSync('stty', ['-F', device.port, '-a'], { encoding: 'utf8' })
  assert.match(settings, /speed 115200 baud/)
  assert.match(settings, /-icanon/)
  assert.match(settings, /-echo /)
})

test('a person is asked for the password, sees none of it, and sees what happens', async () => {
  await using device = await board()
  const terminal = new Terminal(account, ['provision', 'hall', '--port', device.port])
  await terminal.sees(/Name of the Wi-Fi: $/)
  terminal.type('Home\r')
  await terminal.sees(/Password of Home \(not shown.*\): $/)
  terminal.type(`${PASSWORD}\r`)
  assert.equal(await terminal.exit(), 0, terminal.screen)
  assert.match(terminal.screen, /host with porch-light .* is on \/dev\/pts/)
  assert.match(terminal.screen, /hall is enrolled and confirmed/)
  assert.ok(!terminal.screen.includes(PASSWORD))
})

test('a wrong password is the device’s own answer; the next try works, and knows the network then', async () => {
  await using device = await board()
  const provision = (...more: string[]) =>
    account.json(['provision', 'cellar', '--port', device.port, ...more])
  const wrong = await provision(...wifi('wrong.txt'))
  assert.deepEqual([wrong.exit, wrong.said.code], [3, 'wifi-refused'])
  assert.match(wrong.said.next as string, /right password/)
  assert.equal(
    (await account.json(['enrol', '--confirm', 'cellar'])).said.code,
    'not-found',
    'no code is left',
  )
  const onlyWifi = await account.json(['provision', '--port', device.port, ...wifi()])
  assert.equal(onlyWifi.exit, 0, onlyWifi.out)
  assert.deepEqual(stagesIn(onlyWifi.out), ['device', 'joining', 'done'])
  const right = await provision()
  assert.equal(right.exit, 0, right.out)
  assert.deepEqual(stagesIn(right.out), ['device', 'enrolling', 'confirmed'])
})

test('a cable that is pulled out while the device enrols: said, with how to go on', async () => {
  await using device = await board()
  const provisioning = account.json(['provision', 'attic', '--port', device.port, ...wifi()])
  await device.line(/^wifi 0/)
  await device.kill()
  const { exit, said } = await provisioning
  // It may have been quicker than the cut.
  if (exit === 0) return assert.equal(said.stage, 'confirmed')
  assert.deepEqual([exit, said.code], [4, 'link-closed'])
  assert.match(said.next as string, /enrol --confirm attic/)
})

test('a cable that is pulled out before anything was handed over: nothing happened', async () => {
  await using device = await board()
  const terminal = new Terminal(account, ['provision', 'loft', '--port', device.port])
  await terminal.sees(/Name of the Wi-Fi: $/)
  await device.kill()
  terminal.type('Home\r')
  await terminal.sees(/Password of Home/)
  terminal.type(`${PASSWORD}\r`)
  assert.equal(await terminal.exit(), 4)
  assert.match(terminal.screen, /is gone: the cable was unplugged/)
  assert.ok(!terminal.screen.includes(PASSWORD))
})

test('no port, and what is no serial port, are told apart', async () => {
  const at = (port: string) => account.json(['provision', 'x', '--port', port, ...wifi()])
  const none = await at('/dev/ttyUSB99')
  assert.deepEqual([none.exit, none.said.code], [5, 'missing'])
  assert.match(none.said.next as string, /port/)
  const file = await at(join(account.base, 'wifi.txt'))
  assert.deepEqual([file.exit, file.said.code], [2, 'usage'])
})

/** The app with this header in it. Everything else was built already, and is the same. */
function buildWith(header: string, out: string): string {
  buildFirmware('sanitize', ['porch-light'])
  mkdirSync(out)
  const built = programPath('sanitize', 'porch-light')
  execFileSync('cp', ['-al', dirname(built), out])
  const program = join(out, 'sanitize', 'porch-light')
  for (const stale of [program, join(out, 'sanitize/ours/core/built_in.o')]) rmSync(stale)
  const firmware = resolve(import.meta.dirname, '../../firmware')
  const wolfssl = resolve(import.meta.dirname, '../../.build/wolfssl/source')
  const where = [`OUT=${out}`, `WOLFSSL=${wolfssl}`, `PROVISION=${header}`]
  execFileSync('make', ['--silent', '-C', firmware, ...where, program], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return program
}

test('compiled in: the header is private, is not overwritten, and a device that holds it comes up by itself', async () => {
  const args = ['provision', 'shed', '--header', 'shed.h', ...wifi()]
  const { exit, said } = await account.json(args)
  assert.equal(exit, 0, JSON.stringify(said))
  const path = join(account.base, 'shed.h')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const before = readFileSync(path)
  assert.equal((await account.json(args)).said.code, 'conflict')
  assert.deepEqual(readFileSync(path), before)
  const begun = readdirSync(join(account.owner, 'enrolments')).length
  const nowhere = await account.json(['provision', 'shed', '--header', 'no/such/folder.h', ...wifi()])
  assert.equal(nowhere.said.code, 'conflict')
  assert.equal(
    readdirSync(join(account.owner, 'enrolments')).length,
    begun,
    'no code is left that nobody has',
  )
  const program = buildWith(path, join(account.base, 'out'))
  const directory = join(account.base, 'board')
  mkdirSync(join(directory, 'world'), { recursive: true, mode: 0o700 })
  writeFileSync(join(directory, 'world', 'wifi'), `Home\n${PASSWORD}\n`)
  const child = startOnHost(program, directory)
  const gone = once(child, 'exit')
  const confirmed = await account.json(['enrol', '--confirm', 'shed'])
  child.kill()
  await gone
  assert.equal(confirmed.exit, 0, confirmed.out)
})
