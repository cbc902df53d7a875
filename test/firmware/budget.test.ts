// SPDX-License-Identifier: GPL-3.0-or-later
/** What the firmware costs on both chips, measured as `npm run firmware -- size` does, against firmware/budget.json. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'firmware.ts')

test('every app is within its budget on both chips', async () => {
  const sizes = promisify(execFile)(process.execPath, [SCRIPT, 'size'], { maxBuffer: 4 * 1024 * 1024 })
  const { status, over } = await sizes.then(
    () => ({ status: 0, over: [] }),
    ({ code, stderr }: { code: number; stderr: string }) => ({
      status: code,
      over: stderr.trim().split('\n'),
    }),
  )
  assert.deepEqual(over, [])
  assert.equal(status, 0)
})
