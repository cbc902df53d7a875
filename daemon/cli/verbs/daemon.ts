// SPDX-License-Identifier: GPL-3.0-or-later
import { isCode, sentenceOf } from '../../base/error.ts'
import { holdsHome } from '../../config/keyring.ts'
import { KEYS, SETTINGS } from '../../config/settings.ts'
import { CliError } from '../error.ts'
import { verb } from '../verb.ts'

export const daemon = verb({
  command: 'daemon',
  says: 'Runs the home until it is told to stop',
  examples: [
    ['daemon', 'over the public Tor network'],
    ['daemon --tor off --no-lan', 'only this machine and the devices'],
  ],
  options: (cli) => {
    let all = cli
    for (const key of KEYS) {
      const { side, kind, flag, says, env } = SETTINGS[key]
      if (side !== 'daemon') continue
      const describe = `${says} (${env})`
      all =
        kind.is === 'flag'
          ? all.option(flag, { type: 'boolean', describe })
          : all.option(flag, { type: 'string', describe, ...(kind.is === 'choice' && { choices: kind.of }) })
    }
    return all
  },
  async run(tools) {
    const { config } = tools.configured
    if (!holdsHome(config.data)) {
      throw new CliError('missing', `there is no home in ${config.data}`, {
        next: 'make one with `shallot init`, or name its directory with --data',
      })
    }
    const { run } = await import('../../main.ts')
    try {
      await run(config, tools.signal)
    } catch (error) {
      throw taken(error) ?? error
    }
  },
})

/** What somebody else has already is no fault of ours, and there is something to do about it. */
function taken(error: unknown): CliError | undefined {
  if (isCode(error, 'address-in-use')) {
    return new CliError('conflict', `${sentenceOf(error)}: something listens there already`, {
      cause: error,
      next: 'end that, or choose other ports with --link-port and --lan-port',
    })
  }
  if (!isCode(error, 'in-use')) return undefined
  return new CliError('conflict', sentenceOf(error), {
    cause: error,
    next: 'see `shallot status`; another home has another directory (--data)',
  })
}
