// SPDX-License-Identifier: GPL-3.0-or-later
import { toBase64url } from '../../base/bytes.ts'
import type { Person } from '../../core/envelope/index.ts'
import { CliError } from '../error.ts'
import {
  type Desk,
  drawId,
  dropPromises,
  grantsOf,
  type KnownPerson,
  keepsGoing,
  openDesk,
  personNamed,
  presentHolders,
  promisesTo,
  revokeAt,
  sayTold,
  withdrawInvitations,
} from '../people/index.ts'
import { typed, typedLast } from '../typed.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { requireName } from './device-name.ts'

const NAME = {
  type: 'string',
  demandOption: true,
  describe: 'what they are called, here and in the log',
} as const

const add = verb({
  command: 'add <name>',
  says: 'Makes somebody known in this home; alone it gives them nothing',
  examples: [['person add sitter', 'then: shallot grant sitter front-door unlock']],
  options: (cli) => cli.positional('name', NAME),
  async run(tools, { name }) {
    requireName(name)
    const desk = await openDesk(tools, 'adding somebody', 'sharer')
    const { id } = await addPerson(desk, name)
    tools.voice.tell({ ok: true, person: { id, name } }, () =>
      [
        `${name} is known here, and may do nothing yet.`,
        `Next: shallot grant ${typedLast(name)} <device> <what…>, and shallot phone add "<phone>" --person=${typed(name)}`,
      ].join('\n'),
    )
  },
})

/** @throws CliError name-taken */
export async function addPerson(
  { api, owner, house, tools }: Desk,
  name: string,
): Promise<{ readonly id: string; readonly person: Uint8Array }> {
  if (house.people.some((each) => each.name === name)) {
    throw new CliError('name-taken', `somebody is called ${name} already`, {
      next: 'choose another name; see `shallot person list`',
    })
  }
  const person = drawId(tools.random)
  const id = toBase64url(person)
  await api.sendSealed(
    'PUT',
    `/people/${id}`,
    await owner.seal<Person>(owner.home, { type: 'person', name, person }),
  )
  return { id, person }
}

const list = verb({
  command: 'list',
  says: 'Who is known here, with how many phones and grants',
  examples: [['person list', '']],
  async run(tools) {
    const desk = await openDesk(tools, 'seeing everybody', 'anybody')
    const rows = await Promise.all(desk.house.people.map((each) => rowOf(desk, each)))
    tools.voice.tell({ ok: true, people: rows }, () =>
      rows.length === 0
        ? 'Nobody but the owners is known here. Add somebody with: shallot person add <name>'
        : table([
            ['name', 'phones', 'scripts', 'grants', 'promised', 'id'],
            ...rows.map(({ name, phones, scripts, grants, promised, id }) => [
              name,
              String(phones),
              String(scripts),
              String(grants),
              String(promised),
              id,
            ]),
          ]),
    )
  },
})

async function rowOf({ house, directory, owner }: Desk, person: KnownPerson) {
  const holders = presentHolders(person)
  return {
    id: person.id,
    name: person.name,
    phones: holders.filter(({ kind }) => kind === 'phone').length,
    scripts: holders.filter(({ kind }) => kind === 'script').length,
    grants: grantsOf(house, person, owner.now()).size,
    promised: (await promisesTo(directory, person.person)).length,
  }
}

const remove = verb({
  command: 'remove <name>',
  says: 'Takes everything back from somebody, phones included, and forgets them; the log keeps what they did',
  examples: [['person remove sitter --yes', 'without asking']],
  options: (cli) =>
    cli.positional('name', NAME).option('yes', { type: 'boolean', default: false, describe: 'do not ask' }),
  async run(tools, { name, yes }) {
    const desk = await openDesk(tools, 'removing somebody')
    const person = personNamed(desk.house, name)
    await keepsGoing(tools, yes, `Take everything back from ${person.name}, for ever?`)
    const entries = await removePerson(desk, person)
    tools.voice.tell(
      { ok: true, person: { id: person.id, name: person.name }, revoked: entries.count, told: entries.told },
      () => `${person.name} is gone: ${sayTold(entries)}.`,
    )
  },
})

/** Grants and keys are taken back first: when that is done nothing is left that could still be used. */
export async function removePerson(desk: Desk, person: KnownPerson) {
  const { api, house, directory } = desk
  const ids = [...grantsOf(house, person, 0).values()].map(({ message }) => message.body.id)
  const keys = person.holders.filter(({ revoked }) => !revoked).map(({ message }) => message.body.key)
  const entries = [...ids, ...keys]
  const revoked = entries.length === 0 ? { entries: 0, told: 0 } : await revokeAt(desk, entries)
  await withdrawInvitations(api, person.holders)
  await dropPromises(directory, person.person)
  await api.send('DELETE', `/people/${person.id}`)
  return { ...revoked, count: entries.length }
}

export const person = group('person', 'The people of this home', [add, list, remove])
