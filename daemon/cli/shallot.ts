// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The `shallot` command: words from a shell enter, text or JSON and an exit status leave.
 *
 * Always true: 0 done, 2 usage, 3 refused, 4 unreachable or expired, 5 not found, 1 our own fault; with --json every line of stdout is one
 * object, errors included, and stderr stays empty. What a home answers is believed as far as the root's, the owner's and the
 * devices' seals carry it. Seals in the owner's account; the daemon never sees a key from here.
 */
import { systemClock } from '../base/clock.ts'
import { ignore, isCode } from '../base/error.ts'
import { systemRandom } from '../base/random.ts'
import { runShallot } from './run.ts'

const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interrupted.abort(name))
// A reader that has seen enough (`shallot watch | head -1`) is no fault; a disk that is full is one.
process.stdout.on('error', (error) => interrupted.abort(isCode(error, 'EPIPE') ? 'SIGPIPE' : error))
// A command that is on its way, and the daemon, outlive whoever read what is said beside the result.
process.stderr.on('error', (error) => ignore(error, 'there is nobody left to tell'))

process.exitCode = await runShallot(
  { clock: systemClock, random: systemRandom },
  {
    args: process.argv.slice(2),
    environment: process.env,
    workingDirectory: process.cwd(),
    streams: { out: process.stdout, err: process.stderr },
  },
  interrupted.signal,
)
