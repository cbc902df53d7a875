// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { isCode } from '../../../../daemon/base/error.ts'
import { Log, silent } from '../../../../daemon/base/log.ts'
import { openStore } from '../../../../daemon/state/store/index.ts'
import { temporaryFolder } from '../../../support/state.ts'

const deps = { log: new Log(systemClock, silent) }

async function open(t: TestContext, bytesMax?: number) {
  const path = join(temporaryFolder(t), 'home.db')
  const store = await openStore(deps, { path, bytesMax }, new AbortController().signal)
  t.after(() => store[Symbol.asyncDispose]())
  const insert = store.prepare(
    'INSERT INTO service (service, epoch, authorised, created_at) VALUES (?, ?, 1, 0)',
  )
  const all = store.prepare('SELECT service FROM service ORDER BY service')
  return {
    path,
    store,
    add: (name: string, epoch = 0) => store.write(() => insert.run(name, epoch)),
    insert: (name: string) => insert.run(name, 0),
    names: () => all.all().map((row) => row.service),
  }
}

const isFull = (error: unknown) => isCode(error, 'disk-full')

describe('write()', () => {
  it('keeps nothing before its turn is over, and all of it then', async (t) => {
    const { add, names } = await open(t)
    const both = Promise.all([add('a'), add('b')])
    assert.deepEqual(names(), [])
    await both
    assert.deepEqual(names(), ['a', 'b'])
  })

  for (const [what, spoil] of [
    ['is gone', (path: string) => rmSync(path)],
    [
      'is another one',
      (path: string) => {
        renameSync(path, `${path}.old`)
        copyFileSync(`${path}.old`, path)
      },
    ],
  ] as const)
    for (const suffix of ['', '-wal'])
      it(`promises nothing once home.db${suffix} ${what}`, async (t) => {
        const { path, add, names } = await open(t)
        await add('a')
        spoil(path + suffix)
        await assert.rejects(
          add('b'),
          (error: Error) => isCode(error, 'io') && /removed or replaced/.test(error.message),
        )
        assert.deepEqual(names(), ['a'])
      })

  it('rejects a job that throws, undone, and keeps those around it', async (t) => {
    const { store, add, insert, names } = await open(t)
    const torn = store.write(() => {
      insert('half')
      throw new RangeError('no')
    })
    const others = Promise.all([add('a'), add('b')])
    await assert.rejects(torn, RangeError)
    await others
    assert.deepEqual(names(), ['a', 'b'])
  })

  it('rejects a job that breaks a rule of the schema, and keeps those around it', async (t) => {
    const { add, names } = await open(t)
    const refused = [add('a', -1), add('b')].map((promise) =>
      promise.then(
        () => 'kept',
        () => 'refused',
      ),
    )
    assert.deepEqual(await Promise.all(refused), ['refused', 'kept'])
    assert.deepEqual(names(), ['b'])
  })

  it('tells of every job, in order, before any promise resolves', async (t) => {
    const { store } = await open(t)
    const told: string[] = []
    const jobs = ['a', 'b'].map((name) =>
      store
        .write(
          () => name,
          (value) => told.push(`committed ${value}`),
        )
        .then((value) => told.push(value)),
    )
    await Promise.all(jobs)
    assert.deepEqual(told, ['committed a', 'committed b', 'a', 'b'])
  })

  it('takes more jobs in one turn than a batch holds', async (t) => {
    const { add, names } = await open(t)
    await Promise.all(Array.from({ length: 2000 }, (_, i) => add(`${i}`)))
    assert.equal(names().length, 2000)
  })

  it('is refused once the store is closed; what was queued before is kept', async (t) => {
    const folder = temporaryFolder(t)
    const path = join(folder, 'home.db')
    const never = new AbortController().signal
    const store = await openStore(deps, { path }, never)
    const insert = store.prepare("INSERT INTO service VALUES ('a', 0, 1, 0, 0)")
    const queued = store.write(() => insert.run())
    await store[Symbol.asyncDispose]()
    await queued
    await assert.rejects(
      store.write(() => {}),
      (error) => isCode(error, 'closed'),
    )
    await using again = await openStore(deps, { path }, never)
    assert.equal(again.prepare('SELECT count(*) AS n FROM service').get()?.n, 1)
  })
})

describe('a full disk', () => {
  const BIG = 'x'.repeat(100_000)

  it('rejects the whole batch, keeps what was, and goes on when there is space', async (t) => {
    const { store, add, names } = await open(t, 450_000)
    await add(`1${BIG}`)
    await add(`2${BIG}`)
    const batch = ['3', '4', '5'].map((name) => add(name + BIG))
    for (const job of batch) await assert.rejects(job, isFull)
    assert.deepEqual(names(), [`1${BIG}`, `2${BIG}`])
    await add('small')
    await store.write(() => store.prepare('DELETE FROM service WHERE epoch = 0').run())
    await add(`6${BIG}`)
    assert.deepEqual(names(), [`6${BIG}`])
  })

  it('does not tell memory of what was not kept', async (t) => {
    const { store, insert } = await open(t, 300_000)
    const told: string[] = []
    const jobs = ['1', '2', '3', '4'].map((name) =>
      store.write(
        () => void insert(name + BIG),
        () => void told.push(name),
      ),
    )
    for (const job of jobs) await assert.rejects(job, isFull)
    assert.deepEqual(told, [])
  })
})
