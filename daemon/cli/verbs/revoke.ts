// SPDX-License-Identifier: GPL-3.0-or-later
import { CliError } from '../error.ts'
import {
  breakPromise,
  type Desk,
  dropPromises,
  grantsOf,
  type KnownHolder,
  type KnownPerson,
  keepsGoing,
  openDesk,
  promisesTo,
  revokeAt,
  sayTold,
  startOver,
  withdrawInvitations,
} from '../people/index.ts'
import type { Tools } from '../tools.ts'
import { verb } from '../verb.ts'

export const revoke = verb({
  command: 'revoke [what]',
  says: 'Takes back one grant, everything that somebody was granted, or a phone; it beats every older grant at once',
  examples: [
    ['revoke mJ3kV0cQx2E', 'one grant, by the id that `shallot grants` shows'],
    ['revoke sitter', 'all that the sitter may do, codes included; the phone stays'],
    ['revoke "sitter\'s phone"', 'the phone: its key, its address, its sessions'],
    ['revoke --start-over', 'when the list of what was taken back is full'],
  ],
  options: (cli) =>
    cli
      .positional('what', {
        type: 'string',
        describe: 'a grant by its id, a person or a phone by name; or grant:…, person:…, phone:…',
      })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask before a phone is taken back' })
      .option('start-over', {
        type: 'boolean',
        default: false,
        describe: 'seal your grants anew and begin an empty list',
      }),
  async run(tools, args) {
    if (args['start-over']) return beginAgain(tools)
    if (args.what === undefined) {
      throw new CliError('usage', 'say what to take back', {
        next: 'see `shallot grants` and `shallot phone list`',
      })
    }
    const desk = await openDesk(tools, 'taking something back')
    const found = find(desk, args.what)
    if (found.kind === 'grant') return revokeGrant(desk, args.what.replace(/^grant:/, ''))
    if (found.kind === 'person') return revokePerson(desk, found.person)
    await keepsGoing(tools, args.yes, `Take back ${found.holder.name} of ${found.person.name}, for ever?`)
    return revokePhone(desk, found.holder)
  },
})

type Found =
  | { readonly kind: 'grant' }
  | { readonly kind: 'person'; readonly person: KnownPerson }
  | { readonly kind: 'phone'; readonly holder: KnownHolder; readonly person: KnownPerson }

/** @throws CliError not-found | conflict */
function find({ house }: Desk, named: string): Found {
  // With its kind before it also what begins like a flag can be named.
  const [, kind, what = ''] = /^(?:(grant|person|phone):)?(.*)$/s.exec(named)!
  if (kind === 'grant' || house.grants.some(({ id }) => id === what)) return { kind: 'grant' }
  const people = kind === 'phone' ? [] : house.people.filter(({ name, id }) => name === what || id === what)
  const phones = kind === 'person' ? [] : phonesNamed(house.people, what)
  if (people.length + phones.length > 1) {
    throw new CliError('conflict', `more than one is called ${what}`, {
      next: `say person:${what} or phone:${what}, or name it by id: see \`shallot phone list\``,
    })
  }
  if (people[0]) return { kind: 'person', person: people[0] }
  if (phones[0]) return { kind: 'phone', ...phones[0] }
  // A promise is known by its id alone.
  if (/^[\w-]{11}$/.test(what)) return { kind: 'grant' }
  throw new CliError(
    'not-found',
    `no grant, person or phone is called ${JSON.stringify(what.slice(0, 64))}`,
    {
      next: 'see `shallot grants`, `shallot person list` and `shallot phone list`',
    },
  )
}

/** Phones and scripts of this name that were not taken back. */
export function phonesNamed(
  people: readonly KnownPerson[],
  named: string,
): readonly { readonly holder: KnownHolder; readonly person: KnownPerson }[] {
  return people.flatMap((person) =>
    person.holders
      .filter(
        ({ name, id, revoked }) => !revoked && (name === named || id === named || named === `phone:${id}`),
      )
      .map((holder) => ({ holder, person })),
  )
}

async function revokeGrant(desk: Desk, id: string): Promise<void> {
  const { tools, house, directory } = desk
  const grant = house.grants.find((each) => each.id === id)
  if (!grant) {
    await breakPromiseOf(desk, id)
    tools.voice.tell({ ok: true, revoked: 1, told: 0 }, () => 'The promise is taken back; nobody had it yet.')
    return
  }
  const revoked = await revokeAt(desk, [grant.message.body.id])
  for (const { person } of house.people) await breakPromise(directory, person, grant.message.body.id)
  tools.voice.tell(
    { ok: true, revoked: 1, told: revoked.told },
    () => `It is taken back: ${sayTold(revoked)}.`,
  )
}

async function breakPromiseOf({ house, directory }: Desk, id: string): Promise<void> {
  for (const { person } of house.people) {
    for (const deal of await promisesTo(directory, person)) {
      if (deal.id.toBase64({ alphabet: 'base64url', omitPadding: true }) !== id) continue
      await breakPromise(directory, person, deal.id)
      return
    }
  }
  throw new CliError('not-found', `no grant has the id ${id}`, { next: 'see `shallot grants --all`' })
}

async function revokePerson(desk: Desk, person: KnownPerson): Promise<void> {
  const { tools, house, directory, owner } = desk
  const ids = [...grantsOf(house, person, owner.now()).values()].map(({ message }) => message.body.id)
  const promises = (await promisesTo(directory, person.person)).length
  await dropPromises(directory, person.person)
  const revoked = ids.length === 0 ? { entries: 0, told: 0 } : await revokeAt(desk, ids)
  tools.voice.tell({ ok: true, revoked: ids.length + promises, told: revoked.told }, () =>
    ids.length + promises === 0
      ? `${person.name} was granted nothing.`
      : `${person.name} may do nothing here any more: ${sayTold(revoked)}.`,
  )
}

/** The key, and with it the address and every session: nobody else notices. */
export async function revokePhone(desk: Desk, holder: KnownHolder): Promise<void> {
  const { tools, api } = desk
  const revoked = await revokeAt(desk, [holder.message.body.key])
  await withdrawInvitations(api, [holder])
  tools.voice.tell(
    { ok: true, revoked: 1, told: revoked.told, phone: { key: holder.id, name: holder.name } },
    () => `${holder.name} is taken back, with its address and what was open: ${sayTold(revoked)}.`,
  )
}

async function beginAgain(tools: Tools): Promise<void> {
  const desk = await openDesk(tools, 'starting the list over')
  const { sealed, entries, told } = await startOver(desk)
  tools.voice.tell({ ok: true, sealed, entries, told }, () =>
    [
      `${sealed} grants are sealed anew; what you granted before is void, and the list holds ${entries} entries.`,
      `${sayTold({ entries, told })}.`,
    ].join('\n'),
  )
}
