// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An onion room in a process of its own, for tests that kill it: prints the process id of its tor and stays.
 * In: one argument, JSON with `directory`, `torrc` and `seedFiles`.
 */
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { getInfo, openControl } from '../../daemon/edge/onion/control.ts'
import { openOnion } from '../../daemon/edge/onion/index.ts'

interface Argument {
  readonly directory: string
  readonly torrc: readonly string[]
  readonly seedFiles: string
}

const { directory, torrc, seedFiles } = JSON.parse(process.argv[2]!) as Argument
const deps = { clock: systemClock, random: systemRandom, log: new Log(systemClock, silent) }
const signal = new AbortController().signal
const tor = { kind: 'child', binary: 'tor', directory, extraTorrc: torrc, seedFiles } as const
const onion = await openOnion(deps, { tor }, signal)
using _alive = onion.onChange(() => {})
while (!onion.bootstrap().ready) await systemClock.sleep(50, AbortSignal.timeout(60_000)).catch(() => {})
using control = await openControl(deps, join(directory, 'control'), signal)
console.log(await getInfo(control, 'process/pid'))
await new Promise((resolve) => setTimeout(resolve, 120_000))
