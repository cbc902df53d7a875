// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { code, files, importsOf } from './sources.ts'

const daemon = ['daemon/*.ts', 'daemon/*.tsx'].flatMap(files)

/** These take from node:net only what reads the text of an address. */
const ADDRESSES_ONLY: ReadonlySet<string> = new Set([
  'daemon/main.ts node:net',
  'daemon/compose.ts node:net',
  'daemon/config/parse.ts node:net',
  'daemon/config/places.ts node:net',
])

/** Files of the daemon whose code, not counting comments and strings, matches. */
function naming(pattern: RegExp, except: (file: string) => boolean): string[] {
  return daemon.filter((file) => !except(file) && pattern.test(code(file)))
}

describe('trust is a type', () => {
  it('Permitted is minted in policy/judge.ts alone', () => {
    assert.deepEqual(
      naming(/\bas\s+Permitted\b|<Permitted</, (file) => file === 'daemon/core/policy/judge.ts'),
      [],
    )
    assert.match(code('daemon/core/policy/judge.ts'), /as Permitted</)
  })

  it('a Message is made by openEnvelope alone', () => {
    const narrowing = /\.value as Message</
    const minting = daemon.filter((file) => {
      const casts = code(file).match(/[^\n]*\bas (?:unknown as )?Message\b[^\n]*/g) ?? []
      return casts.some((line) => !narrowing.test(line) && !/\bmessage as Message</.test(line))
    })
    assert.deepEqual(minting, ['daemon/core/envelope/open.ts'])
  })
})

describe('time, chance and the world are handed in', () => {
  const inBase = (file: string) => file.startsWith('daemon/base/')

  it('only base/ names clocks and timers', () => {
    const clocks =
      /\bDate\.now\b|\bnew Date\(\)|\bsetTimeout\b|\bsetInterval\b|\bperformance\.|AbortSignal\.timeout/
    assert.deepEqual(naming(clocks, inBase), [])
  })

  it('only base/ names chance', () => {
    const chance = /\bMath\.random\b|\brandomBytes\b|\brandomUUID\b|\brandomInt\b|getRandomValues/
    assert.deepEqual(naming(chance, inBase), [])
  })

  it('only edge/ and the reaching half of the CLI open sockets and processes', () => {
    const world = (file: string) => /^daemon\/edge\/|^daemon\/cli\/reach\//.test(file)
    const sockets =
      /\bcreateServer\b|\bspawn\b|\bexecFile\b|\bnet\.connect\b|\btls\.connect\b|\bcreateConnection\b/
    assert.deepEqual(naming(sockets, world), [])
    const worldly = /^node:(?:child_process|dgram|dns|http2|https?|tls|net)$/
    const modules = daemon
      .filter((file) => !world(file))
      .flatMap(importsOf)
      .filter(({ from, to, isType }) => !isType && worldly.test(to) && !ADDRESSES_ONLY.has(`${from} ${to}`))
    assert.deepEqual(modules, [])
  })

  it('only main.ts and the entry of the CLI end the process or read its environment', () => {
    const process = /\bprocess\.(?:exit|env|argv|on)\b/
    const entry = (file: string) => file === 'daemon/main.ts' || file === 'daemon/cli/shallot.ts'
    assert.deepEqual(naming(process, entry), [])
  })
})
