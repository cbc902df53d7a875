// SPDX-License-Identifier: GPL-3.0-or-later
import { isCode, RoomError, sentenceOf } from '../../base/error.ts'
import { holdsHome } from '../../config/keyring.ts'
import { KEYS, SETTINGS } from '../../config/settings.ts'
import { type CliCode, CliError } from '../error.ts'
import { requireSocketPlace } from '../found.ts'
import { verb } from '../verb.ts'

export const daemon = verb({
  command: 'daemon',
  says: 'Runs the home until it is told to stop',
  examples: [
    ['daemon', 'over the public Tor network'],
    ['daemon --tor off --no-lan', 'only this machine and the devices'],
    ['daemon --begin-anew', 'once, when home.sqlite is lost and there is no copy'],
  ],
  options: (cli) => {
    let all = cli.option('begin-anew', {
      type: 'boolean',
      default: false,
      describe: 'without history, in the place of a home.sqlite that is lost',
    })
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
  async run(tools, { 'begin-anew': beginAnew }) {
    const { config } = tools.configured
    if (!holdsHome(config.data)) {
      throw new CliError('missing', `there is no home in ${config.data}`, {
        next: 'make one with `shallot init`, or name its directory with --data',
      })
    }
    requireSocketPlace(config)
    const { run } = await import('../../main.ts')
    try {
      await run(config, tools.signal, beginAnew)
    } catch (error) {
      throw taken(error) ?? spoilt(error, config.data) ?? error
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

const ANEW =
  'the home then begins without history, confirmed devices come back by themselves, and other homes bring what they keep'

/** What the disk has or does not take: as it was found, it was left. */
const SPOILT: Readonly<Record<string, { readonly code: CliCode; readonly next: string }>> = {
  corrupt: {
    code: 'conflict',
    next: `put back a copy of home.sqlite, or move it and home.sqlite-wal away yourself and run it once with --begin-anew: ${ANEW}`,
  },
  gone: {
    code: 'missing',
    next: `put back a copy of home.sqlite, or run it once with --begin-anew: ${ANEW}`,
  },
  there: { code: 'conflict', next: 'run it without --begin-anew' },
  'newer-schema': { code: 'conflict', next: 'run the Shallot that wrote it, or a newer one' },
  'not-ours': { code: 'conflict', next: 'name another directory with --data' },
  'loose-mode': { code: 'forbidden', next: 'then start it again' },
  'not-writable': {
    code: 'forbidden',
    next: 'let this account write there, or name another directory with --data',
  },
  'disk-full': { code: 'internal', next: 'make room on that disk, and start it again' },
  io: { code: 'internal', next: 'look at what the system says of that disk' },
  missing: {
    code: 'missing',
    next: 'put back a copy, or move the directory away yourself and run `shallot restore` with the 24 words',
  },
}

function spoilt(error: unknown, directory: string): CliError | undefined {
  if (!(error instanceof RoomError)) return undefined
  const found = SPOILT[error.code]
  const isPlaced = error.message.includes(directory)
  if (!found || (found.code === 'missing' && !isPlaced)) return undefined
  const message = isPlaced ? error.message : `${directory}: ${error.message}`
  return new CliError(found.code, message, { cause: error, next: found.next })
}
