// SPDX-License-Identifier: GPL-3.0-or-later
import { CliError } from '../error.ts'
import { keepsGoing, openDesk } from '../people/index.ts'
import { sayTime } from '../time.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { add } from './phone-add.ts'
import { phonesNamed, revokePhone } from './revoke.ts'

const list = verb({
  command: 'list',
  says: 'Every phone and script of this home, whose it is, and the address that is its own',
  examples: [['phone list', '']],
  options: (cli) => cli.option('all', { type: 'boolean', default: false, describe: 'also those taken back' }),
  async run(tools, { all }) {
    const { house } = await openDesk(tools, 'seeing all phones')
    const phones = house.people.flatMap((person) =>
      person.holders
        .filter(({ revoked }) => all || !revoked)
        .map(({ id, name, kind, at, revoked, invitation, byOwner }) => ({
          key: id,
          name,
          kind,
          person: { id: person.id, name: person.name },
          since: sayTime(at),
          revoked,
          byOwner,
          invitation: invitation ?? null,
        })),
    )
    tools.voice.tell({ ok: true, phones }, () =>
      phones.length === 0
        ? 'There is no phone yet. Add one with: shallot phone add "<phone>" --person <person>'
        : table([
            ['name', 'of', 'is', 'since', 'onion service', 'key'],
            ...phones.map((phone) => [
              phone.name,
              phone.person.name,
              phone.revoked ? 'taken back' : phone.kind,
              phone.since ?? '',
              phone.invitation ?? '',
              phone.key,
            ]),
          ]),
    )
  },
})

const revoke = verb({
  command: 'revoke <name>',
  says: 'Takes a phone back at once: its key, its onion address, what it has open; no other phone notices',
  examples: [['phone revoke "sitter\'s phone" --yes', '']],
  options: (cli) =>
    cli
      .positional('name', { type: 'string', demandOption: true, describe: 'of the phone, or its key' })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' }),
  async run(tools, { name, yes }) {
    const desk = await openDesk(tools, 'taking a phone back')
    const found = phonesNamed(desk.house.people, name)
    if (found.length === 0) {
      throw new CliError('not-found', `no phone is called ${JSON.stringify(name.slice(0, 64))}`, {
        next: 'see `shallot phone list`',
      })
    }
    if (found.length > 1) {
      throw new CliError('conflict', `${found.length} phones are called ${name}`, {
        next: `name it by its key: ${found.map(({ holder }) => `phone:${holder.id}`).join(' ')}`,
      })
    }
    const [{ holder, person }] = found as [(typeof found)[0]]
    await keepsGoing(tools, yes, `Take back ${holder.name} of ${person.name}, for ever?`)
    await revokePhone(desk, holder)
  },
})

export const phone = group('phone', 'Phones of the people here', [add, list, revoke])
