// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../../../daemon/base/error.ts'
import { socketPath, targetPath, torFiles, torrcText } from '../../../../daemon/edge/onion/torrc.ts'

const badPath = (error: unknown) => isCode(error, 'bad-path')

test('torrcText() opens unix sockets and no port', () => {
  const lines = torrcText(torFiles('/var/lib/shallot/tor'), 42, ['UseBridges 1']).split('\n')
  for (const line of [
    'DataDirectory "/var/lib/shallot/tor/data"',
    'ControlSocket unix:"/var/lib/shallot/tor/control"',
    'CookieAuthentication 1',
    'SocksPort unix:"/var/lib/shallot/tor/socks" ExtendedErrors IsolateSOCKSAuth',
    'ControlPort 0',
    'ClientOnly 1',
    '__OwningControllerProcess 42',
    'UseBridges 1',
  ]) {
    assert.ok(lines.includes(line), line)
  }
  assert.equal(lines.filter((line) => /Port\s+(?!0$|unix:)/.test(line)).length, 0)
})

test('torrcText() quotes a directory with blanks and quotes', () => {
  const text = torrcText(torFiles('/home/a "b"\\c'), 1, [])
  assert.match(text, /^DataDirectory "\/home\/a \\"b\\"\\\\c\/data"$/m)
})

test('torrcText() refuses a line that would be two', () => {
  for (const line of ['A 1\nControlPort 9051', 'A 1\rB', 'A\u0000']) {
    assert.throws(() => torrcText(torFiles('/d'), 1, [line]), badPath)
  }
})

test('torFiles() refuses a directory too deep for sockets, and says how long it may be', () => {
  assert.ok(torFiles(`/${'d'.repeat(98)}`))
  assert.throws(() => torFiles(`/${'d'.repeat(99)}`), /has 108 bytes, 107 is the system's limit/)
})

test('socketPath() counts bytes, not characters', () => {
  assert.equal(socketPath(`/${'ü'.repeat(53)}`).length, 54)
  assert.throws(() => socketPath(`/${'ü'.repeat(54)}`), badPath)
})

test('socketPath() refuses relative paths and control characters', () => {
  for (const path of ['', 'sock', './sock', '/a\nb', '/a\u0000b', '/a\u007f']) {
    assert.throws(() => socketPath(path), badPath, path)
  }
})

test('torrcText() quotes what tor would take for the end of a path', () => {
  const text = torrcText(torFiles('/häus "1" #2\\3'), 42, [])
  for (const line of [
    'DataDirectory "/häus \\"1\\" \\0432\\\\3/data"',
    'ControlSocket unix:"/häus \\"1\\" \\0432\\\\3/control"',
    'SocksPort unix:"/häus \\"1\\" \\0432\\\\3/socks" ExtendedErrors IsolateSOCKSAuth',
  ])
    assert.ok(text.includes(`${line}\n`), line)
})

test('targetPath() refuses what would end the argument of a control command', () => {
  assert.equal(targetPath('/run/shallot/t-1.sock', undefined), '/run/shallot/t-1.sock')
  for (const path of ['/a b', '/a"b', '/a\\b', '/a,b', '/a\tb', '/a\u00a0b', '/häus/b']) {
    assert.throws(() => targetPath(path, undefined), badPath, path)
    assert.throws(() => targetPath(path, '/run/tor'), badPath, path)
  }
})

test('targetPath() is told to a tor of our own from where it runs, whatever the directories above are called', () => {
  assert.equal(targetPath('/my häus, "1"/faces/a.sock', '/my häus, "1"/tor'), '../faces/a.sock')
})
