// SPDX-License-Identifier: GPL-3.0-or-later
import { type Code, codeByNumber, MEANINGS } from '../../../schemas/gen/ts/codes.ts'
import { affordanceOf } from '../../core/model/index.ts'
import { CliError } from '../error.ts'
import { type Fields, fieldsOf, listOf, optionalTextIn, textIn } from '../fields.ts'
import { meantBy } from '../meant.ts'
import { type Desk, type KnownThing, openDesk, parseMoment, personNamed } from '../people/index.ts'
import { verb } from '../verb.ts'
import { phonesNamed } from './revoke.ts'

export const why = verb({
  command: 'why <person> <device> <action>',
  says: 'Whether somebody may do something now, by which grant; or why not, grant by grant',
  examples: [
    ['why sitter front-door unlock', ''],
    ['why sitter front-door unlock --at "2026-12-24 22:00"', 'and then?'],
    ['why "sitter\'s phone" porch-light level:read', 'one phone; reading alone'],
  ],
  options: (cli) =>
    cli
      .positional('person', {
        type: 'string',
        demandOption: true,
        describe: 'a person or a phone, by name or id',
      })
      .positional('device', { type: 'string', demandOption: true, describe: 'name or id' })
      .positional('action', {
        type: 'string',
        demandOption: true,
        describe: 'an action, or a property: to set it, or with :read to see it',
      })
      .option('at', { type: 'string', describe: 'at another time than now' }),
  async run(tools, args) {
    const desk = await openDesk(tools, 'asking about others', 'anybody')
    const { house, api } = desk
    const [holder, name] = whom(desk, args.person)
    const thing = meantBy(house.things, args.device)
    if (!thing) {
      throw new CliError('not-found', `there is no device called ${args.device.slice(0, 64)}`, {
        next: 'see `shallot device list`',
      })
    }
    const asked = operationOf(thing, args.action)
    const query = new URLSearchParams({
      holder: holder ?? '',
      device: thing.id,
      affordance: asked.affordance,
      operation: asked.operation,
    })
    if (args.at !== undefined) {
      query.set('at', String(parseMoment(args.at, '--from', tools.clock.now(), house.zone) * 1000))
    }
    const answer = holder === undefined ? NO_KEY : fieldsOf(await api.get(`/why?${query}`), 'an answer')
    const said = { person: name, device: { id: thing.id, name: thing.name }, ...asked, ...answer }
    tools.voice.tell({ ok: true, ...said }, () =>
      sayAnswer(answer, `${name} may ${sayAsked(asked)} ${thing.name}`),
    )
  },
})

/** Of somebody who was granted things before there was a phone, the home knows a name alone. */
const NO_KEY: Fields = {
  allowed: false,
  detail: 'there is no phone or key yet to ask with: see `shallot phone add`',
}

/** What to ask the home for, if there is a key, and what to call it. */
function whom({ house }: Desk, named: string): readonly [string | undefined, string] {
  const phone = phonesNamed(house.people, named)[0]
  const isPerson = house.people.some(({ name, id }) => name === named || id === named)
  if (phone && !isPerson) return [phone.holder.id, `${phone.holder.name} (${phone.person.name})`]
  const person = personNamed(house, named)
  return [person.holders.length > 0 ? person.id : undefined, person.name]
}

interface Asked {
  readonly affordance: string
  readonly operation: 'read' | 'write' | 'invoke'
}

function operationOf(thing: KnownThing, text: string): Asked {
  const [name, how] = text.split(':') as [string, string?]
  const affordance = thing.affordances.map(affordanceOf).find((each) => each?.name === name)
  if (!affordance) {
    const can = thing.affordances.map((number) => affordanceOf(number)?.name ?? `#${number}`)
    throw new CliError('no-such-affordance', `${thing.name} cannot ${name.slice(0, 40)}`, {
      next: `it can: ${can.join(' ')}`,
    })
  }
  if (affordance.capability.kind === 'action') return { affordance: name, operation: 'invoke' }
  const operation = how ?? (affordance.capability.writable ? 'write' : 'read')
  if (operation === 'read' || operation === 'write') return { affordance: name, operation }
  throw new CliError('usage', `${text.slice(0, 40)} is not understood`, {
    next: `say ${name}, or ${name}:read`,
  })
}

function sayAsked({ affordance, operation }: Asked): string {
  return { invoke: `${affordance} on`, write: `set ${affordance} of`, read: `see ${affordance} of` }[
    operation
  ]
}

function sayAnswer(answer: Fields, what: string): string {
  const tried = listOf(answer.tried ?? [], 'a list').map((each) => fieldsOf(each, 'a grant that was tried'))
  if (answer.allowed === true) {
    const by = optionalTextIn(answer, 'grant')
    return `Yes: ${what}${by ? `, by grant ${by}` : ''}.`
  }
  const reasons = tried.map((each) => `  ${textIn(each, 'grant')}  ${reasonOf(each)}`)
  return [`No: ${what.replace(' may ', ' may not ')}. ${reasonOf(answer)}`, ...reasons].join('\n')
}

function reasonOf(fields: Fields): string {
  const code = typeof fields.code === 'number' ? codeByNumber(fields.code) : optionalTextIn(fields, 'code')
  const meaning = code !== undefined && Object.hasOwn(MEANINGS, code) ? MEANINGS[code as Code] : code
  return optionalTextIn(fields, 'detail') ?? meaning ?? 'it holds'
}
