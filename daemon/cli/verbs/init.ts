// SPDX-License-Identifier: GPL-3.0-or-later
import { resolve } from 'node:path'
import { isCode } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import { createPrivateFile } from '../../config/vault.ts'
import { wordsOf } from '../../core/identity/index.ts'
import { CliError } from '../error.ts'
import { foundHome, requireNames, requireNoHome, requireSocketPlace } from '../found.ts'
import { ask, type Keyboard, keyboardOf } from '../prompt.ts'
import type { Tools } from '../tools.ts'
import { verb } from '../verb.ts'
import { table, type Voice } from '../voice.ts'

export const OWNER_NAME = {
  type: 'string',
  default: 'owner',
  describe: 'what the owner is called in the log',
} as const

export const init = verb({
  command: 'init',
  says: 'Makes a new home: 24 words, shown once, and every key that grows from them',
  examples: [
    ['init', 'shows the words and asks for two of them'],
    ['init --words-out /media/key/words.txt', 'for scripts: the words go to a new file (0600)'],
    ['init --json', 'for scripts: the words are in the object'],
  ],
  options: (cli) =>
    cli
      .option('name', OWNER_NAME)
      .option('words-out', {
        type: 'string',
        describe: 'write the words to this new file, show them nowhere',
      })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask for two of the words' }),
  async run(tools, args) {
    const { voice, configured } = tools
    requireNoHome(configured.config)
    requireSocketPlace(configured.config)
    requireNames({ ownerName: args.name })
    const seed = new Secret(tools.random.bytes(32))
    const words = wordsOf(seed)
    const file =
      args['words-out'] === undefined ? undefined : resolve(tools.workingDirectory, args['words-out'])
    if (file !== undefined) writeWords(file, words)
    else await showWords(tools, words, args.yes)
    const home = foundHome(tools, seed, { ownerName: args.name })
    const shown = voice.json && file === undefined ? { words: words.reveal() } : {}
    voice.tell({ ok: true, ...home, ...(file !== undefined && { wordsOut: file }), ...shown }, () =>
      [
        `The home ${home.home} is made.`,
        `  the owner's directory   ${home.owner}`,
        `  the daemon's directory  ${home.data}`,
        'Next: shallot daemon, then shallot enrol <name> for each device.',
      ].join('\n'),
    )
    if (file === undefined) await requireShown(voice)
  },
})

function writeWords(file: string, words: Secret<string>): void {
  try {
    // Before the home: whatever happens next, what it can be made of is on disk.
    createPrivateFile(file, `${words.reveal()}\n`)
  } catch (cause) {
    const why = isCode(cause, 'EEXIST') ? 'is there already' : 'cannot be written'
    throw new CliError('conflict', `${file} ${why}, so no home was made`, { cause })
  }
}

async function showWords(tools: Tools, words: Secret<string>, yes: boolean): Promise<void> {
  const { voice } = tools
  if (voice.json) return
  voice.say('These 24 words are the home. They are shown this once and kept nowhere: write them on paper.')
  voice.say(`\n${inColumns(words.reveal().split(' '))}\n`)
  await requireShown(voice)
  const keyboard = keyboardOf()
  if (yes || !keyboard || !voice.isTerminal) return
  await confirmWords(keyboard, tools, words.reveal().split(' '))
}

/** Whoever was to read the words may have hung up, or their disk be full: they are not to be had again. @throws CliError internal */
async function requireShown(voice: Voice): Promise<void> {
  const cause = await voice.lost()
  if (cause) throw new CliError('internal', `the words could not be shown: ${cause.message}`, { cause })
}

function inColumns(words: readonly string[]): string {
  const rows = words.length / 4
  return table(
    Array.from({ length: rows }, (_, row) =>
      Array.from({ length: 4 }, (_, column) => {
        const at = column * rows + row
        return `${String(at + 1).padStart(2)} ${words[at]}`
      }),
    ),
  )
}

const TRIES_MAX = 3

async function confirmWords(keyboard: Keyboard, tools: Tools, words: readonly string[]): Promise<void> {
  const [first, second] = twoOf(words.length, tools.random)
  for (const at of [first, second]) {
    for (let tries = 1; ; tries++) {
      const typed = await ask(keyboard, `Word ${at + 1}: `, { hidden: false }, tools.signal)
      if (typed.trim().toLowerCase() === words[at]) break
      if (tries === TRIES_MAX) {
        throw new CliError('not-confirmed', 'the words were not written down, so no home was made', {
          next: 'run `shallot init` again: it makes new words',
        })
      }
      tools.voice.say('That is another word. Look again.')
    }
  }
}

function twoOf(count: number, random: Random): [number, number] {
  const first = Math.floor(random.fraction() * count)
  const step = 1 + Math.floor(random.fraction() * (count - 1))
  const second = (first + step) % count
  return first < second ? [first, second] : [second, first]
}
