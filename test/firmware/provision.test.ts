// SPDX-License-Identifier: GPL-3.0-or-later
/** A device's serial line, held by somebody who means well, and by somebody who does not (SPEC 17). */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Secret } from '../../daemon/base/secret.ts'
import { writeLine } from '../../daemon/cli/serial/line.ts'
import { type Ask, type Heard, readHeard, writeAsk, writeProvision } from '../../daemon/cli/serial/words.ts'
import { PROVISION_BYTES_MAX, SERIAL_PIECE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { openFirmwareHome } from '../support/firmware-home.ts'

const HOME_WIFI = 'Home\ncorrect horse\n'
const wifi = { name: 'Home', password: new Secret('correct horse') }

const device = (world: Record<string, string> = {}, blobs: Record<string, Uint8Array> = {}) =>
  startFirmware({ port: 'sanitize', program: 'porch-light', world, blobs })

/** What the device says to one line. */
async function answer(firmware: Firmware, line: string): Promise<Heard> {
  firmware.say(line)
  return await heard(firmware)
}

async function heard(firmware: Firmware): Promise<Heard> {
  const read = readHeard(await firmware.line(/^shallot:serial:/))
  assert.ok(read?.ok)
  return read.value
}

const ask = (firmware: Firmware, sequence: number, words: Ask) => answer(firmware, writeAsk(sequence, words))
const digestOf = (bytes: Uint8Array) => Uint8Array.from(createHash('sha256').update(bytes).digest())
const answered = (sequence: number, code: string) => ({ kind: 'answer', sequence, code })
const told = (stage: string, code = 'ok') => ({ kind: 'told', stage, code })

async function hand(firmware: Firmware, whole: Uint8Array, digest = digestOf(whole)): Promise<Heard> {
  for (let at = 0; at < whole.length; at += SERIAL_PIECE_BYTES_MAX) {
    const piece = whole.subarray(at, at + SERIAL_PIECE_BYTES_MAX)
    assert.deepEqual(await ask(firmware, 1, { kind: 'part', at, piece }), answered(1, 'ok'))
  }
  return await ask(firmware, 2, { kind: 'take', size: whole.length, digest })
}

describe('a device on a cable', () => {
  it('says who it is', async () => {
    await using firmware = await device()
    assert.deepEqual(await ask(firmware, 77, { kind: 'who' }), {
      ...answered(77, 'ok'),
      self: {
        board: 'host',
        firmware: 'porch-light 0.1.0',
        isEnrolled: false,
        hasWifi: false,
        knowsWifi: false,
      },
    })
  })

  it('joins, keeps the network, enrols, and is in the Wi-Fi again after a restart', async () => {
    await using home = await openFirmwareHome()
    await using firmware = await device({ wifi: HOME_WIFI.trimEnd() })
    const whole = writeProvision({ wifi, code: new Secret(home.code('porch-light')) })
    assert.deepEqual(await hand(firmware, whole), answered(2, 'ok'))
    const stages = [await heard(firmware), await heard(firmware), await heard(firmware)]
    assert.deepEqual(stages, [told('joining'), told('enrolling'), told('done')])
    await home.device('porch-light')
    await firmware.line(/^connected/)
    await firmware.kill()
    const { directory, lines } = firmware
    assert.ok(!lines.join('\n').includes('correct horse'), 'no secret on the console')
    await using again = await startFirmware({ port: 'sanitize', program: 'porch-light', directory })
    await again.line(/^connected/)
  })

  it('keeps nothing of a network that did not let it in, and goes back to the one before', async () => {
    await using firmware = await device({ wifi: HOME_WIFI.trimEnd() })
    const blob = join(firmware.directory, 'wifi')
    const wrong = { name: 'Home', password: new Secret('wrong horse') }
    assert.deepEqual(await hand(firmware, writeProvision({ wifi: wrong })), answered(2, 'ok'))
    assert.deepEqual(
      [await heard(firmware), await heard(firmware)],
      [told('joining'), told('refused', 'wifi-refused')],
    )
    const elsewhere = { name: 'Harbour', password: new Secret('') }
    assert.deepEqual(await hand(firmware, writeProvision({ wifi: elsewhere })), answered(2, 'ok'))
    assert.deepEqual(
      [await heard(firmware), await heard(firmware)],
      [told('joining'), told('refused', 'wifi-absent')],
    )
    assert.ok(!existsSync(blob))
    assert.deepEqual(await hand(firmware, writeProvision({ wifi })), answered(2, 'ok'))
    assert.deepEqual([await heard(firmware), await heard(firmware)], [told('joining'), told('done')])
    const kept = readFileSync(blob)
    await hand(firmware, writeProvision({ wifi: wrong }))
    assert.deepEqual(
      [await heard(firmware), await heard(firmware)],
      [told('joining'), told('refused', 'wifi-refused')],
    )
    assert.deepEqual(readFileSync(blob), kept)
    const who = await ask(firmware, 3, { kind: 'who' })
    assert.deepEqual(who.kind === 'answer' && [who.self?.hasWifi, who.self?.knowsWifi], [true, true])
  })

  it('tells why a home does not take it', async () => {
    await using home = await openFirmwareHome()
    await using firmware = await device()
    const code = new Secret(home.code('porch-light'))
    home.home.desk.permits.clear()
    await hand(firmware, writeProvision({ code }))
    assert.deepEqual(
      [await heard(firmware), await heard(firmware)],
      [told('enrolling'), told('refused', 'permit-unknown')],
    )
  })

  for (const [what, at] of [
    ['a name', 3],
    ['a password', 14],
    ['a sum', -1],
  ] as const)
    it(`does not join by a stored network with another bit in ${what}`, async () => {
      const kept = await storedNetwork()
      kept[at < 0 ? kept.length + at : at]! ^= 1
      await using firmware = await device({ wifi: HOME_WIFI.trimEnd() }, { wifi: kept })
      const who = await ask(firmware, 1, { kind: 'who' })
      assert.equal(who.kind === 'answer' && who.self?.knowsWifi, false)
    })
})

async function storedNetwork(): Promise<Buffer> {
  await using firmware = await device({ wifi: HOME_WIFI.trimEnd() })
  await hand(firmware, writeProvision({ wifi }))
  assert.deepEqual([await heard(firmware), await heard(firmware)], [told('joining'), told('done')])
  return readFileSync(join(firmware.directory, 'wifi'))
}

describe('a hostile hand on the cable', () => {
  const piece = Uint8Array.of(1, 2, 3)

  it('is told what is wrong with a line, and changes nothing', async () => {
    await using firmware = await device()
    const who = writeAsk(5, { kind: 'who' })
    for (const [line, code] of [
      [who.slice(0, -1), 'serial-damaged'],
      [`shallot:serial:${'A'.repeat(500)}`, 'frame-too-large'],
      ['shallot:serial:', 'serial-damaged'],
      [writeLine([1, 9]), 'bad-provision'],
      [writeLine([[[[[[[[[1]]]]]]]]]), 'cbor-depth'],
    ] as const) {
      assert.deepEqual(await answer(firmware, line), told('unread', code), line)
    }
    assert.equal((await answer(firmware, who)).kind, 'answer')
    firmware.say('x'.repeat(5000))
    assert.equal((await answer(firmware, who)).kind, 'answer', 'a flood without an end')
  })

  it('cannot put pieces out of their order, beyond the end, or announce another whole', async () => {
    await using firmware = await device()
    const part = (at: number, bytes = piece) => ask(firmware, 9, { kind: 'part', at, piece: bytes })
    const take = (size: number, digest: Uint8Array) => ask(firmware, 9, { kind: 'take', size, digest })
    const code = async (asking: Promise<Heard>) => (await asking).code
    assert.equal(await code(take(3, digestOf(piece))), 'serial-order')
    assert.equal(await code(part(3)), 'serial-order')
    assert.equal(await code(part(0)), 'ok')
    assert.equal(await code(part(4)), 'serial-order')
    assert.equal(await code(part(3)), 'ok')
    assert.equal(await code(part(3)), 'ok', 'its answer was lost')
    assert.equal(await code(part(3, Uint8Array.of(1, 2, 4))), 'serial-order')
    assert.equal(await code(take(5, digestOf(piece))), 'serial-order')
    assert.equal(await code(take(6, digestOf(piece))), 'serial-damaged')
    assert.equal(await code(part(PROVISION_BYTES_MAX - 2)), 'serial-order')
    assert.equal(await code(part(0)), 'ok', 'and begins anew')
    assert.equal(await code(take(3, digestOf(piece))), 'bad-provision')
  })

  it('has nothing taken that is not whole and sound', async () => {
    await using firmware = await device()
    const good = writeProvision({ code: new Secret('shallot:enrol:AAAA') })
    assert.deepEqual(await hand(firmware, good), answered(2, 'code-damaged'))
    assert.deepEqual(
      await hand(firmware, writeProvision({ wifi })),
      answered(2, 'bad-provision'),
      'there is no Wi-Fi here',
    )
    assert.deepEqual(await hand(firmware, writeProvision({})), answered(2, 'bad-provision'))
    assert.deepEqual(await hand(firmware, good, new Uint8Array(32)), answered(2, 'serial-damaged'))
    assert.ok(!existsSync(join(firmware.directory, 'wifi')))
    assert.ok(!existsSync(join(firmware.directory, 'identity')))
  })
})
