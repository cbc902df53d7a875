// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromBase64url, toBase64url } from '../../../../daemon/base/bytes.ts'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { no, type Verdict, yes } from '../../../../daemon/base/error.ts'
import { Log, silent } from '../../../../daemon/base/log.ts'
import { nativeEd25519, openEnvelope } from '../../../../daemon/core/envelope/index.ts'
import type { Looking } from '../../../../daemon/core/mesh/index.ts'
import type { Device, PartyId } from '../../../../daemon/core/model/index.ts'
import type { DeviceBook } from '../../../../daemon/core/ports.ts'
import { Sight } from '../../../../daemon/core/sight.ts'
import type { KeptStill, Stills } from '../../../../daemon/core/stills/index.ts'
import { type HttpHome, LIMITS } from '../../../../daemon/edge/http/index.ts'
import { stillRoutes } from '../../../../daemon/edge/http/routes/stills.ts'
import { Watchers } from '../../../../daemon/edge/http/watchers.ts'
import type { Code } from '../../../../schemas/gen/ts/codes.ts'
import { addCamera, type FakeCamera, pictureOf } from '../../../support/camera.ts'
import { type Answer, begin, newSigner } from '../../../support/http-home.ts'
import { INVOKE, READ } from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'
import { type Sealer, sha256 } from '../../../support/request.ts'
import { until } from '../../../support/until.ts'

const ed25519 = nativeEd25519()
const anybody = { sizeMax: 1024, accepts: () => true, isAudience: () => true }
const [FIRST, SECOND] = [pictureOf(37), pictureOf(53)]
const code = ({ status, json }: Answer) => [status, json.code]
const command = (n: number) => new Uint8Array(32).fill(n)

const newSealerId = () => newSigner().key.toBase64({ alphabet: 'base64url', omitPadding: true }) as PartyId

let home: PeopleHome
let gate: FakeCamera
let seer: Sealer
let shutter: Sealer
before(async () => {
  home = await openPeopleHome()
  gate = await addCamera(home.home, 'gate')
  await addCamera(home.home, 'yard')
  seer = await home.phone(await home.person('eve'))
  shutter = await home.phone(await home.person('max'))
  const devices = [gate.sealer.signer.key]
  await home.grant(seer, { devices, what: [{ affordance: 30, methods: READ }] })
  await home.grant(shutter, { devices, what: [{ affordance: 31, methods: INVOKE }] })
})
after(() => home[Symbol.asyncDispose]())

/** The camera's picture is under way: of new ones the hub takes one a second, after the first four. */
async function begun(picture: Uint8Array, asked: Uint8Array): Promise<void> {
  await until('room for one more', () => {
    gate.say(picture, asked)
    return home.home.home.stills.coming(gate.id, asked)?.code === undefined && isComing(asked)
  })
}

const isComing = (asked: Uint8Array) => home.home.home.stills.coming(gate.id, asked) !== undefined

interface Told {
  readonly stills: readonly { digest: string; size: number; at: number; frame: string; property: string }[]
  readonly coming?: { readonly got: number; readonly code?: string }
}
const listed = async (query = '', as: Sealer = home.owner) =>
  (await home.get(`/things/gate/stills${query}`, as)).json as unknown as Told

async function shown(
  name: string,
  as: Sealer,
): Promise<{ status: number; headers: Record<string, unknown>; bytes: Uint8Array }> {
  const { answer } = await begin({ socketPath: home.socketPath, path: `/things/gate/stills/${name}`, as })
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part)
  return { status: answer.statusCode!, headers: answer.headers, bytes: Uint8Array.from(Buffer.concat(parts)) }
}

describe('pictures over HTTP [SPEC 19.5]', () => {
  before(async () => {
    gate.say(FIRST, command(1))
    await gate.send(FIRST)
    gate.say(SECOND, command(2), { at: 2000 })
    await gate.send(SECOND)
  })

  it('are listed newest first, each with what its device sealed', async () => {
    const { stills, coming } = await listed()
    assert.deepEqual(
      stills.map(({ size, at, property }) => [size, at, property]),
      [
        [SECOND.length, 2000, 'still'],
        [FIRST.length, 1000, 'still'],
      ],
    )
    const opened = openEnvelope(fromBase64url(stills[0]!.frame)!, anybody, ed25519)
    assert(opened.ok && opened.value.body.type === 'still')
    assert.deepEqual(opened.value.body.digest, sha256(SECOND))
    assert.equal(coming, undefined)
    assert.equal((await listed('?limit=1')).stills.length, 1)
    const older = await listed(`?before=${stills[0]!.digest}`)
    assert.deepEqual(
      older.stills.map(({ size }) => size),
      [FIRST.length],
    )
    assert.deepEqual((await listed(`?before=${older.stills[0]!.digest}`)).stills, [])
  })

  it('are found by the command that they were taken for', async () => {
    const { stills } = await listed(`?command=${toBase64url(command(1))}&wait=20`)
    assert.deepEqual(
      stills.map(({ digest }) => digest),
      [toBase64url(sha256(FIRST))],
    )
  })

  it('are told as they are, with the envelope beside them, and as what no browser runs', async () => {
    for (const [name, picture] of [
      [toBase64url(sha256(FIRST)), FIRST],
      ['latest', SECOND],
      ['latest?property=still', SECOND],
    ] as const) {
      const { status, headers, bytes } = await shown(name, seer)
      assert.deepEqual([status, bytes], [200, picture])
      assert.deepEqual(
        [headers['content-type'], headers['content-length'], headers['x-content-type-options']],
        ['image/jpeg', String(picture.length), 'nosniff'],
      )
      const opened = openEnvelope(fromBase64url(String(headers['shallot-still']))!, anybody, ed25519)
      assert(opened.ok && opened.value.body.type === 'still')
      assert.deepEqual(opened.value.body.digest, sha256(picture))
    }
  })

  it('are read from the disk as their client takes them, and no faster', async () => {
    const served = home.home.home
    const [picture, taken] = [
      Uint8Array.of(0xff, 0xd8, ...new Uint8Array(30_000), 0xff, 0xd9),
      [] as number[],
    ]
    await begun(picture, command(6))
    await gate.send(picture)
    const reads: number[] = []
    const stills: Stills = {
      ...served.stills,
      read(device, digest, at, size) {
        reads.push(at)
        return served.stills.read(device, digest, at, size)
      },
    }
    const watched: HttpHome = Object.create(served, { stills: { value: stills } })
    const deps = { clock: systemClock, log: new Log(systemClock, silent), home: watched, limits: LIMITS }
    const route = stillRoutes({ ...deps, watchers: new Watchers(LIMITS) }).find(({ path }) =>
      path.endsWith(':digest'),
    )!
    const owner = { id: home.owner.id, name: 'ada', kind: 'owner', origin: 'unix' } as const
    const asking = { params: { id: 'gate', digest: 'latest' }, query: new Map(), caller: owner }
    const reply = await route.run({ ...asking, sight: new Sight(served.authority, owner) } as never)
    assert(reply.kind === 'stream')
    const outlet = {
      signal: new AbortController().signal,
      async write(piece: string | Uint8Array) {
        assert.equal(reads.length, taken.length + 1)
        taken.push(piece.length)
      },
    }
    await reply.run(outlet)
    assert.deepEqual([taken.length, taken[0]], [4, 8192])
  })

  it('that are on their way are told of, and waited for', async () => {
    const picture = pictureOf(71)
    await begun(picture, command(3))
    await gate.send(picture, 0, 512)
    const query = `?command=${toBase64url(command(3))}`
    assert.deepEqual([(await listed(query)).coming?.got, (await listed(query)).stills], [512, []])
    const waiting = listed(`${query}&wait=20`)
    await gate.send(picture, 512)
    await waiting
    assert.equal((await listed(query)).stills.length, 1)
  })

  it('that were not kept are told of with their code, at once', async () => {
    const picture = pictureOf(89)
    await begun(picture.with(9, picture[9]! ^ 1), command(4))
    await gate.send(picture)
    const { stills, coming } = await listed(`?command=${toBase64url(command(4))}&wait=20`)
    assert.deepEqual([stills, coming?.code], [[], 'still-digest'])
  })

  it('stand in the Thing Description as a second way to read the property', async () => {
    const td = (await home.get('/things/gate', seer)).json as unknown as {
      properties: Record<string, { forms: { href: string; contentType: string; op: string }[] }>
      actions: object
    }
    assert.deepEqual(
      td.properties.still!.forms.map(({ contentType, op }) => [contentType, op]),
      [
        ['application/json', 'readproperty'],
        ['image/jpeg', 'readproperty'],
      ],
    )
    assert.deepEqual(td.actions, {})
    const { status, bytes } = await shown('latest?property=still', seer)
    assert.deepEqual([status, bytes.length > 0], [200, true])
    const { href } = td.properties.still!.forms[1]!
    assert.equal(href, `things/${gate.id}/stills/latest?property=still`)
  })

  it('are told of as events to those who may see them', async () => {
    const [sees, shoots] = [await home.watch(seer), await home.watch(shutter)]
    await begun(pictureOf(97), command(5))
    await gate.send(pictureOf(97))
    await until('the picture', () => sees.events('still').some(({ got }) => got === pictureOf(97).length))
    // What it may hear of came later, and nothing of pictures before.
    await gate.connect([30, 31, 20])
    await until('the camera again', () => shoots.events('presence').length > 0)
    assert.deepEqual(shoots.events('still'), [])
    sees.close()
    shoots.close()
  })
})

describe('pictures that somebody may not see', () => {
  const latest = '/things/gate/stills/latest'
  const refusals: [string, () => Promise<Answer>, number, string][] = [
    ['a stranger', () => home.get('/things/gate/stills'), 401, 'unauthorized'],
    ['a stranger, of one', () => home.get(latest), 401, 'unauthorized'],
    ['who may take but not see them', () => home.get('/things/gate/stills', shutter), 403, 'not-granted'],
    ['the same, of one', () => home.get(latest, shutter), 403, 'not-granted'],
    ['who sees another camera', () => home.get('/things/yard/stills', seer), 404, 'not-found'],
    [
      'of a device that takes none',
      () => home.get('/things/weather/stills', home.owner),
      404,
      'no-such-affordance',
    ],
    [
      'of a camera that it has not',
      () => home.get(`${latest}?property=still2`, seer),
      404,
      'no-such-affordance',
    ],
    ['by no digest', () => home.get('/things/gate/stills/first', seer), 404, 'not-found'],
    [
      'by another digest',
      () => home.get(`/things/gate/stills/${toBase64url(command(9))}`, seer),
      404,
      'not-found',
    ],
    ['that were never taken', () => home.get('/things/yard/stills/latest', home.owner), 404, 'not-found'],
    ['without end', () => home.get('/things/gate/stills?limit=101', seer), 400, 'bad-request'],
    ['for ever', () => home.get('/things/gate/stills?wait=26', seer), 400, 'bad-request'],
    ['before half of one', () => home.get('/things/gate/stills?before=AAAA', seer), 400, 'bad-request'],
    ['for half a command', () => home.get('/things/gate/stills?command=AAAA', seer), 400, 'bad-request'],
  ]
  for (const [what, asks, status, why] of refusals)
    it(`${why}: ${what}`, async () => assert.deepEqual(code(await asks()), [status, why]))

  it('not on another device’s own face', async () => {
    const face = await home.home.unix({ only: home.home.light.id })
    const { answer } = await begin({ socketPath: face.socketPath, path: latest, as: home.owner })
    answer.resume()
    assert.equal(answer.statusCode, 404)
    const own = await home.home.unix({ only: gate.id })
    const { answer: there } = await begin({ socketPath: own.socketPath, path: latest, as: home.owner })
    there.resume()
    assert.equal(there.statusCode, 200)
  })
})

describe('pictures of another home [SPEC 19.6]', () => {
  const presence = { connected: true, since: 0 }
  const about = { board: 'host', firmware: 'camera 1', affordances: [30, 31], enrolledAt: 0, lost: 0 }
  const barn: Device = { id: newSealerId(), name: 'barn', home: 'farm', presence, ...about }
  const still: KeptStill = {
    ...{ device: barn.id, affordance: 30, command: command(8), digest: sha256(FIRST), size: FIRST.length },
    ...{ at: 7, receivedAt: 8, frame: Uint8Array.of(1, 2, 3) },
  }

  /** A home that has heard of a camera in another one, whose answer is this. */
  async function openWith(answer: Verdict<'there', Code>) {
    const asked: [PartyId, Looking][] = []
    const looks = {
      async list(device: PartyId, looking: Looking) {
        asked.push([device, looking])
        return answer.ok ? yes({ stills: [still] }) : answer
      },
      async picture(device: PartyId, looking: Looking) {
        asked.push([device, looking])
        return answer.ok ? yes({ still, bytes: FIRST }) : answer
      },
    }
    const there = await openPeopleHome({}, (home) => {
      const mesh = Object.create(home.mesh, { pictures: { value: { looks } } })
      return Object.create(withDevice(home, barn), { mesh: { value: mesh } })
    })
    return { there, asked }
  }

  it('are asked for there, by the request as it was sealed, and shown', async () => {
    const { there, asked } = await openWith(yes('there'))
    await using _ = there
    const path = '/things/farm%2Fbarn/stills?limit=3'
    const { status, json } = await there.get(path, there.owner)
    const { stills } = json as unknown as Told
    assert.deepEqual([status, stills.map(({ digest }) => digest)], [200, [toBase64url(sha256(FIRST))]])
    const { answer } = await begin({
      ...{ socketPath: there.socketPath, path: `/things/${barn.id}/stills/latest`, as: there.owner },
    })
    const parts: Buffer[] = []
    for await (const part of answer) parts.push(part)
    assert.deepEqual([answer.statusCode, Uint8Array.from(Buffer.concat(parts))], [200, FIRST])
    assert.equal(answer.headers['shallot-still'], toBase64url(still.frame))
    const [[device, looking], second] = asked as [[PartyId, Looking], [PartyId, Looking]]
    const opened = openEnvelope(looking.request, anybody, ed25519)
    assert(opened.ok && opened.value.body.type === 'request')
    assert.deepEqual([device, looking.path, opened.value.body.path], [barn.id, path, path])
    assert.deepEqual([...looking.readable], [30])
    assert.equal(second[1].path, `/things/${barn.id}/stills/latest`)
  })

  it('have no head alone: what was sealed for HEAD is no question there', async () => {
    const { there, asked } = await openWith(yes('there'))
    await using _ = there
    for (const path of ['/things/barn/stills', '/things/barn/stills/latest']) {
      const { answer } = await begin({ socketPath: there.socketPath, method: 'HEAD', path, as: there.owner })
      assert.deepEqual([answer.statusCode, answer.headers.allow], [405, 'GET'])
    }
    assert.deepEqual(asked, [])
  })

  it('are not asked for by who may not see them here', async () => {
    const { there, asked } = await openWith(yes('there'))
    await using _ = there
    const max = await there.phone(await there.person('max'))
    const devices = [Uint8Array.from(Buffer.from(barn.id, 'base64url'))]
    await there.grant(max, { devices, what: [{ affordance: 31, methods: INVOKE }] })
    assert.deepEqual(code(await there.get('/things/barn/stills', max)), [403, 'not-granted'])
    assert.deepEqual(code(await there.get('/things/barn/stills/latest', max)), [403, 'not-granted'])
    assert.deepEqual(asked, [])
  })

  for (const [why, status] of [
    ['unreachable', 503],
    ['grant-revoked', 403],
    ['not-found', 404],
    ['busy', 503],
    ['still-digest', 502],
  ] as const)
    it(`are refused with that home's ${why}`, async () => {
      const { there } = await openWith(no(why, 'farm says so'))
      await using _ = there
      for (const path of ['/things/barn/stills', '/things/barn/stills/latest'])
        assert.deepEqual(code(await there.get(path, there.owner)), [status, why])
    })

  it('that were taken while it was in this home are shown from here', async () => {
    const { there } = await openWith(no('unreachable', 'farm is away'))
    await using _ = there
    const read = (_device: PartyId, _digest: Uint8Array, at: number, size: number) =>
      FIRST.subarray(at, at + size)
    Object.assign(there.home.home.stills, { list: () => [still], get: () => still, read })
    const { json, status } = await there.get('/things/barn/stills', there.owner)
    assert.deepEqual([status, (json as unknown as Told).stills.length], [200, 1])
    const { answer } = await begin({
      ...{ socketPath: there.socketPath, path: '/things/barn/stills/latest', as: there.owner },
    })
    const parts: Buffer[] = []
    for await (const part of answer) parts.push(part)
    assert.deepEqual([answer.statusCode, Uint8Array.from(Buffer.concat(parts))], [200, FIRST])
  })

  it('still-elsewhere: no other daemon tells of it', async () => {
    await using there = await openPeopleHome({}, (home) => withDevice(home, barn))
    for (const path of ['/things/farm%2Fbarn/stills', `/things/${barn.id}/stills/latest`])
      assert.deepEqual(code(await there.get(path, there.owner)), [409, 'still-elsewhere'])
  })
})

/** The home, which has heard of one more device. */
function withDevice(home: HttpHome, device: Device): HttpHome {
  const { devices } = home
  const known: Partial<DeviceBook> = {
    get: (id) => (id === device.id ? device : devices.get(id)),
    named: (name) =>
      [device.name, `${device.home}/${device.name}`].includes(name) ? device : devices.named(name),
    list: () => [...devices.list(), device],
    isForgotten: (id) => devices.isForgotten(id),
    twin: (id) => devices.twin(id),
  }
  return Object.create(home, { devices: { value: known } })
}
