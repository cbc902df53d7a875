// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'

const SCRIPTS = ['home', 'bench', 'firmware', 'private-tor']
const call = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, '../../scripts', `${script}.ts`), ...args], {
    encoding: 'utf8',
  })

describe('scripts, called by hand', () => {
  for (const script of SCRIPTS) {
    test(`${script} tells how it is called`, () => {
      const { status, stdout } = call(script, '--help')
      assert.equal(status, 0)
      assert.match(stdout, /^usage: /)
    })

    test(`${script} refuses what it does not know, with its usage and no stack`, () => {
      const { status, stderr } = call(script, '--unheard-of')
      assert.equal(status, 2)
      assert.match(stderr, /unheard-of.*\nusage: /s)
      assert.doesNotMatch(stderr, /\n +at /)
    })
  }

  test('npm start refuses a port that there is not', () => {
    const { status, stderr } = call('home', '--port', 'z80')
    assert.equal(status, 2)
    assert.match(stderr, /z80/)
  })

  test('the fuzzer refuses a target that there is not', () => {
    const { status, stderr } = call('firmware', 'fuzz', '--target', 'nothing')
    assert.equal(status, 2)
    assert.match(stderr, /targets: .*envelope/)
  })
})
