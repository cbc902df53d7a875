// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { buildFirmware } from '../../scripts/firmware.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** Builds from nothing, the library included, in a place of its own; what came out, as a hash. */
function buildAnew(target: string): string {
  const out = mkdtempSync(join(tmpdir(), 'shallot-build-'))
  try {
    const place = [`OUT=${out}`, `WOLFSSL=${join(ROOT, '.build', 'wolfssl', 'source')}`]
    execFileSync('make', ['--silent', '-j2', '-C', join(ROOT, 'firmware'), ...place, join(out, target)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    return createHash('sha256')
      .update(readFileSync(join(out, target)))
      .digest('hex')
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

describe('who builds the same source with the same tools has the same firmware', () => {
  for (const target of ['host/porch-light', 'qemu/porch-light.elf', 'rv32/porch-light.elf'])
    it(target, () => {
      buildFirmware('host', ['offence']) // the library's source is there
      assert.equal(buildAnew(target), buildAnew(target))
    })
})
