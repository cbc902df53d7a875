// SPDX-License-Identifier: GPL-3.0-or-later
/** Names as people of any language write them. No daemon runs here, so what was understood ends with that. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Account } from './as-user.ts'

const account = new Account()
before(() => account.init())
after(() => account[Symbol.dispose]())

async function codeOf(...args: string[]): Promise<unknown> {
  return (await account.jsonWithin(args)).said.code
}

describe('the name of a device, a phone or a person', () => {
  for (const name of [
    'Küche',
    'Ku\u0308che',
    'कमरा',
    'ห้องครัว',
    'خانه\u200cها',
    '👩\u200d🔧',
    '👨🏽\u200d🌾',
    '❤️\u200d🔥',
    '1e3',
    '..',
  ])
    it(`can be ${name}`, async () => assert.equal(await codeOf('enrol', name), 'unreachable'))

  for (const name of [
    'a\u200b',
    'la\u00admp',
    '\u200dlamp',
    'lamp\u200d',
    '1\u200d2',
    'a\u200c\u200cb',
    '\ufefflamp',
    'a\u200fb',
  ])
    it(`has nothing in it that nobody sees: ${JSON.stringify(name)}`, async () =>
      assert.equal(await codeOf('enrol', name), 'usage'))
})

describe('the name of a group', () => {
  for (const name of ['Türen', 'Tu\u0308ren', 'कमरे', 'ประตู'])
    it(`can be ${name}`, async () => assert.equal(await codeOf('group', 'add', name, 'lamp'), 'unreachable'))

  for (const name of ['\u0308a', 'a/b', ' a', 'everything'])
    it(`cannot be ${JSON.stringify(name)}`, async () =>
      assert.equal(await codeOf('group', 'add', name, 'lamp'), 'usage'))
})

describe('the name of an owner, and of a home', () => {
  for (const name of ['bad/name', 'क'.repeat(22), '𠀀'.repeat(17), 'x'.repeat(33), ' x'])
    it(`is refused before words are shown: ${name}`, async () => {
      using other = new Account()
      const { exit, out } = await other.run(['init', '--name', name])
      assert.deepEqual([exit, out], [2, ''])
      assert.equal((await other.json(['restore', '--as', name], 'no words')).said.code, 'usage')
    })

  it('can be as long as what is sealed has room for', async () => {
    using other = new Account()
    assert.equal((await other.json(['init', '--name', 'क'.repeat(21)])).exit, 0)
    assert.equal((await other.jsonWithin(['status'])).said.code, 'unreachable')
  })
})
