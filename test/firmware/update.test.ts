// SPDX-License-Identifier: GPL-3.0-or-later
/** The firmware's updates over real TLS: images of the same sources with other versions, booted as the host's port boots them [SPEC 15]. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { encodeCbor, type Manifest, type Signer } from '../../daemon/core/envelope/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { signer, until } from '../support/firmware-home.ts'
import { imageOf, manifestOf, openUpdateHome, type UpdateHome } from '../support/update-home.ts'

const SECOND = { version: '0.2.0', sequence: 2 }
const THIRD = { version: '0.3.0', sequence: 3 }
const PROGRAM = { port: 'host', program: 'porch-light' } as const

type Enrolled = Awaited<ReturnType<typeof enrolled>>

async function enrolled(home: UpdateHome, environment: Record<string, string> = {}) {
  const firmware = await startFirmware({ ...PROGRAM, environment })
  firmware.say(home.code('porch'))
  await firmware.line(/^connected/)
  const device = await home.device('porch')
  await home.trust(device)
  await firmware.line(/^enrolment recorded$/)
  return { firmware, ...device, [Symbol.asyncDispose]: () => firmware[Symbol.asyncDispose]() }
}

/** Power again, after it was cut: the same directory. */
const again = ({ directory }: Firmware, environment: Record<string, string> = {}) =>
  startFirmware({ ...PROGRAM, directory, environment })

const standings = (home: UpdateHome): string[] =>
  home.home.desk.hellos.map(({ body }) => `${body.image?.running} ${body.image?.standing}`)

const slots = ({ directory }: Firmware): string[] =>
  ['slot-0', 'slot-1'].filter((name) => existsSync(join(directory, name)))

/** Serves an image to a device that was offered it, until it runs on trial and was kept. */
async function update(
  home: UpdateHome,
  { firmware, id }: Pick<Enrolled, 'firmware' | 'id'>,
  image: Uint8Array,
) {
  const manifest = manifestOf(image, home.release)
  home.serve(manifest, image)
  assert.equal(await home.offer(id, manifest), 'ok')
  await firmware.line(/^image kept$/)
}

describe('a device that is given another image [SPEC 15]', { concurrency: 2 }, () => {
  it('takes it, boots it on trial, says so, and keeps it once it is welcomed', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, hello } = device
    assert.equal(hello.body.firmware, 'porch-light 0.1.0')
    const image = imageOf('host', 'porch-light', SECOND)
    await update(home, device, image)
    assert.deepEqual(
      readFileSync(join(firmware.directory, 'slot-1')).subarray(0, image.length),
      Buffer.from(image),
    )
    await until('its word of it', () => standings(home).find((each) => each === '2 steady'))
    await firmware.kill()
    await using reborn = await again(firmware)
    await reborn.line(/^image 2$/)
    await reborn.line(/^connected/)
    assert.deepEqual(standings(home), ['1 steady', '2 trial', '2 steady', '2 steady'])
    assert.equal(home.home.desk.hellos.at(-1)!.body.firmware, 'porch-light 0.2.0')
  })

  it('takes the one after that into the slot it came from', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware } = device
    await update(home, device, imageOf('host', 'porch-light', SECOND))
    await update(home, device, imageOf('host', 'porch-light', THIRD))
    assert.deepEqual(slots(firmware), ['slot-0', 'slot-1'])
    assert.deepEqual(standings(home).slice(0, 4), ['1 steady', '2 trial', '2 steady', '3 trial'])
  })

  it('goes on where it was when the link was cut, without a byte twice', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, id } = device
    const image = imageOf('host', 'porch-light', SECOND)
    const manifest = manifestOf(image, home.release)
    const half = 512 * Math.floor(image.length / 1024)
    home.serve(manifest, image, half)
    assert.equal(await home.offer(id, manifest), 'ok')
    await until('half of it', () => ((home.latest(manifest)?.offset ?? 0) >= half ? true : undefined))
    const got = () => home.home.desk.wants.map(({ offset }) => offset)
    home.home.link.drop(id, 'superseded')
    home.serve(manifest, image)
    await firmware.line(/^image kept$/)
    assert.deepEqual(
      got(),
      got().toSorted((a, b) => a - b),
      'it never asks for what it has',
    )
  })

  it('goes on where it was after a power cut, but for what was not yet remembered', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, id } = device
    const image = imageOf('host', 'porch-light', SECOND)
    const manifest = manifestOf(image, home.release)
    const half = 512 * Math.floor(image.length / 1024)
    home.serve(manifest, image, half)
    assert.equal(await home.offer(id, manifest), 'ok')
    await until('half of it', () => ((home.latest(manifest)?.offset ?? 0) >= half ? true : undefined))
    await firmware.kill()
    const before = home.home.desk.wants.length
    home.serve(manifest, image)
    await using reborn = await again(firmware)
    await reborn.line(/^image kept$/)
    const resumed = home.home.desk.wants[before]!.offset
    // Of what is on its way when half is there, all may still arrive.
    assert.ok(resumed > half - 16_384 - 4096 && resumed < image.length, `it went on at ${resumed} of ${half}`)
  })

  it('comes back by itself when no hub welcomed the new one in time, and takes neither it nor an older one since', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, id } = device
    const image = imageOf('host', 'porch-light', THIRD)
    const manifest = manifestOf(image, home.release)
    home.serve(manifest, image)
    home.whenComplete(manifest, image.length, () => home.home.desk.forgotten.add(id))
    assert.equal(await home.offer(id, manifest), 'ok')
    await firmware.line(/^image 3 on trial$/)
    await firmware.line(/^link ended -209$/)
    firmware.leap()
    await firmware.line(/^image 1 came back$/)
    home.home.desk.forgotten.delete(id)
    home.serve(manifest, image, 0)
    firmware.leap()
    await firmware.line(/^connected/)
    const returned = await until('its word of it', () =>
      home.home.desk.hellos.map(({ body }) => body.image).find((each) => each?.standing === 'returned'),
    )
    assert.deepEqual(returned, { running: 1, standing: 'returned', tried: 3 })
    const offered = (change: Partial<Manifest>) => home.offer(id, manifestOf(image, home.release, change))
    assert.equal(await home.offer(id, manifest), 'replayed')
    assert.equal(await offered({}), 'replayed')
    assert.equal(await offered({ imageSequence: 2 }), 'downgrade')
    assert.equal(await offered({ imageSequence: 4 }), 'ok')
  })

  it('keeps it also when the hub that welcomes it has lost it, and asks for its record', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, id } = device
    const { desk } = home.home
    const image = imageOf('host', 'porch-light', SECOND)
    const manifest = manifestOf(image, home.release)
    desk.record = () => undefined
    home.serve(manifest, image)
    home.whenComplete(manifest, image.length, () => desk.devices.delete(id))
    assert.equal(await home.offer(id, manifest), 'ok')
    await firmware.line(/^image 2 on trial$/)
    await until('its word of it', () => standings(home).find((each) => each === '2 steady'))
    assert.ok(firmware.lines.includes('image kept'))
  })

  it('goes on as it was when its flash does not take that the other one is to be booted', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, id } = device
    const image = imageOf('host', 'porch-light', SECOND)
    const manifest = manifestOf(image, home.release)
    mkdirSync(join(firmware.directory, 'boot', 'in the way'), { recursive: true })
    home.serve(manifest, image)
    assert.equal(await home.offer(id, manifest), 'ok')
    await firmware.line(/^image complete, restarting$/)
    await firmware.line(/^connected/)
    await until('its word of it', () => standings(home).find((each) => each === '1 returned'))
  })

  it('comes back when the new one does not boot, after a few tries', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, id } = device
    const noise = Uint8Array.from({ length: 3000 }, (_, i) => i)
    const like = manifestOf(imageOf('host', 'porch-light', SECOND), home.release, {
      size: noise.length,
      digest: sha256(noise),
    })
    home.serve(like, noise)
    assert.equal(await home.offer(id, like), 'ok')
    await firmware.line(/^image 1 came back$/)
    await firmware.line(/^connected/)
    await until('its word of it', () => standings(home).find((each) => each === '1 returned'))
  })

  it('boots nothing that is not what the manifest describes, and takes the right bytes afterwards', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, id } = device
    const image = imageOf('host', 'porch-light', SECOND)
    const manifest = manifestOf(image, home.release)
    const truncated = Uint8Array.from(image).fill(0, image.length - 700)
    home.serve(manifest, truncated)
    assert.equal(await home.offer(id, manifest), 'ok')
    await until('its refusal', () => (home.latest(manifest)?.code === 'image-digest' ? true : undefined))
    assert.ok(!firmware.lines.includes('image complete, restarting'))
    await update(home, device, image)
  })

  it('ends the link with a hub that is out of step', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, id } = device
    const chunk = (offset: number, size: number) =>
      home.home.link.send(id, encodeCbor([1, offset, new Uint8Array(size)]))
    chunk(0, 512)
    await firmware.line(/^link ended -202$/)
    firmware.leap()
    await firmware.line(/^connected/)
    const image = imageOf('host', 'porch-light', SECOND)
    const manifest = manifestOf(image, home.release)
    for (const [offset, size] of [
      [512, 512],
      [0, 511],
    ] as const) {
      assert.equal(await home.offer(id, manifest), 'ok')
      chunk(offset, size)
      await firmware.line(/^link ended -201$/)
      firmware.leap()
      await firmware.line(/^connected/)
    }
    assert.deepEqual(slots(firmware), [], 'and has written nothing')
  })
})

it('an emulated board is updated as the real one would be, after a cut link, and keeps it [SPEC 15]', async () => {
  await using home = await openUpdateHome()
  await using firmware = await startFirmware({ port: 'qemu', program: 'porch-light' })
  firmware.say(home.code('porch'))
  await firmware.line(/^connected/)
  const device = await home.device('porch')
  await home.trust(device)
  await firmware.line(/^enrolment recorded$/)
  const image = imageOf('qemu', 'porch-light', SECOND)
  const manifest = manifestOf(image, home.release)
  home.serve(manifest, image, 51_200)
  assert.equal(await home.offer(device.id, manifest), 'ok')
  await until('a part of it', () => ((home.latest(manifest)?.offset ?? 0) >= 51_200 ? true : undefined))
  home.home.link.drop(device.id, 'superseded')
  home.serve(manifest, image)
  await firmware.line(/^image kept$/)
  await until('its word that it is kept', () => standings(home).find((each) => each === '2 steady'))
  assert.deepEqual(standings(home).slice(-2), ['2 trial', '2 steady'])
  assert.equal(home.home.desk.hellos.at(-1)!.body.firmware, 'porch-light 0.2.0')
})

describe('power cuts on the way to another image [SPEC 15.5]', { concurrency: 2 }, () => {
  for (const port of ['sanitize', 'qemu', 'rv32'] as const) {
    it(`at every write leave a whole image that boots, by each boot loader, ${port}`, async () => {
      await using check = await startFirmware({ port, program: 'update-check' })
      await check.line(/^end$/)
      assert.deepEqual(
        check.lines.filter((line) => line.startsWith('FAILED')),
        [],
      )
      assert.equal(check.lines.filter((line) => line.startsWith('ok ')).length, 75)
    })
  }

  it('tear a write of the real thing: the first, one in the middle, and each at the end', async () => {
    await using home = await openUpdateHome()
    const image = imageOf('host', 'porch-light', SECOND)
    const parts = (bytes: number) => Math.ceil(image.length / bytes)
    // An offer, chunks, sectors, what is remembered of them; then the trial, the boot record, its use, that it is kept, and that it runs.
    const writes = 1 + parts(512) + parts(4096) + Math.floor(image.length / 16_384) + 5
    const cuts = [1, 2, Math.floor(writes / 2), ...Array.from({ length: 6 }, (_, i) => writes - i)]
    await using device = await enrolled(home)
    const { firmware } = device
    await firmware.kill()
    const manifest = manifestOf(image, home.release)
    home.serve(manifest, image)
    for (const cut of cuts) {
      const directory = `${firmware.directory}-cut-${cut}`
      cpSync(firmware.directory, directory, { recursive: true })
      using _gone = { [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
      await using torn = await startFirmware({
        ...PROGRAM,
        directory,
        environment: { SHALLOT_CUT: String(cut) },
      })
      assert.equal(await torn.exited, 77, `cut at write ${cut} of ${writes}`)
      await using whole = await startFirmware({ ...PROGRAM, directory })
      await whole.line(/^image (?:kept|2)$/)
      await whole.kill()
    }
  })
})

describe('a device refuses, before it writes anything,', () => {
  const image = () => imageOf('host', 'porch-light', SECOND)
  const stranger = signer()
  const cases: [string, string, (home: UpdateHome) => [Signer, Partial<Manifest>]][] = [
    ['the image of another key', 'unknown-signer', () => [stranger, {}]],
    ['the image of its own owner', 'unknown-signer', (home) => [home.owner, {}]],
    ['another vendor’s', 'wrong-vendor', (home) => [home.release, { vendor: 'acme' }]],
    ['another board’s', 'wrong-class', (home) => [home.release, { imageClass: 'esp8266/porch-light' }]],
    ['another app’s', 'wrong-class', (home) => [home.release, { imageClass: 'host/front-door' }]],
    [
      'a class that only begins like its own',
      'wrong-class',
      (home) => [home.release, { imageClass: 'host/porch' }],
    ],
    ['the one that it runs', 'replayed', (home) => [home.release, { imageSequence: 1 }]],
    ['one that wants a newer one first', 'update-condition', (home) => [home.release, { from: 2 }]],
    ['one that speaks a later wire', 'update-condition', (home) => [home.release, { wire: 2 }]],
    ['one that does not fit', 'image-too-large', (home) => [home.release, { size: 2 * 1024 * 1024 + 1 }]],
    [
      'one sealed for whom another key says',
      'wrong-audience',
      (home) => [home.release, { audience: idOf(stranger.key) }],
    ],
    [
      'one from next year',
      'not-yet',
      (home) => [home.release, { sealedAt: Math.floor(Date.now() / 1000) + 31_536_000 }],
    ],
  ]

  it('each with its code', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware, id } = device
    for (const [what, code, spoil] of cases)
      assert.equal(await home.offer(id, manifestOf(image(), ...spoil(home))), code, what)
    const flipped = manifestOf(image(), home.release)
    flipped[flipped.length - 1]! ^= 1
    assert.equal(await home.offer(id, flipped), 'bad-signature')
    assert.deepEqual(slots(firmware), [])
    assert.ok(
      !existsSync(join(firmware.directory, 'update-0')) && !existsSync(join(firmware.directory, 'update-1')),
    )
  })

  it('everything, while its owner has named no release key, and what the key before seals, once another is named', async () => {
    await using home = await openUpdateHome()
    await using firmware = await startFirmware(PROGRAM)
    firmware.say(home.code('porch'))
    await firmware.line(/^connected/)
    const device = await home.device('porch')
    const manifest = manifestOf(image(), home.release)
    assert.equal(await home.offer(device.id, manifest), 'no-release-key')
    await home.trust(device)
    await firmware.line(/^enrolment recorded$/)
    assert.equal(await home.offer(device.id, manifest), 'ok')
    await home.trust(device, stranger.key)
    await firmware.line(/^enrolment recorded$/)
    assert.equal(await home.offer(device.id, manifest), 'unknown-signer', 'also of one that is under way')
    assert.equal(await home.offer(device.id, manifestOf(image(), stranger)), 'ok')
  })

  it('what is older than what it runs, and what it had before', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { id } = device
    await update(home, device, image())
    const old = manifestOf(image(), home.release, { imageSequence: 1 })
    assert.equal(await home.offer(id, old), 'downgrade')
    assert.equal(await home.offer(id, manifestOf(image(), home.release)), 'replayed')
  })
})

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
