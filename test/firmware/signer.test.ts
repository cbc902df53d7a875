// SPDX-License-Identifier: GPL-3.0-or-later
/** Keys in chips: the drivers against simulated chips, and a device whose key is in one against the real link. */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { verifyAsync } from '@noble/ed25519'
import { CAPABILITIES } from '../../schemas/gen/ts/capabilities.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { codeName, command, type FirmwareHome, openFirmwareHome } from '../support/firmware-home.ts'

const bytesIn = (answer: string): Buffer => Buffer.from(answer.split(' ')[1]!, 'hex')
/** How they fail is the same wherever they run; under emulation only it takes longer. */
const faultsOn = (port: string): string[] =>
  port === 'qemu' ? [] : ['absent', 'checksum', 'asleep', 'locked']
const check = (port: 'sanitize' | 'qemu', world: Record<string, string>) =>
  startFirmware({ port, program: 'crypto-check', world })

function isSignature256(point: Buffer, message: Buffer, signature: Buffer): boolean {
  const [x, y] = [point.subarray(0, 32), point.subarray(32)].map((half) => half.toString('base64url'))
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x!, y: y! }, format: 'jwk' })
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

for (const port of ['sanitize', 'qemu'] as const) {
  describe(`an SE050 on ${port}`, () => {
    it('signs messages of every length it may, with either of its keys, as RFC 8032 has it', async () => {
      await using chip = await check(port, { 'i2c-48': 'se050' })
      const keys = [bytesIn(await chip.ask('make 00')), bytesIn(await chip.ask('make 01'))]
      assert.notDeepEqual(keys[0], keys[1])
      for (const size of [1, 14, 15, 16, 50, 51, 130, 256, 860]) {
        const message = randomBytes(size)
        const place = size % 2
        const signature = bytesIn(await chip.ask(`chip-sign 0${place} ${message.toString('hex')}`))
        assert.ok(await verifyAsync(signature, message, keys[place]!), `${size} bytes`)
      }
    })

    it('makes another key when it is asked again, and leaves the one beside it alone', async () => {
      await using chip = await check(port, { 'i2c-48': 'se050' })
      const [first, beside, second] = [
        await chip.ask('make 00'),
        await chip.ask('make 01'),
        await chip.ask('make 00'),
      ]
      assert.notEqual(second, first)
      const signature = bytesIn(await chip.ask('chip-sign 01 00'))
      assert.ok(await verifyAsync(signature, Uint8Array.of(0), bytesIn(beside)))
    })

    it('whose answers are spoiled now and then is asked again, and works', async () => {
      await using chip = await check(port, { 'i2c-48': 'se050 fault=hiccup' })
      const key = bytesIn(await chip.ask('make 00'))
      const message = randomBytes(200)
      const signature = bytesIn(await chip.ask(`chip-sign 00 ${message.toString('hex')}`))
      assert.ok(await verifyAsync(signature, message, key))
    })

    it('signs nothing longer than it takes, and nothing without a key', async () => {
      await using chip = await check(port, { 'i2c-48': 'se050' })
      assert.match(await chip.ask('chip-sign 00 00'), /device-fault/)
      await chip.ask('make 00')
      assert.match(await chip.ask(`chip-sign 00 ${'00'.repeat(861)}`), /out-of-space/)
    })

    for (const fault of [...faultsOn(port), 'endless']) {
      it(`that is ${fault} makes no key, and the device goes on`, async () => {
        await using chip = await check(port, { 'i2c-48': `se050 fault=${fault}` })
        assert.match(await chip.ask('make 00'), /device-fault/)
        assert.match(await chip.ask('sha256 -'), /^sha256 e3b0/)
      })
    }
  })

  describe(`an ATECC608 on ${port}`, () => {
    it('signs digests with the key of its slot, which another slot’s key did not', async () => {
      await using chip = await check(port, { 'i2c-60': 'atecc608' })
      const points = [bytesIn(await chip.ask('p256-make 00')), bytesIn(await chip.ask('p256-make 0f'))]
      const message = randomBytes(100)
      const digest = createHash('sha256').update(message).digest('hex')
      const signature = bytesIn(await chip.ask(`p256-sign 0f ${digest}`))
      assert.ok(isSignature256(points[1]!, message, signature))
      assert.ok(!isSignature256(points[0]!, message, signature))
    })

    for (const fault of faultsOn(port)) {
      it(`that is ${fault} signs nothing`, async () => {
        await using chip = await check(port, { 'i2c-60': `atecc608 fault=${fault}` })
        assert.match(await chip.ask('p256-make 00'), /device-fault/)
        assert.match(await chip.ask(`p256-sign 00 ${'00'.repeat(32)}`), /device-fault/)
      })
    }

    it('signs nothing in a slot without a key, or one that it has not', async () => {
      await using chip = await check(port, { 'i2c-60': 'atecc608' })
      for (const slot of ['03', '10', 'ff'])
        assert.match(await chip.ask(`p256-sign ${slot} ${'00'.repeat(32)}`), /device-fault/)
    })
  })
}

type FirmwareDevice = Awaited<ReturnType<FirmwareHome['device']>>

const ON = CAPABILITIES.find(({ name }) => name === 'on')!.number

/** Switches the light, and answers with the name of the receipt's code; the home has checked the device's seal. */
async function switched(
  home: FirmwareHome,
  device: FirmwareDevice,
  value: boolean,
): Promise<string | undefined> {
  const order = command(device.hello, home.owner, { operation: 'write', affordance: ON, value })
  return codeName((await home.send(device.id, order)).body.code)
}

describe('a light whose key is in an SE050', () => {
  const identity = (firmware: Firmware): Buffer => readFileSync(join(firmware.directory, 'identity'))
  const world = { 'i2c-48': 'se050' }
  const withChip = { port: 'sanitize', program: 'porch-light', signer: 'se050' } as const

  it('enrols, is proved by TLS and by envelopes, obeys, and is the same after a restart', async () => {
    await using home = await openFirmwareHome()
    await using first = await startFirmware({ ...withChip, world })
    first.say(home.code('porch-light'))
    const device = await home.device('porch-light')
    assert.equal(await switched(home, device, true), 'ok')
    const stored = identity(first)
    assert.ok(stored.includes('in a chip\0se050'), 'the reference is where a seed would be')
    await first.kill()
    await using second = await startFirmware({ ...withChip, directory: first.directory })
    assert.equal(await switched(home, await home.device('porch-light', 2), false), 'ok')
    assert.deepEqual(identity(second), stored)
  })

  it('is nobody on a board without its chip', async () => {
    await using home = await openFirmwareHome()
    await using light = await startFirmware({ ...withChip, world })
    light.say(home.code('porch-light'))
    await home.device('porch-light')
    await light.kill()
    const { directory } = light
    await using bare = await startFirmware({ port: 'sanitize', program: 'porch-light', directory })
    await bare.line(/^link ended/)
    assert.ok(!bare.lines.some((line) => line.startsWith('connected')))
  })

  it('is nobody with a chip that holds another key', async () => {
    await using home = await openFirmwareHome()
    await using light = await startFirmware({ ...withChip, world })
    light.say(home.code('porch-light'))
    await home.device('porch-light')
    await light.kill()
    const keys = readdirSync(join(light.directory, 'world')).filter((name) => name.startsWith('key-'))
    assert.equal(keys.length, 1)
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(
      join(light.directory, 'world', keys[0]!),
      privateKey.export({ format: 'pem', type: 'pkcs8' }),
    )
    await using other = await startFirmware({ ...withChip, directory: light.directory })
    await other.line(/^link ended/)
    assert.ok(!other.lines.some((line) => line.startsWith('connected')))
  })

  it('does not enrol with a chip that carries out nothing, and says so', async () => {
    await using home = await openFirmwareHome()
    await using light = await startFirmware({ ...withChip, world: { 'i2c-48': 'se050 fault=locked' } })
    light.say(home.code('porch-light'))
    await light.line(new RegExp(`^enrolment refused -${CODES['device-fault']}$`))
  })
})
