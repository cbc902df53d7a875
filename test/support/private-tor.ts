// SPDX-License-Identifier: GPL-3.0-or-later
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, type LogLine } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { type Control, getInfo, openControl } from '../../daemon/edge/onion/control.ts'
import { type Onion, type OnionOptions, openOnion } from '../../daemon/edge/onion/index.ts'
import { openPrivateTor, type PrivateTor, type PrivateTorOptions } from '../../scripts/private-tor.ts'

/** The network of one test file; real tor, so opened once. */
export function privateTor(options: Pick<PrivateTorOptions, 'relays'> = {}): Promise<PrivateTor> {
  const deps = { clock: systemClock, random: systemRandom }
  return openPrivateTor(
    deps,
    { ...options, say: (sentence) => console.error(`  ${sentence}`) },
    AbortSignal.timeout(150_000),
  )
}

export interface TestOnion extends Onion {
  readonly directory: string
  readonly lines: readonly LogLine[]
}

/** An onion room with a tor of its own that has joined `network`, in a temporary directory short enough for sockets. */
export async function onionOn(
  network: PrivateTor,
  options: Partial<Omit<OnionOptions, 'tor'>> = {},
): Promise<TestOnion> {
  // As a person's own directory may be called: tor reads and is told of every path in it.
  const directory = await mkdtemp(join(tmpdir(), 'ö "n", #1-'))
  const lines: LogLine[] = []
  const deps = {
    clock: systemClock,
    random: systemRandom,
    log: new Log(systemClock, (line) => void lines.push(line)),
  }
  const { torrc, seedFiles } = network
  const tor = { kind: 'child', binary: 'tor', directory, extraTorrc: torrc, seedFiles } as const
  const onion = await openOnion(deps, { ...options, tor }, new AbortController().signal)
  const close = onion[Symbol.asyncDispose].bind(onion)
  return Object.assign(onion, {
    directory,
    lines,
    [Symbol.asyncDispose]: async () => {
      await close()
      await rm(directory, { recursive: true, force: true })
    },
  })
}

/** A second conversation with the room's tor, for what a test must see or do behind the room's back. */
export function controlOf(onion: TestOnion): Promise<Control> {
  const deps = { clock: systemClock, random: systemRandom }
  return openControl(deps, join(onion.directory, 'control'), AbortSignal.timeout(10_000))
}

/** The process id of the room's tor. */
export async function pidOf(onion: TestOnion): Promise<number> {
  using control = await controlOf(onion)
  return Number(await getInfo(control, 'process/pid'))
}
