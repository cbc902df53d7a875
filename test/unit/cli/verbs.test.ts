// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, beforeEach, test } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { type Clock, systemClock } from '../../../daemon/base/clock.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { Secret } from '../../../daemon/base/secret.ts'
import { SILENCE_MS_MAX } from '../../../daemon/cli/api.ts'
import { type Enrolment, openEnvelope, type Signer } from '../../../daemon/core/envelope/index.ts'
import {
  enrolKeys,
  keyProof,
  onionAddress,
  readEnrolCode,
  readHomeCode,
} from '../../../daemon/core/identity/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { Account } from './as-user.ts'
import { type Asked, ed25519, empty, type FakeDevice, FakeHome, json, problem } from './fake-home.ts'

const account = new Account()
let home: FakeHome
let light: FakeDevice

before(async () => {
  home = await new FakeHome(await account.init()).listen(account.data)
})
after(async () => {
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})
beforeEach(() => {
  home.devices.length = 0
  home.asked.length = 0
  home.bodies.clear()
  home.twist = () => false
  light = home.device('porch-light')
})

/** Answers one route. */
function at(route: string, answer: (asked: Asked) => void): void {
  const before = home.twist
  home.twist = (asked) => {
    if (`${asked.method} ${asked.path}` !== route) return before(asked)
    answer(asked)
    return true
  }
}

function bodyOf(route: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(home.bodies.get(route)!).toString())
}

test('get prints one value as a person reads it', async () => {
  light.values.set(1, true).set(2, 40)
  assert.equal((await account.within(['get', 'porch-light', 'on'])).out, 'on\n')
  assert.equal((await account.within(['get', 'porch-light', 'level'])).out, '40 %\n')
})

test('get --json gives the value with its time', async () => {
  light.values.set(2, 40)
  const { said, exit } = await account.jsonWithin(['get', light.id, 'level'])
  assert.equal(exit, 0)
  assert.deepEqual([said.property, said.value, said.at], ['level', 40, '2023-11-14T22:13:20.000Z'])
})

test('get of a property that was never reported is exit 5 and tells what there is', async () => {
  light.values.set(2, 40)
  const { exit, said } = await account.jsonWithin(['get', 'porch-light', 'temperature'])
  assert.deepEqual([exit, said.code], [5, 'no-such-affordance'])
  assert.match(said.next as string, /level/)
})

test('a device that is not there is exit 5 for every verb that names one', async () => {
  for (const line of [
    'get nobody',
    'set nobody on true',
    'invoke nobody toggle',
    'history nobody on',
    'device show nobody',
    'hide nobody',
    'expose nobody',
    'watch nobody',
  ]) {
    const { exit, said } = await account.jsonWithin(line.split(' '))
    assert.deepEqual([exit, said.code], [5, 'not-found'], line)
    assert.match(said.message as string, /"nobody"$/, line)
    assert.match(said.next as string, /shallot device list/, line)
  }
})

test('history prints what was measured, in order', async () => {
  home.device('weather', [3, 4])
  const { out, exit } = await account.within(['history', 'weather', 'temperature', '--limit', '2'])
  assert.equal(exit, 0)
  assert.equal(out, '2023-11-14T22:13:20.000Z  21.5 °C\n2023-11-14T22:14:20.000Z  21.53 °C\n')
})

test('device list names every device; device show proves one', async () => {
  const list = await account.jsonWithin(['device', 'list'])
  assert.deepEqual(
    (list.said.devices as { name: string }[]).map(({ name }) => name),
    ['porch-light'],
  )
  const show = await account.jsonWithin(['device', 'show', 'porch-light'])
  assert.deepEqual(
    [show.exit, show.said.board, show.said.affordances],
    [0, 'fake', ['on', 'level', 'toggle']],
  )
})

test('device rename also seals the new name', async () => {
  let record: Uint8Array | undefined
  at(`PUT /enrolments/${toBase64url(new Uint8Array(8))}/record`, ({ body, answer }) => {
    record = body
    json(answer, { id: light.id, name: 'front-door' })
  })
  const { exit } = await account.jsonWithin(['device', 'rename', 'porch-light', 'front-door'])
  assert.equal(exit, 0)
  assert.deepEqual(bodyOf(`PATCH /things/${light.id}`), { name: 'front-door' })
  const body = openRecord(record!)
  assert.deepEqual([body.name, idOf(body.key)], ['front-door', light.id])
})

test('device rename does not seal for a record that no owner made', async () => {
  const stranger = ed25519.signer(systemRandom.bytes(32))
  light.record = () =>
    light.seal({ type: 'enrolment', name: 'x', key: light.signer.key, permit: new Uint8Array(8) }, stranger)
  const { exit, said } = await account.jsonWithin(['device', 'rename', 'porch-light', 'front-door'])
  assert.deepEqual([exit, said.code], [3, 'unknown-signer'])
})

test('device forget is not done without a yes', async () => {
  const { exit, said } = await account.json(['device', 'forget', 'porch-light'])
  assert.deepEqual([exit, said.code], [2, 'usage'])
  assert.ok(!home.asked.includes(`DELETE /things/${light.id}`))
  assert.equal((await account.within(['device', 'forget', 'porch-light', '--yes'])).exit, 0)
  assert.ok(home.asked.includes(`DELETE /things/${light.id}`))
})

test('status speaks of the home; --json gives it whole', async () => {
  const { out } = await account.within(['status'])
  assert.match(out, /1 connected of 1/)
  assert.match(out, /ready/)
  assert.equal((await account.jsonWithin(['status'])).said.memoryMb, 50)
})

test('log verify is exit 3 and names the entry when the chain is broken', async () => {
  at('GET /log/verify', ({ answer }) => json(answer, { entries: 9, pruned: 3, head: 'aGVhZA' }))
  const whole = await account.jsonWithin(['log', 'verify'])
  assert.deepEqual([whole.exit, whole.said.pruned], [0, 3])
  assert.match((await account.within(['log', 'verify'])).out, /9 entries.*3 older ones were removed/s)
  at('GET /log/verify', ({ answer }) => json(answer, { entries: 1, head: 'aGVhZA' }))
  assert.match((await account.within(['log', 'verify'])).out, /whole: 1 entry, head/)
  at('GET /log/verify', ({ answer }) =>
    json(answer, { entries: 9, head: 'aGVhZA', broken: { index: 4, why: 'hash' } }),
  )
  const { exit, said } = await account.jsonWithin(['log', 'verify'])
  assert.equal(exit, 3)
  assert.match(said.message as string, /entry 4/)
})

test('log show tells who did what', async () => {
  const entry = {
    index: 7,
    at: 1_700_000_000_000,
    kind: 'command',
    origin: 'unix',
    note: 'x',
    hash: 'aGFzaA',
  }
  at('GET /log?limit=2&before=9', ({ answer }) => json(answer, { entries: [entry] }))
  const { out, exit } = await account.within(['log', 'show', '--limit', '2', '--before', '9'])
  assert.equal(exit, 0)
  assert.match(out, /^7 {2}2023-11-14T22:13:20.000Z {2}command/)
})

test('log alone shows the log', async () => {
  at('GET /log?limit=50', ({ answer }) => json(answer, { entries: [] }))
  const { out, exit } = await account.within(['log'])
  assert.deepEqual([exit, out], [0, 'Nothing has happened yet.\n'])
})

const onionKey = ed25519.signer(systemRandom.bytes(32)).key
const clientKey = systemRandom.bytes(32)
const invited = {
  service: 'invitation:anna',
  name: 'anna',
  address: onionAddress(onionKey),
  epoch: 0,
  authorised: true,
  createdAt: 1,
  status: { state: 'queued', since: 1 },
  clientKey: toBase64url(clientKey),
}

test('onion invite prints a code that leads to exactly this home', async () => {
  at('PUT /invitations/anna', ({ answer }) => json(answer, invited))
  const { exit, said } = await account.jsonWithin(['onion', 'invite', 'anna'])
  assert.equal(exit, 0)
  assert.deepEqual(bodyOf('PUT /invitations/anna'), { authorised: true })
  const code = readHomeCode(said.code as string)
  assert.ok(code.ok)
  assert.equal(idOf(code.value.root), home.id)
  assert.deepEqual(code.value.onion, onionKey)
  assert.deepEqual(code.value.clientKey!.reveal(), clientKey)
})

test('onion invite --no-auth asks for an address without a client key', async () => {
  at('PUT /invitations/anna', ({ answer }) =>
    json(answer, { ...invited, authorised: false, clientKey: undefined }),
  )
  const { said } = await account.jsonWithin(['onion', 'invite', 'anna', '--no-auth'])
  assert.deepEqual(bodyOf('PUT /invitations/anna'), { authorised: false })
  assert.equal(said.clientKey, undefined)
})

test('onion invite refuses an address that is none', async () => {
  const address = invited.address.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'))
  at('PUT /invitations/anna', ({ answer }) => json(answer, { ...invited, address }))
  const { exit, said } = await account.jsonWithin(['onion', 'invite', 'anna'])
  assert.deepEqual([exit, said.code], [3, 'bad-answer'])
})

for (const host of ['0.0.0.0', '::']) {
  test(`an address that is nowhere (${host}) is neither printed nor carried in a code`, async () => {
    const lan = host === '::' ? 'https://[::]:8443' : `https://${host}:8443`
    const report = { version: '1', devices: {}, link: { host, port: 8883 }, lan, webCa: 'AAAA', tor: {} }
    at('GET /status', ({ answer }) => json(answer, report))
    at('PUT /invitations/anna', ({ answer }) => json(answer, invited))
    const { out } = await account.within(['status'])
    assert.match(out, /link +every address of its machine, port 8883/)
    assert.match(out, /LAN +every address of its machine, port 8443/)
    assert.ok(!out.includes(`${host}:`) && !out.includes('[::]'), out)
    const enrolled = await account.jsonWithin(['enrol', 'lamp', '--no-wait'])
    assert.deepEqual([enrolled.exit, enrolled.said.code], [3, 'bad-answer'])
    assert.match(enrolled.said.next as string, /--link-host/)
    assert.ok(!home.asked.includes('POST /enrolments'))
    const code = readHomeCode((await account.jsonWithin(['onion', 'invite', 'anna'])).said.code as string)
    assert.ok(code.ok)
    assert.deepEqual([code.value.lan, code.value.webCa], [[], undefined])
  })
}

test('onion withdraw takes back one; one that is not there is exit 5', async () => {
  at('DELETE /invitations/anna', ({ answer }) => empty(answer))
  assert.equal((await account.within(['onion', 'withdraw', 'anna'])).exit, 0)
  assert.equal((await account.within(['onion', 'withdraw', 'bob'])).exit, 5)
})

test('onion list tells the cause when an address is unreachable', async () => {
  const status = { state: 'unreachable', cause: 'the guard is gone', since: 1_700_000_000_000 }
  at('GET /invitations', ({ answer }) => json(answer, [{ ...invited, status }]))
  at('GET /exposures', ({ answer }) => json(answer, []))
  assert.match(
    (await account.within(['onion', 'list'])).out,
    /anna +2023-11-14T22:13:20.000Z +NOT reachable: the guard is gone +\S+\.onion/,
  )
})

test('onion list and status call a device that has an address of its own by its name', async () => {
  const service = { ...invited, name: light.id, status: { state: 'reachable', since: 1_700_000_000_000 } }
  at('GET /invitations', ({ answer }) => json(answer, []))
  at('GET /exposures', ({ answer }) => json(answer, [service]))
  at('GET /status', ({ answer }) =>
    json(answer, { version: '1', devices: {}, link: {}, tor: { ready: true }, services: [service] }),
  )
  for (const command of [['onion', 'list'], ['status']])
    assert.match((await account.within(command)).out, /^porch-light +2023-11-14T22:13:20.000Z +reachable /m)
})

test('onion list and status tell addresses at other homes, and whose guests have one here, apart', async () => {
  const status = { state: 'reachable', since: 1_700_000_000_000 }
  const [here, there] = ['a', 'b'].map((letter) => `${letter.repeat(56)}.onion`)
  const anna = { ...invited, status, others: [{ home: 'cabin', address: there }] }
  const guest = { ...invited, status, service: 'guest:AQ', name: 'AQ', home: 'cabin', address: here }
  const services = [anna, { ...guest, who: 'eve, phone' }, guest, { ...guest, home: undefined }]
  at('GET /invitations', ({ answer }) => json(answer, [anna]))
  at('GET /exposures', ({ answer }) => json(answer, []))
  at('GET /status', ({ answer }) =>
    json(answer, { version: '1', devices: {}, link: {}, tor: { ready: true }, services }),
  )
  for (const command of [['onion', 'list'], ['status']]) {
    const { out } = await account.within(command)
    assert.match(out, new RegExp(`^anna, at cabin +offered there +${there}$`, 'm'))
    for (const says of [
      'eve, phone, a guest of cabin',
      'somebody, a guest of cabin',
      'somebody, a guest of another home',
    ])
      assert.match(out, new RegExp(`^${says} +2023\\S+ +reachable +${here}$`, 'm'))
  }
  const { out } = await account.within(['onion', 'list', '--json'])
  const { guests, invitations } = JSON.parse(out)
  assert.deepEqual([guests.length, invitations.length], [3, 1])
})

test('status tells for each onion address how it is, why and since when', async () => {
  const services = [
    { ...invited, status: { state: 'unreachable', cause: 'the guard is gone', since: 1_700_000_000_000 } },
    { ...invited, name: 'bob', status: { state: 'reachable', since: 1_700_000_060_000 } },
    { ...invited, name: 'eve', status: { state: 'sleeping', since: 0 } },
  ]
  at('GET /status', ({ answer }) =>
    json(answer, { version: '1', devices: {}, link: {}, tor: { ready: true }, services }),
  )
  const { out } = await account.within(['status'])
  assert.match(out, /anna +2023-11-14T22:13:20.000Z +NOT reachable: the guard is gone /)
  assert.match(out, /bob +2023-11-14T22:14:20.000Z +reachable /)
  assert.match(out, /eve +\? +sleeping /)
})

test('expose gives a device an address, --all each of them, hide takes it back', async () => {
  const answerExposure = ({ answer }: Asked) =>
    json(answer, { ...invited, service: `device:${light.id}`, name: light.id })
  at(`PUT /exposures/${light.id}`, answerExposure)
  assert.equal((await account.jsonWithin(['expose', 'porch-light'])).said.address, invited.address)
  let polls = 0
  at('GET /exposures', ({ answer }) =>
    json(answer, [{ ...invited, status: { state: polls++ > 0 ? 'published' : 'queued', since: 1 } }]),
  )
  const all = await account.within(['expose', '--all'])
  assert.equal(all.exit, 0)
  assert.match(all.out, /1 device has an address, and it is published/)
  assert.match(all.out, /client key and the code of each: `shallot expose <device>`/)
  assert.match(all.err, /costs tor about 2 s at every start/)
  assert.match(all.err, /1 of 1 {2}porch-light is published/)
  assert.doesNotMatch(all.err, /undefined/)
  at(`DELETE /exposures/${light.id}`, ({ answer }) => empty(answer))
  assert.equal((await account.within(['hide', 'porch-light'])).exit, 0)
  assert.equal((await account.within(['expose', 'porch-light', '--all'])).exit, 2)
})

test('expose --all that loses its patience says how far it came, and that the rest follows', async () => {
  const lamp = home.device('lamp')
  const addresses = [light, lamp].map(() => onionAddress(ed25519.signer(systemRandom.bytes(32)).key))
  ;[light, lamp].forEach(({ id }, number) => {
    at(`PUT /exposures/${id}`, ({ answer }) => json(answer, { ...invited, address: addresses[number] }))
  })
  at('GET /exposures', ({ answer }) =>
    json(answer, [
      { ...invited, address: addresses[0], status: { state: 'published', since: 1 } },
      { ...invited, address: addresses[1], status: { state: 'queued', since: 1 } },
    ]),
  )
  // Only the pauses between two looks are cut short; how long the home may take to answer is as ever.
  const pauseMs = 1000
  account.clock = {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(ms === pauseMs ? 2 : ms, signal),
  }
  const { out, err, exit } = await account.within(['expose', '--all'])
  account.clock = systemClock
  assert.equal(exit, 0)
  assert.match(out, /2 devices have an address; 1 of them published so far/)
  assert.match(err, /1 of 2 {2}porch-light is published/)
  assert.doesNotMatch(err, /lamp is published/)
})

test('expose --all of a home without devices says how to begin', async () => {
  home.devices.length = 0
  assert.match((await account.within(['expose', '--all'])).out, /no device yet.*shallot enrol/)
})

test('watch prints events and ends with --for', async () => {
  at('GET /events', ({ answer }) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    answer.write(': shallot\n\nevent: reading\ndata: {"device":"')
    answer.write(`${light.id}","at":1700000000000,"values":[{"property":"level","value":40,"at":0}]}\n\n`)
  })
  const told = Promise.withResolvers<void>()
  // The two seconds end when the event was printed, however slow the machine.
  const sleep: Clock['sleep'] = (ms, signal) => (ms === 2000 ? told.promise : systemClock.sleep(ms, signal))
  account.clock = { ...systemClock, sleep }
  const { exit, out } = await account.within(['watch', '--for', '2s'], { onOut: () => told.resolve() })
  account.clock = systemClock
  assert.equal(exit, 0)
  assert.equal(out, '2023-11-14T22:13:20.000Z  porch-light  level 40 %\n')
})

test('watch calls the device or invitation of an onion address by its name', async () => {
  const move = (service: string) =>
    `event: onion\ndata: ${JSON.stringify({ service, at: 1, status: 'reachable' })}\n\n`
  at('GET /events', ({ answer }) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    answer.write(move(`device:${light.id}`) + move('invitation:anna'))
  })
  const enough = new AbortController()
  const onOut = (text: string) => text.split('\n').length > 2 && enough.abort()
  const { out } = await account.within(['watch'], { onOut, signal: enough.signal })
  assert.match(out, /onion address of porch-light: reachable\n.*onion address of anna: reachable\n/)
})

const PRESENCE = () =>
  `event: presence\ndata: {"device":"${light.id}","at":1,"connected":true,"why":"connected"}\n\n`

/** `watch --json` until it has told of two events. */
async function watchTwo() {
  const enough = new AbortController()
  const onOut = (text: string) => text.split('\n').length > 2 && enough.abort()
  return account.within(['watch', '--json'], { onOut, signal: enough.signal })
}

test('watch connects again when the stream breaks off', async () => {
  let times = 0
  at('GET /events', ({ answer }) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    answer.write(PRESENCE(), () => ++times === 1 && answer.socket!.destroySoon())
  })
  const { out } = await watchTwo()
  assert.equal(out.trimEnd().split('\n').length, 2, out)
  assert.equal(JSON.parse(out.split('\n')[0]!).name, 'porch-light')
})

test('watch connects again when a home that broke nothing off has fallen silent', async () => {
  const streams: ServerResponse[] = []
  let look = () => {}
  let laterMs = 0
  account.clock = {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + laterMs,
    every: (ms, tick) => {
      look = tick
      return systemClock.every(ms, tick)
    },
  }
  at('GET /events', ({ answer }) => {
    streams.push(answer)
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    answer.write(PRESENCE())
  })
  const silentMs = [SILENCE_MS_MAX - 1000, SILENCE_MS_MAX]
  const ends = new AbortController()
  const onOut = () => {
    const ms = silentMs.shift()
    if (ms === undefined) return ends.abort()
    laterMs += ms
    look()
    if (silentMs.length > 0) streams[0]!.write(PRESENCE())
  }
  const { out, err } = await account.within(['watch'], { onOut, signal: ends.signal })
  account.clock = systemClock
  assert.equal(out.trimEnd().split('\n').length, 3)
  assert.equal(streams.length, 2)
  assert.match(err, /the home has fallen silent; connecting again/)
})

function openRecord(frame: Uint8Array): Enrolment {
  const opened = openEnvelope(
    frame,
    {
      sizeMax: 1024,
      accepts: (body, signer) => body.type === 'enrolment' && idOf(signer) === idOf(home.owner.key),
      isAudience: (body) => body.audience === home.id,
    },
    ed25519,
  )
  assert.ok(opened.ok)
  return opened.value.body as Enrolment
}

/** A home that lets one device enrol, whose owner proof is made with `proofOf`. */
function letEnrol(proofOf: (secret: Secret, device: Signer) => Uint8Array): {
  record: Uint8Array | undefined
  device: Signer
} {
  const device = ed25519.signer(systemRandom.bytes(32))
  const seen: { record: Uint8Array | undefined; device: Signer } = { record: undefined, device }
  let permitFrame: Uint8Array
  home.twist = ({ method, path, body, answer }) => {
    if (path === '/enrolments') {
      permitFrame = Uint8Array.fromBase64(JSON.parse(Buffer.from(body).toString()).permit, {
        alphabet: 'base64url',
      })
      const opened = openEnvelope(
        permitFrame,
        { sizeMax: 1024, accepts: ({ type }) => type === 'permit', isAudience: () => true },
        ed25519,
      )
      assert.ok(opened.ok && opened.value.body.type === 'permit')
      json(answer, { permit: toBase64url(opened.value.body.permit) })
      return true
    }
    if (!path.startsWith('/enrolments/')) return false
    if (method === 'PUT') {
      seen.record = body
      json(answer, { id: idOf(device.key), name: 'x' })
      return true
    }
    const permit = Uint8Array.fromBase64(path.split('/')[2]!, { alphabet: 'base64url' })
    const frame = light.seal(
      {
        type: 'enrol',
        permit,
        csr: new Uint8Array(8),
        proofForHub: new Uint8Array(32),
        proofForOwner: proofOf(secretOf(), device),
        board: 'fake',
        firmware: 'fake-1',
        affordances: [1],
      },
      device,
    )
    answer.writeHead(200, { 'content-type': 'text/event-stream' })
    answer.end(`event: enrolment\ndata: ${JSON.stringify({ state: 'used', enrol: toBase64url(frame) })}\n\n`)
    return true
  }
  return seen
}

/** What only the code holds: the fake device reads it over the owner's shoulder. */
let secretOf = (): Secret => new Secret(new Uint8Array(16))

test('enrol prints a code, checks the proof, seals the record', async () => {
  const seen = letEnrol((secret, device) => keyProof(enrolKeys(secret).ownerProofKey, device.key))
  // First only the code, as a script would; then the device comes; then the owner confirms.
  const begun = await account.jsonWithin(['enrol', 'lamp', '--no-wait'])
  assert.equal(begun.exit, 0)
  const code = readEnrolCode(begun.said.code as string)
  assert.ok(code.ok)
  assert.deepEqual([code.value.port, idOf(code.value.root), code.value.hubCas.length], [24_500, home.id, 2])
  const posted = bodyOf('POST /enrolments')
  assert.equal(posted.proof, toBase64url(enrolKeys(code.value.secret).hubProofKey.reveal()))
  assert.ok(
    !JSON.stringify(posted).includes(toBase64url(code.value.secret.reveal())),
    'the hub must not learn S',
  )
  secretOf = () => code.value.secret
  const done = await account.jsonWithin(['enrol', '--confirm', 'lamp'])
  assert.equal(done.exit, 0, JSON.stringify(done.said))
  assert.equal((done.said.device as { id: string }).id, idOf(seen.device.key))
  const record = openRecord(seen.record!)
  assert.deepEqual([record.name, idOf(record.key)], ['lamp', idOf(seen.device.key)])
  const again = await account.jsonWithin(['enrol', '--confirm', 'lamp'])
  assert.deepEqual([again.exit, again.said.code], [5, 'not-found'], 'the secret is gone once it was used')
})

test('enrol refuses a key whose holder did not have the code, and seals nothing', async () => {
  const seen = letEnrol((_, device) =>
    keyProof(enrolKeys(new Secret(systemRandom.bytes(16))).ownerProofKey, device.key),
  )
  const { exit, said } = await account.jsonWithin(['enrol', 'lamp2'])
  assert.deepEqual([exit, said.code, seen.record], [3, 'bad-proof', undefined])
})

test('enrol ends with exit 4 when the code ran out', async () => {
  letEnrol(() => new Uint8Array(32))
  const inner = home.twist
  home.twist = (asked) => {
    if (asked.method !== 'GET' || !asked.path.startsWith('/enrolments/')) return inner(asked)
    asked.answer.writeHead(200, { 'content-type': 'text/event-stream' })
    asked.answer.end('event: enrolment\ndata: {"state":"expired"}\n\n')
    return true
  }
  const { exit, said } = await account.jsonWithin(['enrol', 'lamp3'])
  assert.deepEqual([exit, said.code], [4, 'permit-expired'])
})

test("a refusal of the home becomes its exit status and keeps the home's reason", async () => {
  const refusals: readonly (readonly [number, string, number])[] = [
    [403, 'not-permitted', 3],
    [409, 'conflict', 3],
    [409, 'name-taken', 3],
    [503, 'queue-full', 3],
    [429, 'too-many-requests', 3],
    [404, 'not-found', 5],
    [410, 'permit-expired', 4],
    [503, 'away', 4],
    [401, 'unauthorized', 3],
    [500, 'internal', 1],
  ]
  for (const [status, code, exit] of refusals) {
    at('GET /things', ({ answer }) =>
      problem(answer, status, code, code === 'unauthorized' ? 'bad-signature' : undefined),
    )
    const ran = await account.jsonWithin(['device', 'list'])
    assert.deepEqual([ran.exit, ran.said.ok, ran.said.code], [exit, false, code])
  }
})

test('a clock that is wrong is named as the cause', async () => {
  at('GET /things', ({ answer }) => problem(answer, 401, 'unauthorized', 'expired'))
  const { err, exit } = await account.within(['device', 'list'])
  assert.equal(exit, 3)
  assert.match(err, /clock/)
})

test('names from elsewhere cannot drive the terminal', async () => {
  home.device('\x1b]0;owned\x07\x1b[2Jlamp\u202e')
  const { out } = await account.run(['device', 'list'])
  assert.doesNotMatch(out, /[\x1b\x07\u202e]/)
})
