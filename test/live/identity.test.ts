// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { loadHub, loadOwner } from '../../daemon/config/keyring.ts'
import { nativeEd25519, type Owner, type Signer, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import {
  derive,
  onionClientKey,
  onionSeed,
  parseWords,
  readEnrolCode,
} from '../../daemon/core/identity/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { openLink } from '../../daemon/edge/link/index.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { ALPN_LINK } from '../../schemas/gen/ts/wire.ts'
import { DeviceSession, deviceKeys, dial, enrolDevice, Refused } from '../../scripts/device/index.ts'
import { MemoryDesk } from '../support/desk.ts'
import { until } from '../support/firmware-home.ts'
import { type LiveDevice, type LiveHome, openLiveHome } from '../support/home.ts'
import { ask, askCommand } from '../support/http-home.ts'
import { Sealer } from '../support/request.ts'

const ed25519 = nativeEd25519()

interface Found {
  readonly path: string
  readonly bytes: Buffer
}

/** Every file below, whatever it is called. */
function filesBelow(directory: string): Found[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, bytes: readFileSync(path) }))
}

/** How bytes can lie in a file: raw, hex, or in the middle of base64 of something larger, at any of its three places. */
function spellings(secret: Uint8Array): Buffer[] {
  const raw = Buffer.from(secret)
  const hex = raw.toString('hex')
  const spelt = [raw, Buffer.from(raw).reverse(), Buffer.from(hex), Buffer.from(hex.toUpperCase())]
  for (const alphabet of ['base64', 'base64url'] as const) {
    for (const shift of [0, 1, 2]) {
      // The first and the last characters share bits with their neighbours.
      const text = Buffer.concat([Buffer.alloc(shift), raw]).toString(alphabet)
      spelt.push(Buffer.from(text.slice(shift === 0 ? 0 : shift + 1).replace(/.?=*$/, '')))
    }
  }
  return spelt
}

function whereIs(secret: Uint8Array, files: readonly Found[]): string[] {
  const spelt = spellings(secret)
  return files.filter(({ bytes }) => spelt.some((each) => bytes.includes(each))).map(({ path }) => path)
}

/** A seed, and what Ed25519 makes of it: the scalar and the prefix (RFC 8032 §5.1.5). */
function formsOf(seed: Uint8Array): Uint8Array[] {
  const expanded = createHash('sha512').update(seed).digest()
  const scalar = Buffer.from(expanded.subarray(0, 32))
  scalar[0]! &= 248
  scalar[31] = (scalar[31]! & 127) | 64
  return [seed, expanded.subarray(0, 32), scalar, expanded.subarray(32)]
}

let home: LiveHome
let light: LiveDevice
before(async () => {
  home = await openLiveHome()
  light = await home.enrol('porch-light', 'porch-light')
  await home.done(['onion', 'invite', 'phone'])
  await home.done(['set', 'porch-light', 'on', 'true'])
})
after(async () => {
  await light?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

suite("the daemon's directory", () => {
  const looks = [
    ['while it runs, with what SQLite has not folded in yet', async () => {}],
    ['after kill -9', () => home.kill()],
    ['after a restart and an orderly end', () => home.restart().then(() => home.stop())],
  ] as const
  for (const [when, happen] of looks) {
    test(`holds neither the root's key nor an owner's nor the words, ${when}`, async () => {
      await happen()
      const files = filesBelow(home.data)
      const parsed = parseWords(home.words)
      assert(parsed.ok)
      const seed = parsed.value
      const seedOf = (purpose: string) => derive(seed, purpose).reveal()
      // The search finds what is there: a key the daemon needs, and the owner's in the owner's directory.
      assert.deepEqual(whereIs(seedOf('device-ca/0'), files), [join(home.data, 'device-ca.key')])
      assert.deepEqual(whereIs(seedOf('owner/0'), filesBelow(home.owner)), [join(home.owner, 'owner.key')])
      assert(whereIs(loadHub(home.data).root, files).includes(join(home.data, 'home.json')))
      assert(files.length >= 6 && files.some(({ path }) => path.includes('sqlite')))

      assert.deepEqual(whereIs(seed.reveal(), files), [])
      for (const purpose of ['root', 'owner/0', 'owner/1', 'hub-ca/0', 'hub-ca/1', 'device-ca/1']) {
        for (const form of formsOf(seedOf(purpose))) assert.deepEqual(whereIs(form, files), [], purpose)
      }
      const words = home.words.split(' ')
      for (const joint of [' ', '\n', ',', '']) {
        for (let at = 0; at + 3 <= words.length; at++) {
          const three = Buffer.from(words.slice(at, at + 3).join(joint))
          const seen = three.length < 12 ? [] : files.filter(({ bytes }) => bytes.includes(three))
          assert.deepEqual(
            seen.map(({ path }) => path),
            [],
          )
        }
      }
    })
  }

  test('is closed to others, and so is everything in it', async () => {
    for (const directory of [home.data, home.owner]) {
      const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
      const paths = [directory, ...entries.map((entry) => join(entry.parentPath, entry.name))]
      const open = paths.filter((path) => (lstatSync(path).mode & 0o077) !== 0)
      assert.deepEqual(open, [])
    }
  })

  for (const [name, mode] of [
    ['hub.key', 0o640],
    ['home.json', 0o604],
    ['device-ca.key', 0o660],
    ['.', 0o750],
  ] as const) {
    test(`refuses to run when ${name} has mode ${mode.toString(8)}, and says chmod`, async () => {
      const path = join(home.data, name)
      const right = lstatSync(path).mode
      chmodSync(path, mode)
      const ran = await home.json(['daemon', '--tor', 'off', '--link-port', '0', '--no-lan'])
      chmodSync(path, right)
      assert.deepEqual([ran.exit, ran.said.code], [3, 'too-open'])
      assert.match(ran.said.message as string, /chmod [67]00 /)
    })
  }

  test('refuses a second init and a restore over it, and stays as it was', async () => {
    const before = filesBelow(home.data).filter(({ path }) => path.endsWith('.key') || path.endsWith('.json'))
    for (const args of [['init'], ['restore']]) {
      const ran = await home.json(args, { input: home.words })
      assert.deepEqual([ran.exit, ran.said.code], [3, 'home-exists'])
      assert.equal(JSON.stringify(ran.said).includes(home.words.split(' ').slice(0, 3).join(' ')), false)
    }
    for (const { path, bytes } of before) assert.deepEqual(readFileSync(path), bytes)
  })
})

/** Every key that can be had from the daemon's directory, used as if it could sign. */
function hubKeys(data: string): [string, Signer][] {
  const ring = loadHub(data)
  const secrets = {
    'hub.key': ring.hubSeed,
    'device-ca.key': ring.deviceCaSeed,
    'onion.key': ring.onionMaster,
    'web-ca.key': ring.webCaScalar,
    'the key of an onion address': onionSeed(ring.onionMaster, 'invitation:phone', 0),
    'the client key of an invitation': onionClientKey(ring.onionMaster, 'invitation:phone', 0),
    // What somebody would try who hopes that the derivation can be walked from here.
    'owner/0 derived from onion.key': derive(ring.onionMaster, 'owner/0'),
    'owner/0 derived from device-ca.key': derive(ring.deviceCaSeed, 'owner/0'),
  }
  return Object.entries(secrets).map(([name, secret]) => [name, ed25519.signer(secret.reveal())])
}

suite("with the daemon's keys", () => {
  test('nobody is heard by the hub, commands a device or opens a permit', async () => {
    await home.restart()
    const socketPath = join(home.data, 'api.sock')
    const { owner, home: id } = loadOwner(home.owner)
    const owners = new Sealer(owner, id)
    const listed = await ask({ socketPath, path: `/things/${light.id}/properties`, as: owners })
    const nonce = Buffer.from(String(listed.json.nonce), 'base64url')
    for (const [name, signer] of hubKeys(home.data)) {
      const thief = new Sealer(signer, id)
      const heard = await ask({ socketPath, path: '/things', as: thief })
      assert.deepEqual([heard.status, heard.json.reason], [401, 'unknown-signer'], name)
      const path = `/things/${light.id}/properties/on`
      const body = thief.command({ device: light.id as PartyId, nonce, affordance: 1, value: false })
      const commanded = await askCommand({ socketPath, path, body, as: owners })
      assert.equal(commanded.json.code, 'unknown-signer', name)
      const permit = sealEnvelope(
        {
          type: 'permit',
          ...thief.claims(),
          expiresAt: Math.floor(Date.now() / 1000) + 60,
          name: 'spy',
          permit: systemRandom.bytes(8),
        },
        signer,
      ).toBase64({ alphabet: 'base64url', omitPadding: true })
      const json = JSON.stringify({ permit, proof: Buffer.alloc(32).toString('base64url') })
      const headers = { 'content-type': 'application/json' }
      const opened = await ask({
        socketPath,
        method: 'POST',
        path: '/enrolments',
        body: json,
        headers,
        as: owners,
      })
      assert.equal(opened.json.code, 'unknown-signer', name)
    }
    const { said } = await home.json(['get', 'porch-light', 'on'])
    assert.equal(said.value, true)
    await home.stop()
  })

  test('a hub that was taken over cannot command a device, nor make an owner', {
    timeout: 240_000,
  }, async () => {
    const ring = loadHub(home.data)
    const desk = new MemoryDesk()
    desk.add({ id: light.id as PartyId, name: 'porch-light', board: '', firmware: '', affordances: [1] })
    const keys = hubKeys(home.data)
    const owner = (by: Signer, key: Uint8Array) => {
      const claims = new Sealer(by, ring.home).claims()
      return sealEnvelope({ type: 'owner', ...claims, name: 'thief', key } as Owner, by)
    }
    desk.letters = [...ring.owners, ...keys.map(([, signer]) => owner(signer, signer.key))]
    const { hubSeed, hubLeaf } = ring
    await using link = await openLink(
      { clock: systemClock, random: systemRandom, log: new Log(systemClock, silent), ed25519, desk },
      {
        host: '127.0.0.1',
        port: home.linkPort,
        homeId: ring.home,
        hubSeed,
        hubLeaf,
        deviceCas: [ed25519.signer(ring.deviceCaSeed.reveal())],
      },
      new AbortController().signal,
    )
    const send = async (by: Signer, value: boolean) => {
      const hello = await until('the hello', () => desk.hellos.at(-1))
      const device = light.id as PartyId
      const frame = new Sealer(by, ring.home).command({
        device,
        nonce: hello.body.epoch,
        affordance: 1,
        value,
      })
      const before = desk.receipts.length
      await until('room on the link', () => (link.send(device, frame) === 'sent' ? true : undefined))
      return (await until('the receipt', () => desk.receipts[before])).body.code
    }
    for (const [name, signer] of keys) assert.equal(await send(signer, false), CODES['unknown-signer'], name)
    // The same way carries a true owner's word.
    assert.equal(await send(loadOwner(home.owner).owner, true), CODES.ok)
    const lamp = readFileSync(join(light.firmware.directory, 'world', 'output-1'), 'utf8')
    assert.notEqual(Number(lamp), 0)
  })
})

suite('shallot forget', () => {
  test('holds on a resumed connection, and after a restart', { timeout: 240_000 }, async () => {
    await home.restart()
    const { code } = await home.done(['enrol', 'lamp', '--no-wait'])
    const read = readEnrolCode(code as string)
    assert(read.ok)
    const { host, port, root, hubCas, secret } = read.value
    const hub = { host, port, homeId: idOf(root), hubCaKeys: hubCas }
    const keys = deviceKeys(ed25519)
    const { certificate } = await enrolDevice(hub, keys, secret.reveal())
    const first = await connect(undefined)
    await first.session.hello()
    const ticket = await until('a ticket', () => first.session.wire.ticket)
    first.session.vanish()
    const second = await connect(ticket)
    assert.equal(second.resumed, true)
    await second.session.hello()

    await home.done(['device', 'forget', 'lamp', '--yes'])
    assert.equal(await second.session.closed, 'forgotten')
    const third = await connect(ticket)
    assert.equal(third.resumed, true)
    await assert.rejects(third.session.hello(), new Refused('forgotten'))
    const whole = await connect(undefined)
    await assert.rejects(whole.session.hello(), new Refused('forgotten'))
    await home.restart()
    const anew = await connect(ticket)
    await assert.rejects(anew.session.hello(), new Refused('forgotten'))
    assert.equal((await home.json(['get', 'lamp'])).exit, 5)
    await home.stop()

    async function connect(ticket: Parameters<typeof dial>[5]) {
      const wire = await dial(hub, keys, ALPN_LINK, certificate, {}, ticket)
      return { session: new DeviceSession(wire, hub, keys, {}), resumed: wire.socket.isSessionReused() }
    }
  })
})

suite('shallot restore', () => {
  for (const [what, spoil] of [
    [
      'a word changed for another of the list',
      (words: string[]) => words.with(3, words[3] === 'zoo' ? 'zone' : 'zoo'),
    ],
    [
      'two words exchanged',
      (words: string[]) => words.with(0, words[1]!).with(1, words[0] === words[1] ? 'zoo' : words[0]!),
    ],
    ['a word left out', (words: string[]) => words.slice(1)],
    ['a word that is in no list', (words: string[]) => words.with(23, 'shallot')],
    ['nothing', () => []],
  ] as const) {
    test(`refuses ${what}, and makes nothing`, async () => {
      const words = spoil(home.words.split(' '))
      const [data, owner] = [join(home.place, 'no-hub'), join(home.place, 'no-owner')]
      const environment = { SHALLOT_DATA: data, SHALLOT_OWNER: owner }
      const ran = await home.json(['restore'], { input: words.join(' '), environment })
      assert.deepEqual([ran.exit, ran.said.code], [2, 'bad-words'])
      assert.equal(
        readdirSync(home.place).some((name) => name.startsWith('no-')),
        false,
      )
    })
  }

  test('gives the same home elsewhere, and a device that was never touched comes back and obeys', {
    timeout: 240_000,
  }, async () => {
    await home.restart()
    const old = await home.done(['onion', 'list'])
    const phone = await home.done(['onion', 'invite', 'phone', '--no-lan'])
    await home.stop()

    await using restored = await openLiveHome({ linkPort: home.linkPort, words: home.words })
    const [before, now] = [loadHub(home.data), loadHub(restored.data)]
    assert.deepEqual([now.home, now.root, now.hubCas], [before.home, before.root, before.hubCas])
    for (const key of ['deviceCaSeed', 'onionMaster', 'webCaScalar'] as const) {
      assert.deepEqual(now[key].reveal(), before[key].reveal(), key)
    }
    assert.notDeepEqual(now.hubSeed.reveal(), before.hubSeed.reveal())
    const again = await restored.done(['onion', 'invite', 'phone', '--no-lan'])
    assert.deepEqual(
      [again.address, again.clientKey, again.code],
      [phone.address, phone.clientKey, phone.code],
    )
    const addressOf = (list: unknown) =>
      (list as { name: string; address: string }[]).find(({ name }) => name === 'owner')?.address
    const list = await restored.done(['onion', 'list'])
    assert.match(addressOf(list.invitations)!, /^[a-z2-7]{56}\.onion$/)
    assert.equal(addressOf(list.invitations), addressOf(old.invitations))

    const known = await untilDone(async () => {
      const { said } = await restored.json(['get', 'porch-light'])
      return said.ok === true
    })
    assert(known, 'the device did not come back')
    const done = await restored.done(['set', 'porch-light', 'level', '37'])
    assert.deepEqual([done.verified, (done.device as { confirmed: boolean }).confirmed], [true, true])
    const lamp = readFileSync(join(light.firmware.directory, 'world', 'output-1'), 'utf8')
    assert.notEqual(Number(lamp), 0)
  })
})

async function untilDone(look: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 60; tries++) {
    if (await look()) return true
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  return false
}
