// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import fs, { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, join } from 'node:path'
import { afterEach, describe, it, mock } from 'node:test'
import { createPrivateFile, replacePrivateFile } from '../../../daemon/config/vault.ts'
import { temporaryFolder } from '../../support/state.ts'

type Call = 'fsyncSync' | 'writeSync'

/** Puts something before a call of the file system, for whoever imported it. */
function before(name: Call, act: (file: number) => void): void {
  const real = fs[name] as (...args: unknown[]) => unknown
  mock.method(fs, name, (...args: [number, ...unknown[]]) => {
    act(args[0])
    return real(...args)
  })
  syncBuiltinESMExports()
}

afterEach(() => {
  mock.restoreAll()
  syncBuiltinESMExports()
})

const nameOf = (file: number) => basename(readlinkSync(`/proc/self/fd/${file}`))

for (const [verb, write, written] of [
  ['createPrivateFile', createPrivateFile, 'words'],
  ['replacePrivateFile', replacePrivateFile, 'words.new'],
] as const) {
  describe(`${verb}()`, () => {
    it('returns when the file and its name are on disk', (t) => {
      const folder = temporaryFolder(t)
      const synced: string[] = []
      before('fsyncSync', (file) => synced.push(nameOf(file)))
      write(join(folder, 'words'), 'twenty-four')
      assert.deepEqual(synced, [written, basename(folder)])
      assert.equal(readFileSync(join(folder, 'words'), 'utf8'), 'twenty-four')
      assert.equal(statSync(join(folder, 'words')).mode & 0o777, 0o600)
    })

    it('leaves nothing of what could not be written whole', (t) => {
      const folder = temporaryFolder(t)
      before('writeSync', () => {
        throw Object.assign(new Error('no room'), { code: 'ENOSPC', syscall: 'write' })
      })
      assert.throws(() => write(join(folder, 'words'), 'twenty-four'), /no room/)
      assert.deepEqual(readdirSync(folder), [])
    })
  })
}

it('createPrivateFile() leaves a file that is there as it is', (t) => {
  const path = join(temporaryFolder(t), 'words')
  writeFileSync(path, 'of another home')
  assert.throws(() => createPrivateFile(path, 'twenty-four'), { code: 'EEXIST' })
  assert.equal(readFileSync(path, 'utf8'), 'of another home')
})
