// SPDX-License-Identifier: GPL-3.0-or-later
import { KEYS, SETTINGS } from '../../config/settings.ts'
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
    const { run } = await import('../../main.ts')
    await run(tools.configured.config, tools.signal)
  },
})
