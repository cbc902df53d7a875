// SPDX-License-Identifier: GPL-3.0-or-later
/** Questions about people at a real terminal: a code that nobody sees, and the digits of a phone that somebody compares. */
import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { beforeEach, suite, test } from 'node:test'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { keyProof, matchDigits, pairKeys, readPhoneCode } from '../../../../daemon/core/identity/index.ts'
import { ed25519 } from '../fake-home.ts'
import { readPicture, Terminal } from '../terminal.ts'
import { setStage } from './stage.ts'

const stage = setStage()
beforeEach(() => stage.done('person add sitter'))

/** The terminal tells how it is set when the CLI has left it. */
const at = (args: string) => new Terminal(stage.account, args.split(' '), 200, 'stty -a')
const isRestored = ({ screen }: Terminal): boolean => / icanon\b/.test(screen) && / echo\b/.test(screen)

suite('pin set at a terminal', () => {
  const ask = 'pin set sitter front-door'

  async function codeIs(digits: string): Promise<void> {
    const { salt, rounds, key } = stage.people.grants.at(-1)!.body.pin!
    assert.deepEqual(key, Uint8Array.from(pbkdf2Sync(digits, salt, rounds, 32, 'sha256')))
  }

  test('shows nothing of the code, which may be corrected while it is typed', async () => {
    const terminal = at(ask)
    await terminal.sees(/The code \(not shown\): $/)
    terminal.type('48x\x7f\x1b[D2913\r')
    await terminal.sees(/Once more: $/)
    terminal.type('482914\b3\r')
    assert.equal(await terminal.exit(), 0, terminal.screen)
    await codeIs('482913')
    assert.ok(!/48|2913/.test(terminal.screen.split('stty')[0]!.replace(/grant \S+/, '')), terminal.screen)
    assert.ok(isRestored(terminal), terminal.screen)
  })

  test('takes what is typed ahead, unseen too', async () => {
    const terminal = at(ask)
    await terminal.sees(/not shown\): $/)
    terminal.type('482913\r482913\r')
    assert.equal(await terminal.exit(), 0, terminal.screen)
    await codeIs('482913')
    assert.ok(!terminal.screen.includes('482913'))
  })

  test('asks again when the two differ, and three times at most', async () => {
    const terminal = at(ask)
    for (let tries = 1; tries <= 3; tries++) {
      await terminal.sees(new RegExp(`(?:not shown\\): [\\s\\S]*){${tries}}$`))
      terminal.type('482913\r')
      await terminal.sees(new RegExp(`(?:Once more: [\\s\\S]*){${tries}}$`))
      terminal.type('482914\r')
    }
    assert.equal(await terminal.exit(), 3, terminal.screen)
    assert.match(terminal.screen, /two different codes/)
    assert.equal(stage.people.grants.length, 0)
    assert.ok(isRestored(terminal), terminal.screen)
  })

  for (const [what, key] of [
    ['Ctrl-C', '\x03'],
    ['the end of input', '\x04'],
  ] as const) {
    test(`${what} at either question gives nobody a code, and leaves the terminal as it was`, async () => {
      for (const before of ['48', '482913\r48']) {
        const terminal = at(ask)
        await terminal.sees(/not shown\): $/)
        terminal.type(`${before}${key}`)
        assert.equal(await terminal.exit(), 1, terminal.screen)
        assert.match(terminal.screen, /nothing was done/)
        assert.ok(isRestored(terminal), terminal.screen)
      }
      assert.equal(stage.people.grants.length, 0)
    })
  }
})

suite('phone add at a terminal', () => {
  /** The phone that has this code asks. @returns the digits that it shows */
  function ask(text: string): string {
    const code = readPhoneCode(text)
    assert.ok(code.ok)
    const phone = ed25519.signer(systemRandom.bytes(32))
    const { pairing, hubProofKey, ownerProofKey } = pairKeys(code.value.secret)
    const proofs = {
      proofForHub: keyProof(hubProofKey, phone.key),
      proofForOwner: keyProof(ownerProofKey, phone.key),
    }
    stage.people.pair = stage.people.seal({ type: 'pair', pairing, ...proofs }, phone)
    return matchDigits(ownerProofKey, phone.key)
  }
  const asks = (digits: string) => new RegExp(`show ${digits.slice(0, 3)} ${digits.slice(3)}\\? \\(y/n\\) $`)

  /** A phone that asked already, and the owner's side before its question. */
  async function begin(): Promise<{ terminal: Terminal; digits: string }> {
    const { code } = await stage.done('phone add tablet --person sitter --no-wait')
    const digits = ask(code)
    const terminal = at('phone add tablet --confirm')
    await terminal.sees(asks(digits))
    return { terminal, digits }
  }

  test('draws what a phone scans, waits for it, and after one yes lets it in', async () => {
    const terminal = at('phone add tablet --person sitter')
    await terminal.sees(/waiting for tablet/)
    await terminal.sees(asks(ask(readPicture(terminal.screen).split('#')[1]!)))
    terminal.type('nn\x7f\x7fYes\r')
    assert.equal(await terminal.exit(), 0, terminal.screen)
    assert.equal(stage.people.holders.length, 1)
    assert.match(terminal.screen, /tablet is in/)
    assert.ok(isRestored(terminal), terminal.screen)
  })

  for (const no of ['n', '', 'yess']) {
    test(`${JSON.stringify(no)} is no yes: nobody is let in, and the code is void`, async () => {
      const { terminal } = await begin()
      terminal.type(`${no}\r`)
      assert.equal(await terminal.exit(), 3, terminal.screen)
      assert.deepEqual([stage.people.holders.length, stage.people.declined], [0, true])
      assert.ok(isRestored(terminal), terminal.screen)
    })
  }

  test('Ctrl-C lets nobody in and leaves it open: it can be finished by the digits', async () => {
    const { terminal, digits } = await begin()
    terminal.type('y\x03')
    assert.equal(await terminal.exit(), 1, terminal.screen)
    assert.deepEqual([stage.people.holders.length, stage.people.declined], [0, false])
    assert.ok(isRestored(terminal), terminal.screen)
    await stage.done(`phone add tablet --confirm --yes-if ${digits}`)
    assert.equal(stage.people.holders.length, 1)
  })

  test('Ctrl-C while it waits ends it, and leaves the terminal as it was', async () => {
    const terminal = at('phone add tablet --person sitter')
    await terminal.sees(/waiting for tablet/)
    terminal.type('\x03')
    assert.equal(await terminal.exit(), 1, terminal.screen)
    assert.ok(isRestored(terminal), terminal.screen)
  })
})
