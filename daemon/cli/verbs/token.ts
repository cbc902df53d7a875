// SPDX-License-Identifier: GPL-3.0-or-later
import { idOf } from '../../core/model/index.ts'
import { CliError } from '../error.ts'
import {
  type Bearer,
  bearersIn,
  type Desk,
  type KnownPerson,
  keepsGoing,
  openDesk,
  presentHolders,
  revokeAt,
  sayGrant,
  sealerNamed,
  withdrawInvitation,
} from '../people/index.ts'
import { sayTime } from '../time.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { removePerson } from './person.ts'
import { add, invitationOf, NAME } from './token-add.ts'

/** Those who are scripts and nothing else. */
function scriptsOf({ house }: Desk): readonly KnownPerson[] {
  return house.people.filter((person) => {
    const live = presentHolders(person)
    return live.length > 0 && live.every(({ kind }) => kind === 'script')
  })
}

const list = verb({
  command: 'list',
  says: 'Every script with a key or a bearer token of its own, and what it may do',
  examples: [['token list', '']],
  async run(tools) {
    const desk = await openDesk(tools, 'seeing all scripts', 'sharer')
    const { house } = desk
    const says = (has: (id: string, key: string | undefined) => boolean) =>
      house.grants
        .filter(({ id, message, revoked }) => !revoked && has(id, message.body.key && idOf(message.body.key)))
        .map(({ message }) => sayGrant(house, message.body))
    const keys = scriptsOf(desk).flatMap((person) =>
      presentHolders(person).map((holder) => ({
        name: holder.name,
        by: sealerNamed(holder.by, house, desk.owner),
        kind: 'key',
        key: holder.id as string | null,
        usedAt: null as string | null,
        may: says((_id, key) => key === holder.id),
      })),
    )
    const bearers = bearersIn(await desk.api.get('/tokens')).map(({ name, by, usedAt, grants }) => ({
      name,
      by: sealerNamed(by, house, desk.owner),
      kind: 'bearer',
      key: null,
      usedAt: sayTime(usedAt),
      may: says((id) => grants.includes(id)),
    }))
    const tokens = [...keys, ...bearers]
    tools.voice.tell({ ok: true, tokens }, () =>
      tokens.length === 0
        ? 'No script has a key. Give one with: shallot token add <name> <device> <what…>'
        : table([
            ['name', 'is', 'by', 'used', 'may'],
            ...tokens.map(({ name, kind, by, usedAt, may }) => [
              name,
              kind,
              by,
              usedAt ?? '',
              may.join('; '),
            ]),
          ]),
    )
  },
})

const remove = verb({
  command: 'remove <name>',
  says: 'Takes the key or bearer token of a script back, and what it was granted',
  examples: [['token remove heating --yes', '']],
  options: (cli) =>
    cli.positional('name', NAME).option('yes', { type: 'boolean', default: false, describe: 'do not ask' }),
  async run(tools, { name, yes }) {
    const desk = await openDesk(tools, 'taking a key back', 'sharer')
    const script = scriptsOf(desk).find((each) => each.name === name)
    const bearer = bearersIn(await desk.api.get('/tokens')).find((each) => each.name === name)
    if (!script && !bearer) {
      throw new CliError('not-found', `no script is called ${JSON.stringify(name.slice(0, 64))}`, {
        next: 'see `shallot token list`',
      })
    }
    if (script) desk.owner.requireOwner('taking the key of a script back')
    await keepsGoing(tools, yes, `Take back what ${name} may do?`)
    const { told } = script ? await removePerson(desk, script) : await removeBearer(desk, bearer!)
    if (script) await withdrawInvitation(desk.api, invitationOf(name))
    tools.voice.tell({ ok: true, name, told }, () => `${name} may do nothing any more.`)
  },
})

/** Nobody acts by what was passed to the hub for a token that is gone; an owner also takes that back. */
async function removeBearer(desk: Desk, { name, grants }: Bearer) {
  await desk.api.send('DELETE', `/tokens/${encodeURIComponent(name)}`)
  if (desk.owner.role !== 'owner') return { told: 0 }
  const known = desk.house.grants
    .filter(({ id }) => grants.includes(id))
    .map(({ message }) => message.body.id)
  return known.length === 0 ? { told: 0 } : revokeAt(desk, known)
}

export const token = group('token', 'Keys of scripts, each with its own narrow grant', [add, list, remove])
