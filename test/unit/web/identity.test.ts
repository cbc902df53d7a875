// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '../../../daemon/base/random.ts'
import { readKey, writeKey, writeLockedKey } from '../../../daemon/web/identity.ts'
import { Keep } from '../../../daemon/web/keep.ts'
import { MemoryStorage } from './page-home.ts'

const ada = { root: systemRandom.bytes(32), seed: systemRandom.bytes(32), name: "Ada's phone ☎" }

describe('a key as a link [SPEC 11.2]', () => {
  it('comes back as it went, white space or not', () => {
    const link = writeKey(ada)
    const read = readKey(` ${link.slice(0, 40)}\n${link.slice(40)} `)
    assert.deepEqual(read, { ok: true, value: { locked: false, identity: ada } })
  })

  it('under a passphrase opens with that one alone, however its letters are composed', async () => {
    const link = await writeLockedKey(ada, 'gruene Tür', systemRandom)
    assert(!link.includes(writeKey(ada).slice(-40)))
    const read = readKey(link)
    assert(read.ok && read.value.locked)
    assert.deepEqual(await read.value.unlock('gruene Tür'), ada)
    for (const wrong of ['', 'gruene Tur', 'gruene Tür ']) {
      assert.equal(await read.value.unlock(wrong), undefined)
    }
  })

  it('is refused when any character of it was changed', () => {
    const link = writeKey(ada)
    const taken: number[] = []
    for (let at = 0; at < link.length; at++) {
      const other = link[at] === 'A' ? 'B' : 'A'
      if (readKey(link.slice(0, at) + other + link.slice(at + 1)).ok) taken.push(at)
    }
    assert.deepEqual(taken, [])
  })

  for (const [what, text] of [
    ['nothing', ''],
    ['a code for something else', 'shallot:home:AAAA'],
    ['a prefix alone', 'shallot:key:'],
    ['markup', 'shallot:key:<b>hello</b>'],
    ['a link that was cut off', writeKey(ada).slice(0, -6)],
    ['a link without end', `shallot:key:${'A'.repeat(5000)}`],
  ] as const) {
    it(`${what} is code-damaged`, () => assert.deepEqual(readKey(text), { ok: false, why: 'code-damaged' }))
  }
})

describe('what a browser keeps', () => {
  it('is the key, until it is forgotten', () => {
    const storage = new MemoryStorage()
    new Keep(storage).setIdentity(ada)
    assert.deepEqual(new Keep(storage).identity(), ada)
    new Keep(storage).forget()
    assert.equal(new Keep(storage).identity(), undefined)
    assert.equal(JSON.stringify([...storage]).includes('identity'), false)
  })

  it('is nobody when something else stands there', () => {
    for (const said of ['', 'x', 'AAAA BBBB ada', '{"seed":1}']) {
      const storage = new MemoryStorage([['shallot.identity', said]])
      assert.equal(new Keep(storage).identity(), undefined)
    }
  })

  it('is remembered for the visit where the browser stores nothing', () => {
    const refuses = () => {
      throw new DOMException('no', 'QuotaExceededError')
    }
    const keep = new Keep({ getItem: refuses, setItem: refuses, removeItem: () => {} })
    keep.setIdentity(ada)
    assert.deepEqual(keep.identity(), ada)
    assert.equal(keep.nextSequence(5), 5)
    assert.equal(keep.nextSequence(5), 6)
  })

  it('counts sequences up when the clock is set back, and after a new visit [SPEC 3.1]', () => {
    const storage = new MemoryStorage()
    const numbers = [9000, 9000, 3000, 9100].map((now) => new Keep(storage).nextSequence(now))
    assert.deepEqual(numbers, [9000, 9001, 9002, 9100])
  })
})
