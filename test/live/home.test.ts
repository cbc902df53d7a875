// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createPublicKey, verify } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { test } from 'node:test'
import { Sign1 } from '@auth0/cose'

const SCRIPT = resolve(import.meta.dirname, '../../scripts/home.ts')
const STEPS = [
  'private-tor',
  'init',
  'daemon',
  'firmware',
  'enrol-porch-light',
  'enrol-balcony',
  'reading',
  'invite',
  'switch',
]
const RUN_MS_MAX = 180_000
const ENDED_MS_MAX = 20_000

/** `scripts/home.ts` as a user starts it, with a temporary directory and a mark of its own that all it starts inherit. */
class Run implements Disposable {
  readonly temporary = mkdtempSync('/tmp/h')
  readonly child: ChildProcess
  out = ''
  err = ''
  readonly #mark = `SHALLOT_TEST_RUN_${process.pid}_${Math.random().toString(36).slice(2)}`

  constructor(args: readonly string[], environment: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [SCRIPT, ...args], {
      env: { ...process.env, TMPDIR: this.temporary, MARK_OF_TEST: this.#mark, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: RUN_MS_MAX,
    })
    this.child.stdout!.setEncoding('utf8').on('data', (text) => {
      this.out += text
    })
    this.child.stderr!.setEncoding('utf8').on('data', (text) => {
      this.err += text
    })
  }

  async ended(): Promise<number | null> {
    const [status] = await once(this.child, 'close')
    return status
  }

  get last(): Record<string, unknown> {
    return JSON.parse(this.out.trimEnd().split('\n').at(-1)!)
  }

  /** Command lines of what carries our mark. */
  processes(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => read(`/proc/${pid}/environ`).includes(this.#mark))
      .map((pid) => `${pid}: ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)
  }

  /** Nothing of it runs any more and no file is left. */
  async assertGone(): Promise<void> {
    // What was told to end may take a moment.
    for (let wait = 0; this.processes().length > 0 && wait < ENDED_MS_MAX; wait += 250) {
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    assert.deepEqual(this.processes(), [])
    assert.deepEqual(readdirSync(this.temporary, { recursive: true }), [])
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL')
    for (const line of this.processes()) process.kill(Number.parseInt(line, 10), 'SIGKILL')
    rmSync(this.temporary, { recursive: true, force: true, maxRetries: 5 })
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

interface Told {
  readonly ok: boolean
  readonly onion: string
  readonly device: string
  readonly steps: readonly { readonly name: string; readonly ms: number }[]
  readonly receipt: { readonly sealed: string; readonly by: string; readonly way: string }
}

/** By libraries that are not ours: COSE from one, Ed25519 from Node. */
async function verifyReceipt({ device, receipt }: Told): Promise<void> {
  const point = Buffer.from(device, 'base64url')
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), point])
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  const sealed = Sign1.decode(Buffer.from(receipt.sealed, 'base64url'))
  await sealed.verify(key)
  assert.deepEqual(Buffer.from(sealed.protectedHeaders.get(4) as Uint8Array), point)
  const bytes = Buffer.from(receipt.sealed, 'base64url')
  for (const at of [bytes.length - 70, bytes.length - 3]) {
    const spoiled = Buffer.from(bytes)
    spoiled[at]! ^= 1
    await assert.rejects(async () => Sign1.decode(spoiled).verify(key), `byte ${at}`)
  }
  assert.equal(verify(null, Buffer.from('something else'), key, bytes.subarray(-64)), false)
}

async function assertWholeHome(run: Run): Promise<void> {
  assert.equal(await run.ended(), 0, run.err.slice(-1500))
  const told = run.last as unknown as Told
  assert.deepEqual(Object.keys(told), ['ok', 'onion', 'device', 'steps', 'receipt'])
  assert.equal(told.ok, true)
  assert.match(told.onion, /^[a-z2-7]{56}\.onion$/)
  assert.match(told.device, /^[\w-]{43}$/)
  assert.deepEqual(
    told.steps.map(({ name }) => name),
    STEPS,
  )
  for (const { ms } of told.steps) assert(Number.isInteger(ms) && ms >= 0)
  assert.deepEqual([told.receipt.way, told.receipt.by], ['tor', told.device])
  await verifyReceipt(told)
  await run.assertGone()
}

test('--once --json does every step, proves it with a receipt that others verify, and leaves nothing', {
  timeout: RUN_MS_MAX,
}, async () => {
  using run = new Run(['--once', '--json'])
  await assertWholeHome(run)
})

test('right after, a second run does the same', { timeout: RUN_MS_MAX }, async () => {
  using run = new Run(['--once', '--json', '--port', 'host'])
  await assertWholeHome(run)
})

for (const [when, pattern] of [
  ['while the private Tor network comes up', /a private Tor network on this machine/],
  ['while a device enrols itself', /enrols itself/],
  ['while somebody reaches the home through Tor', /switches the porch light on/],
] as const) {
  test(`Ctrl-C ${when} ends it and leaves nothing`, { timeout: RUN_MS_MAX }, async () => {
    using run = new Run(['--once', '--json', '--port', 'host'])
    const ended = run.ended()
    for (let wait = 0; !pattern.test(run.err) && wait < 60_000; wait += 50) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.match(run.err, pattern)
    await new Promise((resolve) => setTimeout(resolve, 300))
    run.child.kill('SIGINT')
    assert.notEqual(await ended, 0)
    assert.equal(run.last.ok, false)
    await run.assertGone()
  })
}

test('a step that fails is told as {"ok":false} with an exit status, and leaves nothing', {
  timeout: RUN_MS_MAX,
}, async () => {
  const programs = mkdtempSync('/tmp/p')
  mkdirSync(join(programs, 'bin'))
  for (const directory of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    for (const name of readdirOf(directory).filter((name) => name !== 'tor')) {
      try {
        symlinkSync(join(directory, name), join(programs, 'bin', name))
      } catch {
        // An earlier directory has it already.
      }
    }
  }
  using run = new Run(['--once', '--json'], { PATH: join(programs, 'bin') })
  const status = await run.ended()
  rmSync(programs, { recursive: true })
  assert.notEqual(status, 0)
  assert.equal(run.last.ok, false)
  assert.match(run.last.message as string, /tor/)
  await run.assertGone()
})

test('a port that does not exist is refused, and nothing was begun', { timeout: 30_000 }, async () => {
  for (const args of [['--port', 'moon'], ['--what'], ['--once', 'now']]) {
    using run = new Run([...args, '--json'])
    assert.notEqual(await run.ended(), 0)
    await run.assertGone()
  }
})

function readdirOf(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
