// SPDX-License-Identifier: GPL-3.0-or-later
import { parseWords, type Seed } from '../../core/identity/index.ts'
import { CliError } from '../error.ts'
import { foundHome, requireNames, requireSocketPlace, requireSomeMissing } from '../found.ts'
import { ask, keyboardOf, readAll } from '../prompt.ts'
import type { Tools } from '../tools.ts'
import { verb } from '../verb.ts'
import { OWNER_NAME } from './init.ts'

export const restore = verb({
  command: 'restore',
  says: 'Makes the home of 24 words again: the same root, addresses and authorities, and devices come back by themselves',
  examples: [
    ['restore', 'asks for the words, without showing them'],
    ['restore --data /srv/shallot', 'the daemon of a home whose owner is here already'],
    ['restore < /media/key/words.txt', 'the words from standard input; never as arguments'],
    ['restore --as cabin', 'one more daemon of the same home, elsewhere; then `shallot mesh join`'],
  ],
  options: (cli) =>
    cli.option('name', OWNER_NAME).option('as', {
      type: 'string',
      describe: 'makes a further daemon of this name beside those there are, with addresses of its own',
    }),
  async run(tools, args) {
    const { voice, configured } = tools
    requireSomeMissing(configured.config)
    requireSocketPlace(configured.config)
    requireNames({ ownerName: args.name, as: args.as })
    const seed = await readWords(tools)
    const home = foundHome(tools, seed, { ownerName: args.name, as: args.as, isRestored: true })
    voice.tell({ ok: true, ...home }, () =>
      [
        `The home ${home.home} is here again.`,
        `  the owner's directory   ${home.owner}`,
        `  the daemon's directory  ${home.data}`,
        args.as === undefined
          ? 'Next: shallot daemon. Invitations have their old addresses once they are named again: shallot onion invite <name>.'
          : 'Next: shallot daemon, then `shallot mesh invite` on a daemon there is, and `shallot mesh join <code>` here.',
      ].join('\n'),
    )
  },
})

const TRIES_MAX = 3

/** The 24 words, unseen from a keyboard or from standard input. @throws CliError bad-words */
export async function readWords(tools: Tools): Promise<Seed> {
  const keyboard = keyboardOf()
  for (let tries = 1; ; tries++) {
    const typed = keyboard
      ? await ask(keyboard, 'The 24 words (not shown): ', { hidden: true }, tools.signal)
      : await readAll(process.stdin)
    const seed = parseWords(typed)
    if (seed.ok) return seed.value
    if (!keyboard || tries === TRIES_MAX) {
      throw new CliError(seed.why, seed.detail ?? 'these are not the words of a home')
    }
    tools.voice.note(`${seed.detail}. Try again.`)
  }
}
