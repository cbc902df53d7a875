// SPDX-License-Identifier: GPL-3.0-or-later
/** The promise that nothing leaves the house but by Tor (SECURITY.md), held against the kernel's own counters. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BareTor, startTor } from '../../scripts/bench/tor.ts'
import { buildFirmware, programPath } from '../../scripts/firmware.ts'
import { adopt, type Child } from '../../scripts/home/children.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { LiveHome, openLiveHome, type Said } from '../support/home.ts'
import { type Attempts, Namespace } from '../support/namespace.ts'
import { privateTor } from '../support/private-tor.ts'

const ENTRY = resolve(import.meta.dirname, '../../daemon/cli/shallot.js')
const HUB = '10.77.0.1'
const NOTHING: Attempts = { connects: 0, datagrams: 0, icmp: 0, noRoute: 0, loopback: 0 }

let network: PrivateTor
let outside: Namespace
let house: Namespace
let torPlace: string
let tor: BareTor
let home: LiveHome
let cabin: LiveHome
let daemon: Child
let device: Child | undefined

before(async () => {
  network = await privateTor()
  house = await Namespace.open()
  outside = await Namespace.open()
  Namespace.cable(house, HUB, outside, '10.77.0.2')
  torPlace = mkdtempSync('/tmp/sh-tor-')
  tor = await startTor(network, torPlace)
  home = new LiveHome()
  await home.found()
  daemon = await startInHouse()
  cabin = await openLiveHome({ network, words: home.words, as: 'cabin' })
})
after(async () => {
  await device?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
  await cabin?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
  await tor?.[Symbol.asyncDispose]()
  rmSync(torPlace, { recursive: true, force: true, maxRetries: 5 })
  await outside?.[Symbol.asyncDispose]()
  await house?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
})

/** The whole daemon, where there is nothing but the LAN it serves and two unix sockets of a tor that is elsewhere. */
async function startInHouse(): Promise<Child> {
  const files = { control: join(torPlace, 'control'), socks: tor.socks.path }
  const sockets = ['--tor-control-socket', files.control, '--tor-socks-socket', files.socks]
  const places = [
    '--link-host',
    HUB,
    '--link-port',
    String(home.linkPort),
    '--lan-host',
    HUB,
    '--lan-port',
    '25622',
  ]
  const [program, ...enter] = house.enter
  const args = [...enter, process.execPath, ENTRY, 'daemon', '--tor', 'existing', ...sockets, ...places]
  const env = { PATH: process.env.PATH, HOME: home.place, SHALLOT_DATA: home.data, SHALLOT_OWNER: home.owner }
  const child = spawn(program, args, { env, cwd: home.place, stdio: ['ignore', 'pipe', 'pipe'] })
  const adopted = adopt(child, () => child.kill('SIGTERM'))
  await adopted.line(/"event":"ready"/, 20_000)
  return adopted
}

/** Firmware on the other end of the LAN's cable. */
function startDevice(code: string): Child {
  buildFirmware('host', ['porch-light'])
  const directory = join(home.place, 'porch-light')
  mkdirSync(join(directory, 'world'), { recursive: true, mode: 0o700 })
  writeFileSync(join(directory, 'code'), code, { mode: 0o600 })
  const [program, ...enter] = outside.enter
  const child = spawn(program, [...enter, programPath('host', 'porch-light'), directory], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  return adopt(child, () => child.kill('SIGTERM'))
}

const eventually = async (what: string, holds: () => Promise<boolean>) => {
  for (let tries = 0; tries < 120; tries++) {
    if (await holds()) return
    await sleep(1000)
  }
  assert.fail(what)
}

test('a daemon with devices, page and mesh sends nothing but answers on its LAN', {
  timeout: 300_000,
}, async () => {
  await home.done(['enrol', 'porch-light'], {
    onLine: (line) => {
      const { stage, code } = JSON.parse(line)
      if (stage === 'code') device = startDevice(code)
    },
  })
  let joined: Promise<Said> | undefined
  await home.done(['mesh', 'invite'], {
    onLine: (line) => {
      const { stage, code } = JSON.parse(line)
      if (stage === 'code') joined = cabin.done(['mesh', 'join', code])
    },
  })
  await joined
  await eventually('the light is seen and switched from the other home', async () => {
    const { exit } = await cabin.json(['set', 'hub/porch-light', 'on', 'true'])
    return exit === 0
  })
  const page = `fetch('https://${HUB}:25622/.well-known/shallot').then((r) => r.text()).then(console.log)`
  const env = ['env', 'NODE_TLS_REJECT_UNAUTHORIZED=0']
  assert.match(outside.run(...env, process.execPath, '--no-warnings', '-e', page), /"home":/)
  await eventually('its own address was reached from outside', async () => {
    const { services } = (await home.done(['status'])) as { services: Said[] }
    return services.some(({ status }) => (status as Said).state === 'reachable')
  })
  assert.deepEqual(house.attempts(), NOTHING)
})

for (const [what, script, counted] of [
  ['a connection to an address', "require('net').connect(80, '192.0.2.1').on('error', () => {})", 'noRoute'],
  ['a name look-up', "require('dns').lookup('example.org', () => {})", undefined],
  [
    'a datagram',
    "require('dgram').createSocket('udp4').send('x', 9, '192.0.2.1', () => process.exit())",
    'noRoute',
  ],
  [
    'a connection on the loopback',
    "require('net').connect(9, '127.0.0.1').on('error', () => {})",
    'loopback',
  ],
  [
    'a connection to somebody on the LAN',
    `require('net').connect(9, '10.77.0.2').on('error', () => {})`,
    'connects',
  ],
] as const) {
  test(`the counters would have told of ${what}`, async () => {
    const before = house.attempts()
    house.run(process.execPath, '-e', script)
    const now = house.attempts()
    assert.notDeepEqual(now, before)
    if (counted) assert(now[counted] > before[counted], JSON.stringify(now))
  })
}
