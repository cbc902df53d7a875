// SPDX-License-Identifier: GPL-3.0-or-later
/** State for tests: in a folder of its own or in memory, with a clock that stands still until it is set. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Clock, type Instant, systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import {
  type Hello,
  type Message,
  nativeEd25519,
  type Reading,
  type Receipt,
  type Sample,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import type { NewDevice } from '../../daemon/core/ports.ts'
import { IN_MEMORY, openState, type State, type StateOptions } from '../../daemon/state/index.ts'

export const NOON: Instant = Date.UTC(2026, 5, 1, 12)

export interface Home extends State {
  /** What the clock of this state says from now on. */
  setClock(now: Instant): void
}

/** One way to keep a home: the books over a file, over memory. */
export type OpenHome = (t: TestContext) => Promise<Home>

const ed25519 = nativeEd25519()

export function signerOf(number: number): Signer {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, number)
  return ed25519.signer(seed)
}

export function partyOf(number: number): PartyId {
  return idOf(signerOf(number).key)
}

const HUB = 1_000_000

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'shallot-state-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function openHome(path: string, options: Partial<StateOptions> = {}): Promise<Home> {
  let now = NOON
  const clock: Clock = { ...systemClock, now: () => now }
  const deps = { clock, log: new Log(clock, silent) }
  const signal = new AbortController().signal
  const state = await openState(deps, { author: partyOf(HUB), ...options, path }, signal)
  const setClock = (instant: Instant) => {
    now = instant
  }
  return { ...state, setClock }
}

async function disposedAfter(t: TestContext, home: Promise<Home>): Promise<Home> {
  const opened = await home
  t.after(() => opened[Symbol.asyncDispose]())
  return opened
}

/** Every implementation of the books: the suites of test/contract run over each. */
export const HOMES: ReadonlyMap<string, OpenHome> = new Map([
  ['in a file', (t: TestContext) => disposedAfter(t, openHome(join(temporaryFolder(t), 'home.db')))],
  ['in memory', (t: TestContext) => disposedAfter(t, openHome(IN_MEMORY))],
])

export function newDevice(number: number, more: Partial<NewDevice> = {}): NewDevice {
  const id = partyOf(number)
  return { id, name: `device ${number}`, board: 'host', firmware: '0.1.0', affordances: [1, 2], ...more }
}

const EPOCH = new Uint8Array(8).fill(1)
const HOME_KEY = idOf(signerOf(HUB + 1).key)

function claims(sequence: number, epoch = EPOCH) {
  return { audience: HOME_KEY, sealedAt: Math.floor(NOON / 1000), epoch, sequence }
}

export function reading(
  device: number,
  sequence: number,
  values: readonly Sample[],
  epoch = EPOCH,
): Message<Reading> {
  return message(device, { ...claims(sequence, epoch), type: 'reading', values })
}

export function receipt(device: number, sequence: number, values: readonly Sample[]): Message<Receipt> {
  const command = new Uint8Array(32).fill(sequence)
  return message(device, { ...claims(sequence), type: 'receipt', command, code: 0, values })
}

export function hello(device: number, sequence: number, more: Partial<Hello> = {}): Message<Hello> {
  const about = { board: 'host', firmware: '0.1.0', affordances: [1, 2], lost: 0 }
  return message(device, { ...claims(sequence), type: 'hello', ...about, ...more })
}

/** A message as `openEnvelope` makes them: really sealed, taken as opened. */
function message<B extends Hello | Reading | Receipt>(device: number, body: B): Message<B> {
  const signer = signerOf(device)
  return { body, signer: signer.key, frame: sealEnvelope(body, signer) } as unknown as Message<B>
}
