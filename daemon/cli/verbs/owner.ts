// SPDX-License-Identifier: GPL-3.0-or-later

import { resolve } from 'node:path'
import { keepOwners, saveOwner } from '../../config/keyring.ts'
import { nativeEd25519, type Owner, type Signer } from '../../core/envelope/index.ts'
import { derive, type Seed } from '../../core/identity/index.ts'
import { idOf, keyOf, type PartyId, parseId } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { bytesIn, fieldsOf, listOf, textIn } from '../fields.ts'
import { requireFreeDirectory } from '../found.ts'
import { type Desk, keepsGoing, openDesk, sayTold, takeBack } from '../people/index.ts'
import { recordAnew } from '../record.ts'
import { thingPath } from '../things.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { requireName } from './device-name.ts'
import { readWords } from './restore.ts'

const NAME = { type: 'string', demandOption: true, describe: 'what the owner is called in the log' } as const

/** More are tried by nobody: each is a person with all power over the home. */
const OWNERS_MAX = 256

const add = verb({
  command: 'add <name>',
  says: 'Makes another owner, with a key and a directory of their own; takes the 24 words',
  examples: [
    ['owner add anna --into /media/key/anna', 'asks for the words; then carry that directory to her machine'],
    ['owner add anna --into anna < words.txt', 'the words from standard input; never as arguments'],
  ],
  options: (cli) =>
    cli.positional('name', NAME).option('into', {
      type: 'string',
      demandOption: true,
      describe: 'the new directory that will be this owner’s',
    }),
  async run(tools, args) {
    requireName(args.name)
    const into = resolve(tools.workingDirectory, args.into)
    requireFreeDirectory(into, '--into')
    const desk = await openDesk(tools, 'making an owner')
    const { api, owner, directory } = desk
    const known = await ownersIn(api)
    if (known.some(({ name, revoked }) => name === args.name && !revoked)) {
      throw new CliError('name-taken', `an owner is called ${args.name} already`, {
        next: 'see `shallot owner list`',
      })
    }
    const words = await readWords(tools)
    const root = rootOf(desk, words)
    const seed = freeSeed(words, new Set([...known.map(({ key }) => key), owner.id]))
    const key = nativeEd25519().signer(seed.reveal()).key
    const frame = await owner.sealBy<Owner>(root, owner.home, { type: 'owner', name: args.name, key })
    await api.sendSealed('PUT', `/owners/${idOf(key)}`, frame)
    const owners = [...owner.trust.owners.map((each) => each.frame), frame]
    const { home, root: rootKey, hubCas, generation } = owner
    saveOwner(into, { seed, name: args.name, facts: { home, root: rootKey, owners, hubCas, generation } })
    keepOwners(directory, owners)
    tools.voice.tell({ ok: true, owner: { key: idOf(key), name: args.name }, into }, () =>
      [
        `${args.name} is an owner now, with the directory ${into}.`,
        'Carry it to their machine, private to them (~/.config/shallot), and keep no copy.',
      ].join('\n'),
    )
  },
})

interface ListedOwner {
  readonly key: PartyId
  readonly name: string
  readonly revoked: boolean
}

async function ownersIn(api: Api): Promise<readonly ListedOwner[]> {
  const list = listOf(fieldsOf(await api.get('/owners'), 'a list of owners').owners, 'a list of owners')
  return list.map((each) => {
    const fields = fieldsOf(each, 'an owner')
    const key = parseId(textIn(fields, 'key'))
    if (!key) throw new CliError('bad-answer', 'the home named an owner by something that is no id')
    bytesIn(fields, 'frame')
    return { key, name: textIn(fields, 'name'), revoked: fields.revoked === true }
  })
}

/** @throws CliError wrong-audience for the words of another home */
function rootOf({ owner }: Desk, words: Seed): Signer {
  const root = nativeEd25519().signer(derive(words, 'root').reveal())
  if (idOf(root.key) === owner.home) return root
  throw new CliError('wrong-audience', 'these are the words of another home', { next: 'nothing was changed' })
}

/** The key of the first number that no owner has or had. */
function freeSeed(words: Seed, taken: ReadonlySet<string>): Seed {
  for (let number = 0; number < OWNERS_MAX; number++) {
    const seed = derive(words, `owner/${number}`)
    if (!taken.has(idOf(nativeEd25519().signer(seed.reveal()).key))) return seed
  }
  throw new CliError('queue-full', `this home had ${OWNERS_MAX} owners already`)
}

const list = verb({
  command: 'list',
  says: 'Who owns this home: they may do everything',
  examples: [['owner list', '']],
  async run(tools) {
    const { api, owner } = await openDesk(tools, 'seeing the owners')
    const owners = (await ownersIn(api)).map((each) => ({ ...each, you: each.key === owner.id }))
    tools.voice.tell({ ok: true, owners }, () =>
      table([
        ['name', 'is', 'key'],
        ...owners.map(({ name, revoked, you, key }) => [
          name,
          revoked ? 'removed' : you ? 'you' : 'an owner',
          key,
        ]),
      ]),
    )
  },
})

const remove = verb({
  command: 'remove <name>',
  says: 'Takes an owner’s power back, and all that they granted with it; takes the 24 words',
  examples: [['owner remove anna', 'asks for the words']],
  options: (cli) =>
    cli
      .positional('name', { ...NAME, describe: 'name or key' })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' }),
  async run(tools, args) {
    const desk = await openDesk(tools, 'removing an owner')
    const { api, owner, house, directory } = desk
    const gone = await ownerNamed(desk, args.name)
    const grants = new Set(
      house.grants.filter(({ by, revoked }) => by === gone.key && !revoked).map(({ id }) => id),
    )
    await keepsGoing(
      tools,
      args.yes,
      `Remove ${gone.name}, and the ${grants.size} grants that hang from them?`,
    )
    const root = rootOf(desk, await readWords(tools))
    // Devices that this owner confirmed must not become strangers.
    const resealed = await sealRecordsAnew(desk, gone.key)
    const deps = { clock: tools.clock, api, owner, directory, root }
    const revoked = await takeBack(deps, house, [keyOf(gone.key)])
    const left = owner.trust.owners.filter(({ id }) => id !== gone.key)
    keepOwners(
      directory,
      left.map(({ frame }) => frame),
    )
    tools.voice.tell(
      {
        ok: true,
        owner: { key: gone.key, name: gone.name },
        grants: grants.size,
        resealed,
        told: revoked.told,
      },
      () =>
        [
          `${gone.name} owns this home no more, and ${grants.size} grants of theirs are void: ${sayTold(revoked)}.`,
          ...(resealed > 0 ? [`${resealed} devices that they had confirmed are confirmed by you.`] : []),
        ].join('\n'),
    )
  },
})

/** @throws CliError not-found | conflict */
async function ownerNamed({ api, owner }: Desk, named: string): Promise<ListedOwner> {
  const living = (await ownersIn(api)).filter(({ revoked }) => !revoked)
  const found = living.filter(({ name, key }) => name === named || key === named)
  if (found.length > 1) {
    throw new CliError('conflict', `${found.length} owners are called ${named}`, {
      next: `name one by key: ${found.map(({ key }) => key).join(' ')}`,
    })
  }
  const one = found[0]
  if (!one)
    throw new CliError('not-found', `no owner is called ${JSON.stringify(named.slice(0, 64))}`, {
      next: 'see `shallot owner list`',
    })
  if (one.key !== owner.id) return one
  throw new CliError('conflict', 'you cannot remove yourself with your own key', {
    next: 'make another owner first, and do it with their directory: --owner',
  })
}

/** But for the release key that the removed owner named: whose images a device boots, somebody else must say again. */
async function sealRecordsAnew({ api, owner, house }: Desk, sealer: PartyId): Promise<number> {
  // Those of other homes are sealed anew there.
  const theirs = house.things.filter(
    ({ record, home }) => record && home === undefined && idOf(record.signer) === sealer,
  )
  for (const { id, record } of theirs) {
    const body = recordAnew(record!.body, { release: undefined })
    await api.sendSealed('PUT', `${thingPath(id)}/record`, await owner.seal(owner.home, body))
  }
  return theirs.length
}

export const owner = group('owner', 'Who owns this home', [add, list, remove])
