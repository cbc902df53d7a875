// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PartyId } from '../../daemon/core/model/index.ts'
import type { Entry, ReadingBook } from '../../daemon/core/ports.ts'
import { openHome, temporaryFolder } from '../support/state.ts'
import { SAMPLES, samplesOf } from '../support/state-writer.ts'

const KILLS = 50
/** Runs that are killed at any moment of their start, before they may have said a word. */
const IS_EARLY = (run: number) => run % 5 === 4

/** In this many lines the writer has told of a device and of two entries. */
const LINES_MIN = 10

const WRITER = join(import.meta.dirname, '../support/state-writer.ts')

/** What the writer was told is safe. */
class Acknowledged {
  readonly devices = new Set<string>()
  readonly sessions = new Set<string>()
  readonly readings = new Map<string, Set<number>>()
  readonly entries = new Map<number, string>()

  add(line: string): void {
    const [kind, first, second] = line.split(' ') as [string, string, string]
    if (kind === 'device') this.devices.add(first)
    else if (kind === 'session') this.sessions.add(first)
    else if (kind === 'entry') this.entries.set(Number(first), second)
    else {
      assert.equal(kind, 'reading')
      const known = this.readings.get(first) ?? new Set()
      this.readings.set(first, known.add(Number(second)))
    }
  }
}

/** Runs the writer and kills it; returns the whole lines that it printed. */
async function killedRun(path: string, run: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WRITER, path, String(run)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const closed = once(child, 'close')
  const lines = IS_EARLY(run) ? 0 : LINES_MIN + Math.random() * 100
  while (out.split('\n').length <= lines && child.exitCode === null && child.signalCode === null) {
    await Promise.race([once(child.stdout, 'data'), closed])
  }
  await sleep(Math.random() * (IS_EARLY(run) ? 250 : 20))
  child.kill('SIGKILL')
  const [, signal] = await closed
  assert.equal(signal, 'SIGKILL', `the writer ended by itself: ${errors}`)
  return out.split('\n').slice(0, -1)
}

function sequencesKept(readings: ReadingBook, device: PartyId): ReadonlySet<number> {
  const kept = Map.groupBy(readings.history(device, 2, 0, 10_000), (sample) =>
    Math.floor(Number(sample.value) / 10),
  )
  for (const [sequence, samples] of kept) {
    assert.equal(samples.length, SAMPLES, `reading ${sequence} is half there`)
    assert.deepEqual(samples, samplesOf(sequence))
  }
  return new Set(kept.keys())
}

function wholeJournal(read: (before: number) => readonly Entry[]): readonly Entry[] {
  const pages: Entry[][] = []
  for (let before = Number.MAX_SAFE_INTEGER; before > 1; ) {
    const page = read(before)
    if (page.length === 0) break
    pages.unshift([...page])
    before = page[0]!.index
  }
  return pages.flat()
}

async function check(path: string, told: Acknowledged): Promise<void> {
  await using home = await openHome(path)
  const report = await home.journal.verify()
  assert.equal(report.broken, undefined)
  const entries = wholeJournal((before) => home.journal.read({ before, limit: 10_000 }))
  assert.equal(entries.length, report.entries)
  for (const [index, hash] of told.entries) assert.equal(entries[index - 1]?.hash.toHex(), hash)

  for (const id of told.devices) assert(home.devices.get(id as PartyId), `device ${id} is lost`)
  for (const id of told.sessions)
    assert(home.devices.get(id as PartyId)?.presence.hello, `hello of ${id} is lost`)
  // Device and entry were written in one turn: one without the other would be half an act.
  const entered = entries.filter((entry) => entry.kind === 'enrolled').map((entry) => entry.device)
  assert.deepEqual(
    entered,
    home.devices.list().map((device) => device.id),
  )

  for (const { id } of home.devices.list()) {
    const kept = sequencesKept(home.readings, id)
    for (const sequence of told.readings.get(id) ?? [])
      assert(kept.has(sequence), `reading ${sequence} is lost`)
  }
}

it(`what was acknowledged survives ${KILLS} kills, and nothing is half there`, {
  timeout: 120_000,
}, async (t) => {
  const path = join(temporaryFolder(t), 'home.db')
  const told = new Acknowledged()
  for (let run = 0; run < KILLS; run++) {
    for (const line of await killedRun(path, run)) told.add(line)
    if (run % 10 === 9) await check(path, told)
  }
  // A test that killed only silence would prove nothing.
  assert(told.entries.size >= KILLS, `${told.entries.size} entries acknowledged`)
  assert(told.devices.size >= KILLS / 2, `${told.devices.size} devices acknowledged`)
  const readings = told.readings.values().reduce((sum, sequences) => sum + sequences.size, 0)
  t.diagnostic(
    `${told.entries.size} entries, ${readings} readings, ${told.devices.size} devices acknowledged`,
  )
})
