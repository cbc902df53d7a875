// SPDX-License-Identifier: GPL-3.0-or-later
import { toBase64url } from '../../base/bytes.ts'
import {
  dealOrPromise,
  grantOptions,
  newDeal,
  openDesk,
  passOn,
  readShare,
  readTerms,
  sayGrant,
  sayReturn,
  type TermFlags,
  termsObject,
  trustedPerson,
} from '../people/index.ts'
import { typed } from '../typed.ts'
import { verb } from '../verb.ts'

export const grant = verb({
  command: 'grant <person> <device> <what..>',
  says: 'Gives somebody what they may do: on the hub, and on the device, which judges again by itself',
  examples: [
    ['grant sitter front-door unlock', 'whenever; until it is taken back'],
    [
      'grant sitter front-door unlock locked --hours "Mon-Fri 08:00-18:00" --until 2027-01-31',
      'and see whether it is locked',
    ],
    ['grant courier front-door unlock --from 14:00 --until 16:00 --uses 1', 'once, in these two hours'],
    ['grant anna everything all --may-share', 'all of it, and may pass some of it on'],
    ['grant nanny front-door unlock --as anna.key', 'what she holds: never more, and gone when hers is'],
    ['grant anna lamps on level:read', 'a group; level can be seen and not set'],
  ],
  options: (cli) =>
    grantOptions(cli.positional('person', { type: 'string', demandOption: true, describe: 'name or id' })),
  async run(tools, args) {
    const desk = await openDesk(tools, 'granting', 'sharer')
    const { house } = desk
    const to = trustedPerson(house, args.person)
    const asked = { target: args.device, what: args.what }
    const { target: _target, ...read } = readTerms(house, tools.clock.now(), asked, args as TermFlags)
    const { terms, parent } = passOn(desk, { ...read, ...readShare(args) }, args as TermFlags)
    const deal = newDeal(tools.random, to.name, terms, parent)
    const became = await dealOrPromise(desk, to, deal)
    const id = toBase64url(deal.id)
    tools.voice.tell(
      {
        ok: true,
        grant: { id, ...termsObject(house, terms), ...(parent && { parent: toBase64url(parent) }) },
        person: { id: to.id, name: to.name },
        promised: became === 'promised',
      },
      () =>
        became === 'granted'
          ? `${to.name} may: ${sayGrant(house, terms)}\n  ${sayReturn(id, parent)}`
          : [
              `${to.name} may, once there is a phone: ${sayGrant(house, terms)}`,
              `  grant ${id}, kept here until then. Next: shallot phone add "<phone>" --person=${typed(to.name)}`,
            ].join('\n'),
    )
  },
})
