// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { type Body, type Direct, openEnvelope, sealEnvelope } from '../../../../daemon/core/envelope/index.ts'
import {
  serverLeaf,
  webCaCertificate,
  webKey,
  webScalar,
} from '../../../../daemon/core/identity/web-certificates.ts'
import { Session } from '../../../../daemon/edge/link/session.ts'
import { deviceKeys, LAMP } from '../../../../scripts/device/index.ts'
import { ed25519, FakeLine, linkRoom } from '../../../support/link-room.ts'

const DAY = 86_400_000
const ca = webKey(webScalar(new Uint8Array(48).fill(1)))
const own = webKey(webScalar(new Uint8Array(48).fill(2)))
const SERVER = { port: 8443, key: own.point }
const PAGE = 'https://192.168.1.20:8080'

function setUp({
  address = '192.168.1.77',
  origins = [PAGE],
}: {
  address?: string
  origins?: string[]
} = {}) {
  const home = linkRoom()
  const keys = deviceKeys(ed25519)
  const pages = { origins }
  const direct = {
    origins: () => pages.origins,
    issue: (point: Uint8Array, names: readonly string[]) =>
      serverLeaf(ca, point, names, new Uint8Array(16).fill(7), home.clock.now()),
  }
  const now = home.clock.now()
  home.desk.add({ id: keys.id, name: 'porch', ...LAMP })
  const line = new FakeLine(address)
  const leaf = { key: keys.signer.key, ca: home.issuer.key, from: now, until: now + 3650 * DAY }
  const session = new Session({ ...home.room, direct }, line, leaf, false)
  line.talk = session
  const hello = (server: typeof SERVER | null = SERVER, life = 1) => {
    const said = { audience: home.room.homeId, sealedAt: 0, epoch: new Uint8Array(8).fill(life), sequence: 0 }
    const body: Body = { type: 'hello', ...LAMP, lost: 0, ...said, ...(server && { direct: server }) }
    return line.take(sealEnvelope(body, keys.signer))
  }
  /** What the device was given for its server, opened as the device would. */
  const given = (): Direct[] =>
    line.sent.flatMap((frame) => {
      const opened = openEnvelope(
        frame,
        {
          sizeMax: 1024,
          accepts: ({ type }, signer) => type === 'direct' && Buffer.compare(signer, home.hub.key) === 0,
          isAudience: ({ audience }) => audience === keys.id,
        },
        ed25519,
      )
      return opened.ok ? [opened.value.body as Direct] : []
    })
  const name = `${createHash('sha256').update(keys.signer.key).digest('hex').slice(0, 16)}.local`
  return { ...home, now, pages, line, session, hello, given, name }
}

describe('a device’s own server is given its certificate [SPEC 18.2]', () => {
  it('for the key and life of its hello, its name and the address it comes from, after the welcome', async () => {
    const { hello, given, line, name } = setUp()
    assert.equal(await hello(), undefined)
    const [direct, ...more] = given()
    assert.deepEqual([more, direct?.origins, direct?.nonce], [[], [PAGE], new Uint8Array(8).fill(1)])
    assert.ok(line.sent.length >= 2 && line.sent.at(-1)!.length <= 1024)
    const leaf = new X509Certificate(direct!.certificate)
    assert.ok(leaf.checkIssued(new X509Certificate(webCaCertificate(ca))))
    assert.equal(leaf.subjectAltName, `DNS:${name}, IP Address:192.168.1.77`)
    const { x, y } = leaf.publicKey.export({ format: 'jwk' })
    const point = Buffer.concat([Buffer.of(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')])
    assert.deepEqual(Uint8Array.from(point), own.point)
  })

  for (const [address, named] of [
    ['::ffff:10.0.0.9', 'IP Address:10.0.0.9'],
    ['fe80::1%eth0', 'IP Address:FE80:0:0:0:0:0:0:1'],
    ['203.0.113.9', undefined],
    ['2001:db8::9', undefined],
  ] as const)
    it(`at ${address}: ${named ?? 'by its name alone'}`, async () => {
      const { hello, given, name } = setUp({ address })
      await hello()
      const { subjectAltName } = new X509Certificate(given()[0]!.certificate)
      assert.equal(subjectAltName, [`DNS:${name}`, ...(named ? [named] : [])].join(', '))
    })

  it('again in the last third of its life, when origins are others, and for another hello; not sooner', async () => {
    const { hello, given, session, clock, now, pages } = setUp()
    const after = (move: () => void): number => {
      const before = given().length
      move()
      session.equip()
      session.equip()
      return given().length - before
    }
    await hello()
    const counts = [
      after(() => clock.setWall(now + 240 * DAY)),
      after(() => clock.setWall(now + 243 * DAY)),
      after(() => {
        pages.origins = [PAGE, 'https://hub.local:8080']
      }),
    ]
    assert.deepEqual(counts, [0, 1, 1])
    await hello(SERVER, 2)
    assert.deepEqual(given().at(-1)!.nonce, new Uint8Array(8).fill(2))
  })

  it('not when it has none, when no page is there, nor for what is no point; the session goes on', async () => {
    const [without, alone, wrong] = [setUp(), setUp({ origins: [] }), setUp()]
    const codes = [
      await without.hello(null),
      await alone.hello(),
      await wrong.hello({
        port: 8443,
        key: Uint8Array.from(own.point, (byte, i) => (i === 64 ? byte ^ 1 : byte)),
      }),
    ]
    assert.deepEqual(codes, [undefined, undefined, undefined])
    assert.deepEqual(
      wrong.lines.filter(({ event }) => event === 'device-server-refused').map(({ fields }) => fields.code),
      ['bad-key'],
    )
    for (const { given, session } of [without, alone, wrong]) {
      session.equip()
      assert.deepEqual(given(), [])
    }
    alone.pages.origins = [PAGE]
    alone.session.equip()
    assert.equal(alone.given().length, 1, 'the LAN face opens after the link')
  })

  it('not before it was welcomed; from then on it is found by its name', async () => {
    const { session, given, hello, name } = setUp()
    session.equip()
    assert.deepEqual([given(), session.serverPlace], [[], undefined])
    await hello()
    assert.deepEqual(session.serverPlace, { name, address: '192.168.1.77' })
    await hello(null, 2)
    assert.equal(session.serverPlace, undefined)
  })
})
