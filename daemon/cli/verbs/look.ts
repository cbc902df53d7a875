// SPDX-License-Identifier: GPL-3.0-or-later
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { COMMAND_LIFETIME_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import { toBase64url } from '../../base/bytes.ts'
import { isCode } from '../../base/error.ts'
import { createPrivateFile } from '../../config/vault.ts'
import { type Outcome, outcomeObject, type Wish } from '../command.ts'
import { CliError } from '../error.ts'
import { awaitPicture } from '../stills.ts'
import { thingPath } from '../things.ts'
import { parseDuration, sayTime } from '../time.ts'
import type { Tools } from '../tools.ts'
import { verb } from '../verb.ts'
import { obtain, WITHIN } from './set.ts'

export const look = verb({
  command: 'look <device>',
  says: "Has a camera take a picture, checks the device's seal on it, and writes it to a file",
  examples: [
    ['look gate', 'writes gate-….jpg here'],
    ['look gate --out now.jpg --json', 'for scripts'],
  ],
  options: (cli) =>
    cli
      .positional('device', { type: 'string', demandOption: true, describe: 'name or id' })
      .option('out', { type: 'string', describe: 'the file; one that is there is left alone' })
      .option('action', { type: 'string', default: 'look', describe: 'of a device with several cameras' })
      .option('within', WITHIN),
  async run(tools, { device, out, action, within }) {
    const { voice, clock } = tools
    const withinS = parseDuration(within, '--within', COMMAND_LIFETIME_S_MAX)
    const file = out ?? `${fileNameOf(device)}-${stampOf(clock.now())}.jpg`
    judgeFile(file)
    // Who may not see its pictures hears so before one is taken.
    await (await tools.api()).get(`${thingPath(device)}/stills?limit=1`)
    const outcome = await rested(tools, { device, kind: 'action', name: action, value: undefined, withinS })
    const api = await tools.api()
    const { still, jpeg } = await (async () => {
      using step = voice.working('the picture is on its way to the hub')
      const onProgress = (got: number, size: number) =>
        step.say(`${kib(got)} of ${kib(size)} KiB are at the hub`)
      return await awaitPicture({ clock, api, person: await tools.person(), onProgress }, outcome)
    })()
    write(file, jpeg)
    const { digest, size, at } = still.body
    const picture = {
      file,
      size,
      digest: toBase64url(digest),
      at: at || undefined,
      still: toBase64url(still.frame),
    }
    voice.tell({ ...outcomeObject(outcome, await api.way()), picture }, () => {
      const when = at ? `, taken ${sayTime(at)}` : ''
      return `${file}: ${size} bytes${when} (sealed by ${outcome.thing.name}, verified)`
    })
  },
})

/** A camera rests a second after each picture, and says `busy` then: it is asked again, a few times. */
async function rested(tools: Tools, wish: Wish): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    try {
      return await obtain(tools, wish)
    } catch (error) {
      if (!isCode(error, 'busy') || tries === TRIES_MAX) throw error
      await tools.clock.sleep(REST_MS, tools.signal)
    }
  }
}

const TRIES_MAX = 4
const REST_MS = 500

const kib = (bytes: number): string => (bytes / 1024).toFixed(1)

/** What a file may be called after a name that comes from elsewhere. */
function fileNameOf(device: string): string {
  const name = device
    .replaceAll(/[^\p{L}\p{N}_-]+/gu, '-')
    .replace(/^-+/, '')
    .slice(0, 64)
  return name === '' ? 'picture' : name
}

/** `20261130-225442`, UTC. */
function stampOf(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}

/** Before a picture is taken that could not be written. @throws CliError usage */
function judgeFile(file: string): void {
  if (existsSync(file)) throw taken(file)
  if (!existsSync(dirname(file))) throw new CliError('usage', `there is no folder ${dirname(file)}`)
}

function write(file: string, jpeg: Uint8Array): void {
  try {
    createPrivateFile(file, jpeg)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw taken(file)
    throw new CliError('usage', `${file} cannot be written`, { cause })
  }
}

function taken(file: string): CliError {
  return new CliError('usage', `${file} is there already`, { next: 'name another with --out' })
}
