// SPDX-License-Identifier: GPL-3.0-or-later
/** The ESP8266's boot loader and its two slots, on its instruction set, from reset to images that run [SPEC 15]. Silicon has not seen it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  Chip,
  endImage,
  firmwareOf,
  LOADER,
  loaderImage,
  loaderlessOf,
  MEGABYTE,
  type Run,
  SECTOR,
  sectionsOf,
} from '../support/esp8266-chip.ts'
import { PORTS_TRIED, startFirmware } from '../support/firmware.ts'

const POWER_GONE = 99
const NOTHING_TO_BOOT = 97
const TRAILER_BYTES = 16
const FIRST = firmwareOf(1)
const SECOND = firmwareOf(2)

const deviceWith = (other: Buffer, health?: 'k' | 'c') => new Chip(FIRST.whole, other, health)

describe('what decides which image an ESP8266 boots', () => {
  for (const port of PORTS_TRIED)
    it(`holds against damage and power cuts at every byte, ${port}`, async () => {
      await using check = await startFirmware({ port, program: 'boot-check' })
      await check.line(/^end$/)
      assert.deepEqual(
        check.lines.filter((line) => line.startsWith('FAILED')),
        [],
      )
      assert.equal(check.lines.filter((line) => line.startsWith('ok ')).length, 51)
    })
})

describe('the boot loader as it is flashed', () => {
  it('fits in the first sector, headers and checksum included', () => {
    // elf2bin.py wants 8 bytes more.
    assert.ok(loaderImage().length + 8 <= SECTOR, `${loaderImage().length} bytes`)
  })

  it('is code above everything that an image may have, and constants: nothing that is run from flash, nothing to be cleared', () => {
    const sections = sectionsOf(readFileSync(LOADER))
    assert.deepEqual([...sections.keys()].sort(), ['.rodata', '.text'])
    const { address, bytes } = sections.get('.text')!
    assert.ok(address >= 0x4010c000 && address + bytes.length <= 0x40110000)
    assert.equal(sections.get('.rodata')!.address, 0x3ffe8000)
    const clearable = execFileSync('xtensa-lx106-elf-size', ['-A', LOADER], { encoding: 'utf8' })
    assert.doesNotMatch(clearable, /^\.bss\s+[1-9]/m)
  })
})

describe('an ESP8266 with two slots [SPEC 15.5]', { concurrency: 2 }, () => {
  it('boots the image that it was flashed with, and takes another to the other slot, on trial and then for good', async () => {
    using chip = deviceWith(SECOND.slot)
    assert.deepEqual((await chip.run()).lines, [
      ...['shallot: slot 0', 'version 1 slot 0 trial 0', 'wanted'],
      ...['shallot: slot 1', 'version 2 slot 1 trial 1', 'kept'],
      ...['shallot: slot 1', 'version 2 slot 1 trial 0'],
    ])
    assert.deepEqual(await chip.run(), {
      status: 0,
      lines: ['shallot: slot 1', 'version 2 slot 1 trial 0'],
    })
  })

  it('is back in the old slot after one start of an image that crashes, and stays there', async () => {
    using chip = deviceWith(SECOND.slot, 'c')
    const steady = ['shallot: slot 0', 'version 1 slot 0 trial 0']
    const { status, lines } = await chip.run()
    assert.deepEqual(
      [status, lines.slice(3)],
      [0, ['shallot: slot 1', 'version 2 slot 1 trial 1', ...steady]],
    )
  })

  it('boots the other slot when what it has kept is damaged, and the kept one when it can be read again', async () => {
    using chip = deviceWith(SECOND.slot)
    await chip.run()
    chip.damage(1, 100)
    assert.match((await chip.run()).lines[1]!, /^version 1 slot 0 trial 0$/)
  })

  it('says so when both are damaged, tries again, and neither erases nor writes anything', async () => {
    using chip = deviceWith(SECOND.slot)
    await chip.run()
    chip.damage(0, 700)
    chip.damage(1, SECOND.slot.length - 1)
    const before = chip.flash
    const none = 'shallot: no whole image in either slot'
    assert.deepEqual(await chip.run(), { status: NOTHING_TO_BOOT, lines: [none, none, 'operations 0'] })
    assert.ok(before.equals(chip.flash))
    chip.damage(1, SECOND.slot.length - 1)
    assert.match((await chip.run()).lines[1]!, /^version 2 slot 1 trial 0$/)
  })

  it('has no slots, and erases nothing, when another boot loader has started it', async () => {
    using chip = new Chip(loaderlessOf(1), SECOND.slot)
    const before = chip.flash
    const without = 'version 1 without slots'
    assert.deepEqual(await chip.run(), { status: 0, lines: [without, 'refused', without] })
    assert.ok(before.equals(chip.flash))
  })

  it('never erases its own sector', async () => {
    using chip = deviceWith(SECOND.slot)
    await chip.run()
    assert.ok(chip.flash.subarray(0, SECTOR).equals(FIRST.whole.subarray(0, SECTOR)))
  })
})

describe('what the other slot of an ESP8266 is not booted with', { concurrency: 2 }, () => {
  const refused = {
    'an image that was not ended for its boot loader': firmwareOf(2, false).slot,
    'a whole flash file': SECOND.whole,
    'one that is cut short': SECOND.slot.subarray(0, -TRAILER_BYTES - 1),
    'one with a flipped bit': Buffer.from(SECOND.slot).fill(0x80, 60, 61),
    'nothing that is an image': Buffer.alloc(1024, 0x5a),
  }
  for (const [what, bytes] of Object.entries(refused))
    it(what, async () => {
      using chip = deviceWith(bytes)
      const { status, lines } = await chip.run()
      const steady = ['shallot: slot 0', 'version 1 slot 0 trial 0']
      assert.deepEqual([status, lines], [0, [...steady, 'refused', ...steady]])
    })
})

/** Power again until the images have ended; what ran last, and whether an image was ever not there. */
async function untilOver(chip: Chip): Promise<Run> {
  for (let starts = 0; starts < 3; starts++) {
    const run = await chip.run()
    if (run.status !== POWER_GONE) return run
  }
  throw new Error('the power never stayed')
}

describe('a power cut in the middle of any erasure or write of an ESP8266', { concurrency: 2 }, () => {
  for (const health of ['k', 'c'] as const)
    it(`leaves an image that boots, when the new one ${health === 'k' ? 'is kept' : 'crashes'}`, async () => {
      const ends = new Set<string>()
      let cuts = 0
      for (let status = POWER_GONE; status === POWER_GONE; cuts++) {
        using chip = deviceWith(SECOND.slot, health)
        const cut = await chip.run(cuts)
        status = cut.status
        if (status !== POWER_GONE) break
        const run = await untilOver(chip)
        assert.equal(run.status, 0, `cut ${cuts}: ${run.lines.join('; ')}`)
        ends.add(run.lines.at(-1)!)
        // What was begun on trial before the cut is not begun again without being asked for.
        const isAgain = cut.lines.at(-1) === 'version 2 slot 1 trial 1'
        if (isAgain) assert.match(run.lines[0]!, /slot 0/)
      }
      const writes = Math.ceil(SECOND.slot.length / 512)
      assert.ok(cuts >= Math.ceil(SECOND.slot.length / SECTOR) + writes + 4, `${cuts} cuts`)
      assert.deepEqual([...ends], [health === 'k' ? 'version 2 slot 1 trial 0' : 'version 1 slot 0 trial 0'])
    })
})

describe('boot/trailer.py', () => {
  const LOADER_SECTOR = FIRST.whole.subarray(0, SECTOR)
  const refused = {
    'an image that does not fit in a slot': Buffer.concat([LOADER_SECTOR, Buffer.alloc(0xfd000, 0xe9)]),
    'one that elf2bin.py did not end': Buffer.concat([LOADER_SECTOR, Buffer.alloc(40, 0xe9)]),
    'a file without a boot loader': Buffer.concat([Buffer.alloc(SECTOR, 0xff), Buffer.alloc(64, 0xe9)]),
    'a file without an image': LOADER_SECTOR,
  }
  for (const [what, bytes] of Object.entries(refused))
    it(`refuses ${what}`, () => {
      assert.throws(() => endImage(bytes), /ValueError/)
    })

  it('ends the largest image that a slot has room for', () => {
    const image = Buffer.concat([LOADER_SECTOR, Buffer.alloc(0xfd000 - TRAILER_BYTES, 0xe9)])
    assert.equal(endImage(image).slot.length, 0xfd000)
    assert.ok(SECTOR + 0xfd000 <= MEGABYTE)
  })
})
