// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * An emulated ESP8266 from its reset on (firmware/check/chip): its flash is a file, its ROM loads the first sector of that, which is our boot loader
 * bit by bit as it would be flashed. Images are put together as Arduino's elf2bin.py does it, and ended by the script that PlatformIO runs.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBoot } from '../../scripts/firmware.ts'

export const SECTOR = 0x1000
export const MEGABYTE = 0x100000
const SLOT_AT = 0x1000
const FLASH_BYTES = 2 * MEGABYTE
const RUN_MS_MAX = 60_000
const TRAILER = join(import.meta.dirname, '..', '..', 'firmware', 'boot', 'trailer.py')

export type Section = { address: number; bytes: Buffer }

/** The sections of a 32-bit little-endian ELF that have a place in memory and contents, by name. */
export function sectionsOf(elf: Buffer): Map<string, Section> {
  const PROGBITS = 1
  const ALLOCATED = 2
  const rows = Array.from({ length: elf.readUInt16LE(48) }, (_, i) => {
    const at = elf.readUInt32LE(32) + i * elf.readUInt16LE(46)
    const [name, type, flags, address, offset, size] = [0, 4, 8, 12, 16, 20].map((field) =>
      elf.readUInt32LE(at + field),
    ) as [number, number, number, number, number, number]
    return { name, isKept: type === PROGBITS && (flags & ALLOCATED) !== 0, address, offset, size }
  })
  const names = rows[elf.readUInt16LE(50)]!.offset
  return new Map(
    rows.flatMap(({ name, isKept, address, offset, size }) => {
      const text = elf.toString('latin1', names + name, elf.indexOf(0, names + name))
      return isKept && size > 0 ? [[text, { address, bytes: elf.subarray(offset, offset + size) }]] : []
    }),
  )
}

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** What the chip's ROM calls an image: its header, segments, and a checksum in the last of 16 bytes. */
function imageFrom(path: string, names: readonly string[]): Buffer {
  const elf = readFileSync(path)
  const sections = sectionsOf(elf)
  const segments = names.map((name) => sections.get(name)!)
  const body = Buffer.concat([
    Buffer.from([0xe9, segments.length, 2, 0x40]),
    word(elf.readUInt32LE(24)),
    ...segments.flatMap(({ address, bytes }) => [word(address), word(bytes.length), bytes]),
  ])
  const image = Buffer.concat([body, Buffer.alloc(16 - (body.length % 16))])
  image[image.length - 1] = segments
    .flatMap(({ bytes }) => [...bytes])
    .reduce((sum, byte) => sum ^ byte, 0xef)
  return image
}

const BUILT = buildBoot()
export const LOADER = join(BUILT, 'boot.elf')
const LOADED = ['.text', '.text1', '.data', '.rodata']

/** What elf2bin.py makes of the boot loader, as long as it is, without what fills its sector. */
export const loaderImage = (): Buffer => imageFrom(LOADER, ['.text', '.rodata'])

/** Whole flash file and what goes over the air, of the image of this version. `end`: as PlatformIO's script ends it. */
export function firmwareOf(version: 1 | 2, end = true): { whole: Buffer; slot: Buffer } {
  const loader = loaderImage()
  const app = imageFrom(join(BUILT, `app-${version}.elf`), ['.irom0.text', ...LOADED])
  const whole = Buffer.concat([loader, Buffer.alloc(SECTOR - loader.length, 0xaa), app])
  return end ? endImage(whole) : { whole, slot: app }
}

/** A flash file with what the ROM itself loads of that image in place of a boot loader. */
export function loaderlessOf(version: 1 | 2): Buffer {
  const loaded = imageFrom(join(BUILT, `app-${version}.elf`), LOADED)
  const { slot } = firmwareOf(version, false)
  return Buffer.concat([loaded, Buffer.alloc(SECTOR - loaded.length), slot])
}

/** @throws when trailer.py refuses it */
export function endImage(image: Buffer): { whole: Buffer; slot: Buffer } {
  const directory = mkdtempSync(join(tmpdir(), 'shallot-trailer-'))
  const [whole, slot] = [join(directory, 'firmware.bin'), join(directory, 'firmware-slot.bin')]
  try {
    writeFileSync(whole, image)
    execFileSync('python3', [TRAILER, whole, slot], { stdio: 'pipe' })
    return { whole: readFileSync(whole), slot: readFileSync(slot) }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

export type Run = { status: number; lines: string[] }

export class Chip implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'shallot-chip-'))
  readonly #flash = join(this.#directory, 'flash')

  /** @param health what a new image on trial does: k keeps itself, c crashes */
  constructor(whole: Buffer, other: Buffer, health: 'k' | 'c' = 'k') {
    writeFileSync(this.#flash, Buffer.concat([whole, Buffer.alloc(FLASH_BYTES - whole.length, 0xff)]))
    writeFileSync(join(this.#directory, 'new'), other)
    writeFileSync(join(this.#directory, 'health'), health)
  }

  get flash(): Buffer {
    return readFileSync(this.#flash)
  }

  /** Turns a bit of what lies in a slot. */
  damage(slot: 0 | 1, at: number): void {
    const flash = this.flash
    flash[slot * MEGABYTE + SLOT_AT + at]! ^= 0x10
    writeFileSync(this.#flash, flash)
  }

  /** Power, until the image ends (0), the chip waits for nothing (97), or the power goes after so many erasures and writes (99). */
  run(operations?: number): Promise<Run> {
    const power = join(this.#directory, 'power')
    rmSync(power, { force: true })
    if (operations !== undefined) writeFileSync(power, String(operations))
    const options = { cwd: this.#directory, timeout: RUN_MS_MAX }
    const kernel = ['-kernel', join(BUILT, 'chip.elf')]
    const quiet = ['-serial', 'none', '-display', 'none', '-monitor', 'none']
    const outside = ['-semihosting-config', 'enable=on,target=native']
    return new Promise((resolve, reject) => {
      execFile(
        'qemu-system-xtensa',
        ['-M', 'sim', '-cpu', 'lx106', ...quiet, ...outside, ...kernel],
        options,
        (error, stdout, stderr) => {
          if (error && (error.killed || typeof error.code !== 'number')) return reject(error)
          if (stderr !== '') return reject(new Error(stderr))
          resolve({
            status: (error?.code as number | undefined) ?? 0,
            lines: stdout.split('\n').filter(Boolean),
          })
        },
      )
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true })
  }
}
