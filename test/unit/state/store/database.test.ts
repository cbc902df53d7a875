// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { isCode } from '../../../../daemon/base/error.ts'
import { Log, silent } from '../../../../daemon/base/log.ts'
import type { StateCode } from '../../../../daemon/state/index.ts'
import { openStore } from '../../../../daemon/state/store/index.ts'
import { NOON, newDevice, openHome, partyOf, reading, temporaryFolder } from '../../../support/state.ts'

function refusedAs(path: string, code: StateCode): Promise<void> {
  return assert.rejects(openHome(path), (error) => {
    assert(isCode(error, code), `${error}`)
    return true
  })
}

/** A home of many pages, closed. */
async function filledHome(t: TestContext): Promise<string> {
  const path = join(temporaryFolder(t), 'home.db')
  await using home = await openHome(path)
  await home.devices.enrol(newDevice(1), NOON)
  const values = [{ affordance: 1, at: NOON, value: true }]
  const appended = Array.from({ length: 200 }, (_, i) =>
    home.readings.append(partyOf(1), reading(1, i, values), NOON),
  )
  await Promise.all(appended)
  return path
}

/** Opens nothing of what is there, changes nothing of it. */
async function leftAsItIs(path: string, code: StateCode): Promise<void> {
  const before = readFileSync(path)
  await refusedAs(path, code)
  assert(before.equals(readFileSync(path)), 'the refused file was changed')
}

describe('openState() makes a home', () => {
  it('whose files only its owner can read', async (t) => {
    const folder = temporaryFolder(t)
    await using home = await openHome(join(folder, 'home.db'))
    await home.devices.enrol(newDevice(1), NOON)
    for (const name of readdirSync(folder))
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  })

  it('over a draft that a crash left behind', async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    writeFileSync(`${path}.new`, 'half a database')
    await using home = await openHome(path)
    assert.deepEqual(home.devices.list(), [])
    assert.equal(existsSync(`${path}.new`), false)
  })

  it('not when asked to stop before', async (t) => {
    const { openState } = await import('../../../../daemon/state/index.ts')
    const path = join(temporaryFolder(t), 'home.db')
    const options = { path, author: partyOf(1) }
    await assert.rejects(openState({} as never, options, AbortSignal.abort()), { name: 'AbortError' })
    assert.equal(existsSync(path), false)
  })
})

describe('openState() refuses, and leaves as it is,', () => {
  it('a database from a newer version', async (t) => {
    const path = await filledHome(t)
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)')
    db.close()
    await leftAsItIs(path, 'newer-schema')
  })

  it('garbage', async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    for (const size of [1, 100, 4096, 100_000]) {
      writeFileSync(path, new Uint8Array(size).fill(0x5a), { mode: 0o600 })
      await leftAsItIs(path, 'corrupt')
    }
  })

  it('an empty file', async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    writeFileSync(path, '', { mode: 0o600 })
    await leftAsItIs(path, 'corrupt')
  })

  it('a truncated file, wherever it was cut', async (t) => {
    const path = await filledHome(t)
    const { size } = statSync(path)
    for (const kept of [size - 1, size - 4096, Math.floor(size / 2) + 1, 4096, 4095, 600, 100, 99, 1]) {
      truncateSync(path, kept)
      await leftAsItIs(path, 'corrupt')
    }
  })

  it('a database whose tables are damaged', async (t) => {
    const path = await filledHome(t)
    const bytes = readFileSync(path)
    bytes.fill(0xa5, 4096, 4096 * 12)
    writeFileSync(path, bytes)
    await leftAsItIs(path, 'corrupt')
  })

  it('a log without its database', async (t) => {
    const path = await filledHome(t)
    rmSync(path)
    writeFileSync(`${path}-wal`, 'anything')
    await refusedAs(path, 'corrupt')
    assert.equal(existsSync(path), false)
  })

  it('that there is none where there was one', async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    const store = { log: new Log(systemClock, silent) }
    const open = (begin: 'must' | 'must-not') =>
      openStore(store, { path, begin }, new AbortController().signal)
    await assert.rejects(open('must-not'), { code: 'gone' })
    assert.equal(existsSync(path), false)
    await (await open('must'))[Symbol.asyncDispose]()
    const before = readFileSync(path)
    await assert.rejects(open('must'), { code: 'there' })
    assert.deepEqual(readFileSync(path), before)
    await (await open('must-not'))[Symbol.asyncDispose]()
  })

  it('that its log alone is left, also to begin anew', async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    writeFileSync(`${path}-wal`, 'anything')
    for (const begin of ['must', 'must-not'] as const) {
      const store = { log: new Log(systemClock, silent) }
      await assert.rejects(openStore(store, { path, begin }, new AbortController().signal), {
        code: 'corrupt',
      })
    }
    assert.equal(existsSync(path), false)
  })

  it('a database of another program', async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    const db = new DatabaseSync(path)
    db.exec('CREATE TABLE recipe (name TEXT)')
    db.close()
    chmodSync(path, 0o600)
    await refusedAs(path, 'not-ours')
  })

  it('a file that others may read', async (t) => {
    const path = await filledHome(t)
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(path, mode)
      await leftAsItIs(path, 'loose-mode')
    }
  })

  it('a database that is open already', async (t) => {
    const path = await filledHome(t)
    await using first = await openHome(path)
    await refusedAs(path, 'in-use')
    assert.equal(first.devices.list().length, 1)
  })

  it('a folder that is not there, and a path through a file', async (t) => {
    const folder = temporaryFolder(t)
    writeFileSync(join(folder, 'file'), '')
    await refusedAs(join(folder, 'nowhere', 'home.db'), 'directory-missing')
    await refusedAs(join(folder, 'file', 'home.db'), 'directory-missing')
  })

  it('a folder in place of the file', async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    mkdirSync(path)
    await refusedAs(path, 'not-writable')
  })

  it('a folder and a file that it may not write', async (t) => {
    const path = await filledHome(t)
    const folder = join(path, '..')
    await asNobody(folder, async () => {
      chmodSync(folder, 0o500)
      await refusedAs(join(folder, 'other.db'), 'not-writable')
      chmodSync(folder, 0o700)
      chmodSync(path, 0o400)
      await refusedAs(path, 'not-writable')
    })
  })
})

/** Root may write anything, so a test that runs as root gives the folder away and steps down meanwhile. */
async function asNobody(folder: string, act: () => Promise<void>): Promise<void> {
  if (process.getuid!() !== 0) return act()
  const { chownSync } = await import('node:fs')
  const NOBODY = 65534
  for (const name of ['.', ...readdirSync(folder)]) chownSync(join(folder, name), NOBODY, NOBODY)
  process.seteuid!(NOBODY)
  try {
    await act()
  } finally {
    process.seteuid!(0)
  }
}

describe('what was acknowledged', () => {
  it('is there after the home was closed and opened', async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    const command = new Uint8Array(32).fill(1)
    const proofKey = new Uint8Array(32).fill(6)
    const permit = { permit: new Uint8Array(8), name: 'a', expiresAt: NOON + 1, proofKey, frame: command }
    {
      await using home = await openHome(path)
      await home.devices.enrol(newDevice(1), NOON)
      await home.devices.enrol(newDevice(2), NOON)
      await home.devices.forget(partyOf(2), NOON)
      await home.devices.desire(partyOf(1), 1, false, command, NOON)
      const values = [
        { affordance: 1, at: NOON, value: true },
        { affordance: 2, at: NOON, value: 5 },
      ]
      await home.readings.append(partyOf(1), reading(1, 1, values), NOON)
      await home.journal.append({ kind: 'command', at: NOON })
      await home.permits.open(permit)
      await home.services.put({ service: 'invitation:a', epoch: 0, authorised: true, createdAt: NOON })
      await home.services.remove('invitation:a')
    }
    await using home = await openHome(path)
    assert.equal(home.devices.list().length, 1)
    assert.equal(home.devices.isForgotten(partyOf(2)), true)
    assert.deepEqual(home.devices.twin(partyOf(1)), {
      reported: [
        { affordance: 1, at: NOON, value: true },
        { affordance: 2, at: NOON, value: 5 },
      ],
      desired: [{ affordance: 1, value: false, command, at: NOON }],
    })
    assert.equal(home.readings.history(partyOf(1), 1, 0, 10).length, 1)
    assert.equal((await home.journal.verify()).entries, 1)
    assert.deepEqual(home.permits.get(permit.permit)?.proofKey, proofKey)
    assert.deepEqual(home.services.list(), [])
    assert.equal(home.services.nextEpoch('invitation:a'), 1)
  })

  it('does not say that anybody is connected after a start', async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    {
      const { hello } = await import('../../../support/state.ts')
      await using home = await openHome(path)
      await home.devices.enrol(newDevice(1), NOON)
      await home.devices.sessionOpened(partyOf(1), hello(1, 0), NOON + 5)
    }
    await using home = await openHome(path)
    const presence = home.devices.get(partyOf(1))?.presence
    assert.equal(presence?.connected, false)
    assert.equal(presence?.since, NOON + 5)
    assert(presence?.nonce && presence.hello)
  })

  it('has no proof key of a permit that was used or is stale: not in the file, not in its log', async (t) => {
    const folder = temporaryFolder(t)
    const path = join(folder, 'home.db')
    const key = Buffer.from('a proof key, thirty-two bytes ok')
    const permit = (first: number, expiresAt: number) => ({
      permit: new Uint8Array(8).fill(first),
      name: 'a',
      expiresAt,
      proofKey: key,
      frame: new Uint8Array(9),
    })
    {
      await using home = await openHome(path)
      await home.permits.open(permit(1, NOON + 900))
      await home.permits.open(permit(2, NOON + 900))
      await home.permits.use(new Uint8Array(8).fill(1), partyOf(1), new Uint8Array(9), new Uint8Array(9))
      home.setClock(NOON + 900)
      await home.permits.open(permit(3, NOON + 901))
      await home.permits.use(new Uint8Array(8).fill(3), partyOf(1), new Uint8Array(9), new Uint8Array(9))
    }
    for (const name of readdirSync(folder))
      assert.equal(readFileSync(join(folder, name)).includes(key), false, name)
  })
})

describe('a file that may not grow (RLIMIT_FSIZE)', () => {
  const program = `
    const { openHome, newDevice, partyOf, NOON } = await import(process.argv[2])
    const home = await openHome(process.argv[1])
    await home.devices.enrol(newDevice(1), NOON)
    const codes = []
    for (let i = 0; i < 40; i++) {
      await home.journal.append({ kind: 'command', at: NOON, frame: new Uint8Array(60000) })
        .then(() => codes.push('ok'), (error) => codes.push(error.code))
    }
    const report = await home.journal.verify()
    console.log(JSON.stringify({ codes, kept: report.entries, broken: report.broken }))
    process.exit(0)`

  it('fails writes as io and keeps what was acknowledged', { timeout: 60_000 }, async (t) => {
    const path = join(temporaryFolder(t), 'home.db')
    const support = new URL('../../../support/state.ts', import.meta.url).href
    const node = [process.execPath, '--input-type=module', '-e', program, path, support]
    const child = spawn('sh', ['-c', 'ulimit -f 2048; exec "$@"', 'sh', ...node], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    child.stdout.on('data', (text) => {
      out += text
    })
    await once(child, 'close')
    const { codes, kept, broken } = JSON.parse(out) as { codes: string[]; kept: number; broken?: unknown }
    assert.deepEqual(new Set(codes), new Set(['ok', 'io']))
    assert.equal(broken, undefined)
    assert.equal(kept, codes.filter((code) => code === 'ok').length)
    await using home = await openHome(path)
    assert.equal((await home.journal.verify()).entries, kept)
    await home.journal.append({ kind: 'command', at: NOON, frame: new Uint8Array(60_000) })
  })
})
