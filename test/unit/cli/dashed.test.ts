// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Account } from './as-user.ts'

const PARTY = '-2TqRlynIAlsLM03rvsLNzvFD467phcVqKBxJCVt274'
const GRANT = '-Ab0defghij'

const account = new Account()
before(() => account.init())
after(() => account[Symbol.dispose]())

async function codeOf(line: string): Promise<string> {
  const { out } = await account.within(['--json', ...line.split(' ')])
  return JSON.parse(out).code
}

/** No daemon runs here, so what was understood ends with that. */
describe('a word that could be a flag', () => {
  for (const line of [
    `get ${PARTY}`,
    `get -${PARTY.slice(0, -1)}`,
    `set ${PARTY} on true`,
    `mesh remove ${PARTY}`,
    `device rename ${PARTY} lamp`,
    `revoke ${GRANT}`,
    `look camera --id ${GRANT}`,
    `look camera --id ${PARTY} --out x.jpg`,
    `grants ${GRANT} --all`,
    'get -- -lamp',
    'get -- --json',
    'get -- --abcdefghi',
    'set -- thermostat target -5',
    'set thermostat target -0.5',
  ])
    it(`is what it stands for: ${line}`, async () => assert.equal(await codeOf(line), 'unreachable'))

  for (const line of [
    'get -lamp',
    `get ${PARTY}x`,
    `get ${PARTY.slice(0, -1)}`,
    'get --abcdefghi',
    `get lamp on ${PARTY}`,
    `status ${GRANT}`,
    `status --${GRANT}=1`,
    'hide a -- --all',
    'get --',
  ])
    it(`is refused where none can stand, or where it can be a flag: ${line}`, async () =>
      assert.equal(await codeOf(line), 'usage'))

  for (const line of [
    'set lamp on --json true',
    'set lamp on --json --within 5s false',
    'set --json lamp on true --data true',
    'get --json true',
    'grants --all -- true',
    'get help',
    'get help --json',
    'get -- help',
    'set help on true',
    'device rename lamp help',
    'group add help true help',
    'grant --may-share true lamp on',
    'log --who help',
  ])
    it(`is what it stands for, though yargs knows it: ${line}`, async () =>
      assert.equal(await codeOf(line), 'unreachable'))

  for (const line of ['help', 'device help', '--json help', 'log help', 'get --help true'])
    it(`is a wish for help: ${line}`, async () => {
      const { exit, out } = await account.within(['--json', ...line.split(' ')])
      assert.deepEqual([exit, Object.keys(JSON.parse(out))], [0, ['ok', 'help']])
    })

  it('is the value of a setting that is true or false', async () =>
    assert.equal(
      await codeOf(`daemon --lan false --link-discovery true --data ${account.base}/none`),
      'missing',
    ))

  it('is repeated as it was typed', async () => {
    const { err } = await account.within(['hide', 'a', PARTY])
    assert.equal(err, `shallot: not understood here: ${PARTY}\n  see \`shallot hide --help\`\n`)
  })

  it('is -h, which asks for help, or not: then no help is given', async () => {
    assert.equal((await account.within(['get', '-h'])).out, (await account.within(['get', '--help'])).out)
    assert.equal(await codeOf('get -hall'), 'usage')
    assert.equal(await codeOf('get -- -h'), 'unreachable')
  })

  for (const line of ['get -lamp', 'get a -lamp', 'hide a b -lamp'])
    it(`is repeated with what to do when it was taken for flags: ${line}`, async () => {
      const { err } = await account.within(line.split(' '))
      const verb = line.split(' ')[0]
      assert.equal(
        err,
        `shallot: not understood here: -lamp\n  see \`shallot ${verb} --help\`; a name that begins with a dash stands behind \`--\`\n`,
      )
    })
})
