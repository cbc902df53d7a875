// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import {
  decodeCbor,
  type Frame,
  type Hello,
  type ImageStanding,
  nativeEd25519,
  type Receipt,
  type Signer,
} from '../../../daemon/core/envelope/index.ts'
import { idOf, type PartyId } from '../../../daemon/core/model/index.ts'
import {
  isForSlot,
  planStages,
  readImageFile,
  readImageSelf,
  Stream,
  writeImageFile,
} from '../../../daemon/core/updates/index.ts'
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import { type CoreHome, newDevice, OWNER, openCoreHome } from '../../support/core-home.ts'
import { fakeImage, fakeManifest } from '../../support/image.ts'
import { signerOf } from '../../support/state.ts'

const RELEASE = signerOf(7100)
const lamps = [1, 2, 3, 4, 5].map((n) => signerOf(7200 + n))
const sha256 = (bytes: Uint8Array) => Uint8Array.from(createHash('sha256').update(bytes).digest())

describe('an image file [SPEC 15.7]', () => {
  const ed25519 = nativeEd25519()
  const image = fakeImage()
  const manifest = fakeManifest(image, RELEASE)

  it('gives back the manifest and the image that it was made of', () => {
    const read = readImageFile(writeImageFile(manifest, image), ed25519)
    assert(read.ok)
    assert.deepEqual(read.value.image, image)
    assert.equal(read.value.manifest.body.firmware, 'lamp 0.2.0')
  })

  const refused: [string, () => Uint8Array, Code][] = [
    ['another image of the same size', () => writeImageFile(manifest, image.with(3, 1)), 'image-digest'],
    ['an image that was cut short', () => writeImageFile(manifest, image.subarray(1)), 'image-size'],
    ['a longer image', () => writeImageFile(manifest, Uint8Array.of(...image, 0)), 'image-size'],
    [
      'a manifest with another bit',
      () => writeImageFile(manifest.with(-1, manifest.at(-1)! ^ 1), image),
      'bad-signature',
    ],
    [
      'a manifest for another audience',
      () => writeImageFile(fakeManifest(image, RELEASE, { audience: idOf(OWNER.key) }), image),
      'wrong-audience',
    ],
    ['bytes behind it', () => Uint8Array.of(...writeImageFile(manifest, image), 0), 'bad-request'],
    ['a file that ends early', () => writeImageFile(manifest, image).subarray(0, -1), 'bad-request'],
    ['the image alone', () => image, 'bad-request'],
    ['nothing', () => new Uint8Array(), 'bad-request'],
    ['more than an image may be', () => new Uint8Array(4_194_304 + 2000), 'payload-too-large'],
  ]
  for (const [what, file, code] of refused)
    it(`is refused with ${code}: ${what}`, () => {
      const read = readImageFile(file(), ed25519)
      assert.equal(read.ok ? 'ok' : read.why, code)
    })

  it('finds what an image says of itself, once and in its own words', () => {
    const said = { sequence: 7, vendor: 'shallot', imageClass: 'esp8266/room', version: '1.2.3' }
    assert.deepEqual(readImageSelf(fakeImage(said)), said)
    assert.equal(readImageSelf(Uint8Array.of(...fakeImage(), ...fakeImage())), undefined, 'twice')
    assert.equal(readImageSelf(fakeImage({ sequence: 0 })), undefined)
    assert.equal(readImageSelf(fakeImage({ vendor: '' })), undefined)
    assert.equal(readImageSelf(fakeImage().subarray(0, 1100)), undefined, 'cut short')
    assert.equal(readImageSelf(new Uint8Array(3000)), undefined)
  })
})

describe('an image for a slot', () => {
  const ended = (image: Uint8Array, size = image.length, mark = 'shallot1') => {
    const end = Buffer.alloc(16)
    end.write(mark, 'latin1')
    end.writeUInt32LE(size, 8)
    return Uint8Array.of(...image, ...end)
  }
  const of = (imageClass: string) => {
    const image = fakeImage({ imageClass })
    return { image, self: readImageSelf(image)! }
  }
  const { image, self } = of('esp8266/room')

  it('is, for an ESP8266, what its boot loader takes', () => {
    assert.equal(isForSlot(ended(image), self), true)
  })

  it('is for other boards the program as it is', () => {
    for (const imageClass of ['esp32/room', 'host/room', 'esp8266-emulated/room']) {
      const other = of(imageClass)
      assert.equal(isForSlot(other.image, other.self), true)
    }
  })

  const refused: [string, Uint8Array][] = [
    ['one without that end', image],
    ['the file for its serial line, which is a sector longer', ended(image, image.length - 4096)],
    ['another end', ended(image, image.length, 'shallot2')],
    ['an end with bytes behind it', Uint8Array.of(...ended(image), 0)],
    ['less than an end', new Uint8Array(15)],
  ]
  for (const [what, bytes] of refused)
    it(`is not, for an ESP8266, ${what}`, () => {
      assert.equal(isForSlot(bytes, self), false)
    })
})

describe('chunks [SPEC 15.4]', () => {
  const image = fakeImage({}, 5000)
  const offsets = (chunks: readonly Frame[] | undefined) =>
    chunks?.map((chunk) => {
      const item = decodeCbor(chunk)
      assert(item.ok && Array.isArray(item.value) && item.value[0] === 1)
      return item.value[1] as number
    })

  it('are at most eight beyond what the device has, each once, in order', () => {
    const stream = new Stream(image)
    assert.deepEqual(offsets(stream.wanted(0)), [0, 512, 1024, 1536, 2048, 2560, 3072, 3584])
    assert.deepEqual(offsets(stream.wanted(0)), [], 'none twice')
    assert.deepEqual(offsets(stream.wanted(512)), [4096])
    assert.deepEqual(offsets(stream.wanted(1024)), [4608])
    assert.deepEqual(offsets(stream.wanted(1536)), [], 'there are no more')
    assert.deepEqual(offsets(stream.wanted(5000)), [])
  })

  it('begin where the device is', () => {
    assert.deepEqual(offsets(new Stream(image).wanted(4096)), [4096, 4608])
  })

  for (const [what, words] of [
    ['less than before', [1024, 512]],
    ['more than was sent', [0, 4608]],
    ['no whole chunk', [100]],
    ['more than there is', [5120]],
  ] as [string, number[]][])
    it(`end when a device says it has ${what}`, () => {
      const stream = new Stream(image)
      const answers = words.map((offset) => stream.wanted(offset))
      assert.equal(answers.at(-1), undefined)
      assert.ok(answers.slice(0, -1).every(Boolean))
    })
})

describe('stages [SPEC 15.8]', () => {
  const ids = lamps.map(({ key }) => idOf(key))
  const stagesOf = (count: number, sizes: number[]) =>
    planStages([...ids, ...ids, ...ids].slice(0, count), sizes, 0)?.map(({ stage }) => stage)

  it('are one, a quarter, all, unless sizes are given', () => {
    assert.deepEqual(stagesOf(9, []), [0, 1, 1, 2, 2, 2, 2, 2, 2])
    assert.deepEqual(stagesOf(3, []), [0, 1, 2])
    assert.deepEqual(stagesOf(1, []), [0])
    assert.deepEqual(stagesOf(5, [2, 1]), [0, 0, 1, 2, 2])
    assert.deepEqual(stagesOf(2, [5]), [0, 0])
  })

  it('have whole sizes from 1 up', () => {
    for (const sizes of [[0], [-1], [1.5], [Number.NaN], [1, 0]]) assert.equal(stagesOf(3, sizes), undefined)
  })
})

/** A home with lamps of one group, and an image that was handed in. */
async function rollingHome(t: TestContext, count = 3) {
  const home = await openCoreHome(t)
  for (const [at, lamp] of lamps.slice(0, count).entries()) {
    const added = await home.state.devices.enrol(newDevice(lamp, `lamp-${at}`), home.clock.now())
    assert(added.ok)
    const record = home.record({
      key: lamp.key,
      name: `lamp-${at}`,
      groups: ['lights'],
      release: RELEASE.key,
    })
    await home.state.devices.confirm(idOf(lamp.key), `lamp-${at}`, record)
  }
  const image = fakeImage()
  const manifest = fakeManifest(image, RELEASE)
  const digest = sha256(manifest)
  const file = writeImageFile(manifest, image)
  const { rollouts } = home.core
  const put = await rollouts.putPart({ digest, at: 0, size: file.length, bytes: file }, home.caller)
  assert.deepEqual(put, { ok: true, value: { got: file.length, size: file.length } })
  return { home, image, manifest, digest }
}

type Rolling = Awaited<ReturnType<typeof rollingHome>>

async function hello({ home }: Rolling, lamp: Signer, image: ImageStanding): Promise<void> {
  const about = { board: 'host', firmware: 'lamp', affordances: [1], lost: 0, image }
  await home.deviceDesk.hello(idOf(lamp.key), home.fromDevice<Hello>('hello', about, lamp))
  home.deviceDesk.welcomed(idOf(lamp.key))
  await settled(home)
}

const steady = (running: number): ImageStanding => ({ running, standing: 'steady', tried: 0 })

/** Everything that was begun has been written. */
const settled = (home: CoreHome) =>
  home.state.journal
    .append({ kind: 'permit', at: 0 })
    .then(() => home.state.journal.append({ kind: 'permit', at: 0 }))

const offered = ({ home, manifest }: Rolling): PartyId[] =>
  home.sent.filter(({ frame }) => Buffer.compare(frame, manifest) === 0).map(({ device }) => device)

async function start(rolling: Rolling, target = 'lights', stages: number[] = [1]) {
  const started = await rolling.home.core.rollouts.start(
    { image: rolling.digest, target, stages },
    rolling.home.caller,
  )
  await settled(rolling.home)
  return started
}

async function takes(rolling: Rolling, lamp: Signer): Promise<void> {
  const { home, image, digest } = rolling
  for (let offset = 0; ; offset = Math.min(offset + 512, image.length)) {
    home.deviceDesk.wanted(idOf(lamp.key), { digest: digest.subarray(0, 8), offset, code: 'ok' })
    if (offset === image.length) break
  }
  await settled(home)
}

async function updates(rolling: Rolling, lamp: Signer): Promise<void> {
  await takes(rolling, lamp)
  rolling.home.deviceDesk.gone(idOf(lamp.key), 'link-closed')
  await hello(rolling, lamp, { running: 2, standing: 'trial', tried: 2 })
  await hello(rolling, lamp, { running: 2, standing: 'steady', tried: 2 })
}

async function refuses({ home, digest }: Rolling, lamp: Signer, code: Code): Promise<void> {
  const body = { command: digest, code: CODES[code], values: [] }
  await home.deviceDesk.receipt(idOf(lamp.key), home.fromDevice<Receipt>('receipt', body, lamp))
  await settled(home)
}

const states = ({ home }: Rolling) => {
  const view = home.core.rollouts.list().at(-1)!
  return [view.state, ...view.devices.map(({ state, code }) => (code ? `${state} ${code}` : state))]
}

describe('a roll-out [SPEC 15.8]', () => {
  it('offers the image to the first stage alone, and to the next when that is done', async (t) => {
    const rolling = await rollingHome(t)
    for (const lamp of lamps.slice(0, 3)) await hello(rolling, lamp, steady(1))
    assert((await start(rolling)).ok)
    assert.deepEqual(offered(rolling), [idOf(lamps[0]!.key)])
    await takes(rolling, lamps[0]!)
    assert.deepEqual(states(rolling), ['running', 'restarting', 'waiting', 'waiting'])
    await hello(rolling, lamps[0]!, { running: 2, standing: 'trial', tried: 2 })
    assert.equal(offered(rolling).length, 1, 'a trial is not yet the end')
    await hello(rolling, lamps[0]!, { running: 2, standing: 'steady', tried: 2 })
    assert.deepEqual(offered(rolling).slice(1), [idOf(lamps[1]!.key), idOf(lamps[2]!.key)])
    await updates(rolling, lamps[1]!)
    await updates(rolling, lamps[2]!)
    assert.deepEqual(states(rolling), ['done', 'done', 'done', 'done'])
  })

  for (const [how, code, fail] of [
    ['refuses the manifest', 'wrong-class', (r, lamp) => refuses(r, lamp, 'wrong-class')],
    ['cannot make sense of it', 'unknown-type', (r, lamp) => refuses(r, lamp, 'unknown-type')],
    [
      'gets other bytes',
      'image-digest',
      async (r, lamp) => {
        r.home.deviceDesk.wanted(idOf(lamp.key), {
          digest: r.digest.subarray(0, 8),
          offset: 0,
          code: 'image-digest',
        })
        await settled(r.home)
      },
    ],
    [
      'says what cannot be',
      'bad-note',
      async (r, lamp) => {
        r.home.deviceDesk.wanted(idOf(lamp.key), { digest: r.digest.subarray(0, 8), offset: 511, code: 'ok' })
        await settled(r.home)
      },
    ],
    [
      'comes back with the old image',
      'update-returned',
      async (r, lamp) => {
        await takes(r, lamp)
        await hello(r, lamp, { running: 1, standing: 'returned', tried: 2 })
      },
    ],
    [
      'does not come back',
      'update-silent',
      async (r, lamp) => {
        await takes(r, lamp)
        r.home.deviceDesk.gone(idOf(lamp.key), 'link-closed')
        r.home.clock.advance(599_000)
        await settled(r.home)
        assert.equal(states(r)[0], 'running')
        r.home.clock.advance(3000)
        await settled(r.home)
      },
    ],
  ] as [string, Code, (rolling: Rolling, lamp: Signer) => Promise<void>][])
    it(`halts when a device ${how}: ${code}; nobody else is offered the image`, async (t) => {
      const rolling = await rollingHome(t)
      for (const lamp of lamps.slice(0, 3)) await hello(rolling, lamp, steady(1))
      await start(rolling)
      await fail(rolling, lamps[0]!)
      assert.deepEqual(states(rolling), ['halted', `failed ${code}`, 'waiting', 'waiting'])
      for (const lamp of lamps.slice(0, 3)) await hello(rolling, lamp, steady(1))
      assert.equal(offered(rolling).length, 1)
      assert.ok(rolling.home.kinds().includes('updated'))
    })

  it('waits for a device that is away, and goes on when it comes', async (t) => {
    const rolling = await rollingHome(t, 1)
    await start(rolling, 'lamp-0')
    assert.deepEqual(offered(rolling), [])
    rolling.home.clock.advance(3_600_000)
    assert.deepEqual(states(rolling), ['running', 'waiting'])
    await hello(rolling, lamps[0]!, steady(1))
    assert.deepEqual(offered(rolling), [idOf(lamps[0]!.key)])
  })

  it('is done at once where the image runs already', async (t) => {
    const rolling = await rollingHome(t, 2)
    await hello(rolling, lamps[0]!, steady(2))
    await hello(rolling, lamps[1]!, steady(1))
    await start(rolling)
    assert.deepEqual(states(rolling), ['running', 'done', 'offered'])
    assert.deepEqual(offered(rolling), [idOf(lamps[1]!.key)])
  })

  it('takes those who are there first', async (t) => {
    const rolling = await rollingHome(t)
    await hello(rolling, lamps[2]!, steady(1))
    const started = await start(rolling)
    assert(started.ok)
    assert.deepEqual(
      started.value.devices.map(({ name }) => name),
      ['lamp-2', 'lamp-0', 'lamp-1'],
    )
  })

  it('is known again after a restart of the hub, which begins where the device is', async (t) => {
    const rolling = await rollingHome(t, 2)
    for (const lamp of lamps.slice(0, 2)) await hello(rolling, lamp, steady(1))
    await start(rolling)
    rolling.home.openCore()
    assert.deepEqual(states(rolling), ['running', 'waiting', 'waiting'])
    await hello(rolling, lamps[0]!, steady(1))
    assert.equal(offered(rolling).length, 2)
    const before = rolling.home.sent.length
    rolling.home.deviceDesk.wanted(idOf(lamps[0]!.key), {
      digest: rolling.digest.subarray(0, 8),
      offset: 4096,
      code: 'ok',
    })
    assert.equal(rolling.home.sent.length, before + 2, 'the last two chunks of 5,000 bytes')
  })

  it('that was stopped sends no more, also to a device in the middle of it', async (t) => {
    const rolling = await rollingHome(t)
    await hello(rolling, lamps[0]!, steady(1))
    const started = await start(rolling)
    assert(started.ok)
    const { rollouts } = rolling.home.core
    assert.equal((await rollouts.stop(started.value.id, rolling.home.caller)).ok, true)
    const before = rolling.home.sent.length
    rolling.home.deviceDesk.wanted(idOf(lamps[0]!.key), {
      digest: rolling.digest.subarray(0, 8),
      offset: 0,
      code: 'ok',
    })
    await hello(rolling, lamps[0]!, steady(1))
    assert.equal(offered(rolling).length, 1)
    assert.equal(rolling.home.sent.length, before)
    const again = await rollouts.stop(started.value.id, rolling.home.caller)
    assert.equal(again.ok ? 'ok' : again.why, 'conflict')
  })

  it('hears nobody about an image that it was not offered', async (t) => {
    const rolling = await rollingHome(t)
    for (const lamp of lamps.slice(0, 3)) await hello(rolling, lamp, steady(1))
    await start(rolling)
    const before = rolling.home.sent.length
    const { digest } = rolling
    rolling.home.deviceDesk.wanted(idOf(lamps[1]!.key), {
      digest: digest.subarray(0, 8),
      offset: 0,
      code: 'ok',
    })
    rolling.home.deviceDesk.wanted(idOf(lamps[0]!.key), { digest: new Uint8Array(8), offset: 0, code: 'ok' })
    rolling.home.deviceDesk.wanted(idOf(lamps[1]!.key), {
      digest: digest.subarray(0, 8),
      offset: 0,
      code: 'image-digest',
    })
    await settled(rolling.home)
    assert.equal(rolling.home.sent.length, before)
    assert.equal(states(rolling)[0], 'running')
  })

  for (const [what, code, change] of [
    ['an image that was not handed in', 'not-found', { image: new Uint8Array(32) }],
    ['a target that there is not', 'not-found', { target: 'garage' }],
    ['a stage of nobody', 'bad-request', { stages: [0] }],
  ] as [string, Code, object][])
    it(`does not begin with ${what}: ${code}`, async (t) => {
      const { home, digest } = await rollingHome(t)
      const wanted = { image: digest, target: 'lights', stages: [1], ...change }
      const started = await home.core.rollouts.start(wanted, home.caller)
      assert.equal(started.ok ? 'ok' : started.why, code)
    })

  it('does not begin while another one to one of its devices runs', async (t) => {
    const rolling = await rollingHome(t)
    await start(rolling, 'lamp-1')
    const second = await start(rolling)
    assert.equal(second.ok ? 'ok' : second.why, 'rollout-open')
  })
})

describe('an image on its way in', () => {
  it('comes in parts, in order; a part that is not the next changes nothing', async (t) => {
    const home = await openCoreHome(t)
    const image = fakeImage()
    const manifest = fakeManifest(image, RELEASE)
    const file = writeImageFile(manifest, image)
    const digest = sha256(manifest)
    const part = (at: number, until: number, size = file.length) =>
      home.core.rollouts.putPart({ digest, at, size, bytes: file.subarray(at, until) }, home.caller)
    const got = async (answer: ReturnType<typeof part>) => {
      const said = await answer
      return said.ok ? said.value.got : said.why
    }
    assert.equal(await got(part(100, 200)), 'bad-request', 'nothing was begun')
    assert.equal(await got(part(0, 2000)), 2000)
    assert.equal(await got(part(3000, 4000)), 2000)
    assert.equal(await got(part(2000, 4000, file.length + 1)), 'bad-request', 'of another size')
    assert.equal(await got(part(2000, 6000)), file.length)
    assert.equal(await got(part(0, 10)), file.length, 'it is here already')
  })

  it('is not kept under another name, nor when it is not what its manifest says', async (t) => {
    const home = await openCoreHome(t)
    const image = fakeImage()
    const manifest = fakeManifest(image, RELEASE)
    const put = async (digest: Uint8Array, file: Uint8Array) => {
      const said = await home.core.rollouts.putPart(
        { digest, at: 0, size: file.length, bytes: file },
        home.caller,
      )
      return said.ok ? 'ok' : said.why
    }
    assert.equal(await put(new Uint8Array(32), writeImageFile(manifest, image)), 'bad-request')
    assert.equal(await put(sha256(manifest), writeImageFile(manifest, image.with(0, 9))), 'image-digest')
    assert.equal(home.state.updates.holdsImage(sha256(manifest)), false)
    assert.deepEqual(home.kinds(), ['refused', 'refused'])
  })
})
