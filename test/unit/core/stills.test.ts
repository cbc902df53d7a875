// SPDX-License-Identifier: GPL-3.0-or-later
/** What a hub makes of pictures, and of those who would send it something else [SPEC 19.3]. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { decodeCbor, type Message, type Signer, type Still } from '../../../daemon/core/envelope/index.ts'
import { idOf, type PartyId } from '../../../daemon/core/model/index.ts'
import { codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import { PIECE_BYTES, STILLS_UNDERWAY_MAX } from '../../../schemas/gen/ts/wire.ts'
import { jpegOf } from '../../../scripts/twins/jpeg.ts'
import { type CoreHome, LAMP, newDevice, openCoreHome } from '../../support/core-home.ts'
import { sha256 } from '../../support/request.ts'
import { signerOf } from '../../support/state.ts'

const COMMAND = new Uint8Array(32).fill(7)
const PICTURE = Uint8Array.from(jpegOf(320, 240, (x, y) => (x * 37 + y * 91) % 256))
const ANOTHER = Uint8Array.from(jpegOf(320, 240, (x, y) => (x * 53 + y * 17) % 256))
const pictureOf = (n: number) => Uint8Array.from(jpegOf(64, 64, (x) => n + x))

/** A camera, and what the hub said to it. */
class Camera {
  readonly home: CoreHome
  readonly id: PartyId
  readonly #by: Signer
  #heard: number

  constructor(home: CoreHome, by: Signer) {
    this.home = home
    this.#by = by
    this.id = idOf(by.key)
    this.#heard = home.sent.length
  }

  still(picture: Uint8Array, change: Partial<Still> = {}): Message<Still> {
    const body = { affordance: 30, command: COMMAND, digest: sha256(picture), size: picture.length, at: 5000 }
    return this.home.fromDevice<Still>('still', body, this.#by, change)
  }

  /** Says that it has the picture. @returns what the hub answered */
  say(picture: Uint8Array, change: Partial<Still> = {}): readonly string[] {
    this.home.deviceDesk.still(this.id, this.still(picture, change))
    return this.heard()
  }

  /** Sends pieces from `at` on, to `until`; the code that ends the connection, if one does. */
  async send(picture: Uint8Array, at = 0, until = picture.length): Promise<string | undefined> {
    for (let offset = at; offset < until; offset += PIECE_BYTES) {
      const bytes = picture.subarray(offset, offset + PIECE_BYTES)
      const code = await this.home.deviceDesk.piece(this.id, { offset, bytes })
      if (code) return code
    }
    return undefined
  }

  /** `offset code` of each note since the last time. */
  heard(): readonly string[] {
    const notes = this.home.sent.slice(this.#heard).filter(({ device }) => device === this.id)
    this.#heard = this.home.sent.length
    return notes.map(({ frame }) => {
      const note = decodeCbor(frame)
      assert(note.ok && Array.isArray(note.value))
      return `${note.value[1]} ${codeByNumber(note.value[2] as number)}`
    })
  }

  kept(): readonly number[] {
    return this.home.core.stills.list(this.id, 9).map(({ size }) => size)
  }
}

async function setUp(t: TestContext): Promise<Camera> {
  const home = await openCoreHome(t)
  return addCamera(home, LAMP, 'gate')
}

async function addCamera(home: CoreHome, by: Signer, name: string): Promise<Camera> {
  await home.state.devices.enrol({ ...newDevice(by, name), affordances: [30, 31, 20] }, home.clock.now())
  return new Camera(home, by)
}

describe('a picture that its device sealed', () => {
  it('is asked for from its beginning, acknowledged piece by piece, and kept when it is whole', async (t) => {
    const camera = await setUp(t)
    const events: (string | number)[] = []
    camera.home.feed.tap((event) => event.event === 'still' && events.push(event.got))
    assert.deepEqual(camera.say(PICTURE), ['0 ok'])
    assert.deepEqual(camera.home.core.stills.coming(camera.id)?.got, 0)
    assert.equal(await camera.send(PICTURE), undefined)
    const heard = camera.heard()
    assert.deepEqual([heard[0], heard.at(-1)], ['512 ok', `${PICTURE.length} ok`])
    const [still] = camera.home.core.stills.list(camera.id, 9)
    assert.deepEqual([still?.size, still?.at, still?.command], [PICTURE.length, 5000, COMMAND])
    assert.deepEqual(camera.home.core.stills.read(camera.id, still!.digest, 0, 1 << 20), PICTURE)
    assert.equal(camera.home.core.stills.coming(camera.id), undefined)
    assert.equal(events.at(-1), PICTURE.length)
  })

  it('goes on where it was after the link was cut, also when the device seals it anew', async (t) => {
    const camera = await setUp(t)
    camera.say(PICTURE)
    await camera.send(PICTURE, 0, 1024)
    camera.home.deviceDesk.gone(camera.id, 'link-closed')
    camera.heard()
    assert.deepEqual(camera.say(PICTURE, { sequence: 900 }), ['1024 ok'])
    await camera.send(PICTURE, 1024)
    assert.deepEqual(camera.kept(), [PICTURE.length])
  })

  it('that is here is answered with its size, and kept once', async (t) => {
    const camera = await setUp(t)
    camera.say(PICTURE)
    await camera.send(PICTURE)
    camera.heard()
    assert.deepEqual(camera.say(PICTURE), [`${PICTURE.length} ok`])
    assert.equal(await camera.send(PICTURE), 'unexpected-message')
    assert.deepEqual(camera.kept(), [PICTURE.length])
  })

  it('outlives a restart of the hub once it is kept; what was on its way begins again', async (t) => {
    const camera = await setUp(t)
    camera.say(PICTURE)
    await camera.send(PICTURE)
    camera.say(ANOTHER)
    await camera.send(ANOTHER, 0, 1024)
    camera.home.openCore()
    camera.heard()
    assert.deepEqual(camera.kept(), [PICTURE.length])
    assert.deepEqual(camera.say(ANOTHER), ['0 ok'])
  })
})

describe('what is no picture of its device is not kept', () => {
  const nothing = async (camera: Camera, code: string) => {
    assert.deepEqual(camera.heard().at(-1), `0 ${code}`)
    assert.deepEqual(camera.kept(), [])
    assert.equal(camera.home.core.stills.coming(camera.id)?.code, code)
    assert.equal(await camera.send(PICTURE), 'unexpected-message')
  }

  it('still-digest: other bytes than were sealed', async (t) => {
    const camera = await setUp(t)
    camera.say(PICTURE)
    await camera.send(PICTURE.with(700, PICTURE[700]! ^ 1))
    await nothing(camera, 'still-digest')
  })

  for (const [what, bytes] of [
    ['no beginning', PICTURE.with(0, 0)],
    ['no end', PICTURE.with(-1, 0)],
    ['a page', new TextEncoder().encode('<!doctype html><script>alert(1)</script>')],
    ['three bytes', Uint8Array.of(0xff, 0xd8, 0xff)],
  ] as const)
    it(`still-broken: ${what}`, async (t) => {
      const camera = await setUp(t)
      camera.say(bytes)
      await camera.send(bytes)
      await nothing(camera, 'still-broken')
    })

  it('still-too-large: before any of it is taken', async (t) => {
    const camera = await setUp(t)
    camera.home.deviceDesk.still(camera.id, camera.still(PICTURE, { size: 65_537 }))
    await nothing(camera, 'still-too-large')
  })

  it('no-such-affordance: of a device that has no camera, or by another property of its own', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const lamp = new Camera(home, LAMP)
    assert.deepEqual(lamp.say(PICTURE), ['0 no-such-affordance'])
    assert.deepEqual(lamp.say(PICTURE, { affordance: 1 }), ['0 no-such-affordance'])
    assert.equal(await lamp.send(PICTURE), 'unexpected-message')
  })

  it('still-late: one that got no further for thirty seconds, whether its device is there or not', async (t) => {
    const camera = await setUp(t)
    camera.say(PICTURE)
    await camera.send(PICTURE, 0, 1024)
    camera.heard()
    camera.home.clock.advance(29_000)
    assert.deepEqual(camera.heard(), [])
    camera.home.clock.advance(6000)
    await nothing(camera, 'still-late')
  })

  it('still-replaced: whoever waits for the first is told', async (t) => {
    const camera = await setUp(t)
    const codes: unknown[] = []
    camera.home.feed.tap((event) => event.event === 'still' && codes.push(event.code))
    camera.say(PICTURE)
    await camera.send(PICTURE, 0, 1024)
    assert.deepEqual(camera.say(pictureOf(1), { command: new Uint8Array(32) }).at(-1), '0 ok')
    assert.deepEqual(codes.filter(Boolean), ['still-replaced'])
    assert.equal(camera.home.core.stills.coming(camera.id, COMMAND)?.code, 'still-replaced')
    assert.equal(camera.home.core.stills.coming(camera.id)?.code, undefined)
    await camera.send(pictureOf(1))
    assert.deepEqual(camera.kept(), [pictureOf(1).length])
  })

  for (const [what, piece] of [
    ['the second one first', { offset: 512, bytes: PICTURE.subarray(512, 1024) }],
    ['a byte short', { offset: 0, bytes: PICTURE.subarray(0, 511) }],
    ['from within', { offset: 1, bytes: PICTURE.subarray(1, 513) }],
    ['beyond the end', { offset: PICTURE.length, bytes: PICTURE.subarray(0, 512) }],
  ] as const)
    it(`bad-note: ${what}`, async (t) => {
      const camera = await setUp(t)
      camera.say(PICTURE)
      assert.equal(await camera.home.deviceDesk.piece(camera.id, piece), 'bad-note')
      assert.deepEqual(camera.kept(), [])
    })

  it('unexpected-message: pieces of what was never said, or by another device', async (t) => {
    const camera = await setUp(t)
    const other = await addCamera(camera.home, signerOf(7401), 'yard')
    assert.equal(await camera.send(PICTURE), 'unexpected-message')
    camera.say(PICTURE)
    assert.equal(await other.send(PICTURE), 'unexpected-message')
  })
})

describe('a flood', () => {
  it('of new pictures of one device is told to wait; one a second comes through, and no other device waits', async (t) => {
    const camera = await setUp(t)
    const other = await addCamera(camera.home, signerOf(7401), 'yard')
    const answers = [1, 2, 3, 4, 5, 6].map((n) => camera.say(pictureOf(n)).at(-1))
    assert.deepEqual(answers, ['0 ok', '0 ok', '0 ok', '0 ok', '0 busy', '0 busy'])
    assert.deepEqual(other.say(PICTURE), ['0 ok'])
    camera.home.clock.advance(1000)
    assert.deepEqual([camera.say(pictureOf(7)).at(-1), camera.say(pictureOf(8)).at(-1)], ['0 ok', '0 busy'])
  })

  it('of one picture said again and again costs nothing', async (t) => {
    const camera = await setUp(t)
    for (let n = 0; n < 50; n++) assert.deepEqual(camera.say(PICTURE), ['0 ok'])
    await camera.send(PICTURE)
    assert.deepEqual(camera.kept(), [PICTURE.length])
  })

  it('of devices that never finish holds sixteen pictures; those who left make way', async (t) => {
    const home = await openCoreHome(t)
    const cameras: Camera[] = []
    for (let n = 0; n <= STILLS_UNDERWAY_MAX + 1; n++)
      cameras.push(await addCamera(home, signerOf(7500 + n), `camera-${n}`))
    const answers = cameras.map((camera) => camera.say(PICTURE).at(-1))
    assert.deepEqual(answers.slice(-3), ['0 ok', '0 busy', '0 busy'])
    home.deviceDesk.gone(cameras[3]!.id, 'link-closed')
    assert.deepEqual(cameras.at(-1)!.say(PICTURE), ['0 ok'])
    assert.equal(await cameras[3]!.send(PICTURE), 'unexpected-message')
  })
})
