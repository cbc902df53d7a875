// SPDX-License-Identifier: GPL-3.0-or-later
import { toBase64url } from '../../base/bytes.ts'
import type { Secret } from '../../base/secret.ts'
import { affordanceNamed } from '../../core/model/index.ts'
import { CliError } from '../error.ts'
import { meantBy } from '../meant.ts'
import {
  type Desk,
  drawPin,
  isPin,
  type KnownGrant,
  keepsGoing,
  newDeal,
  openDesk,
  ownerOf,
  PIN_ROUNDS,
  parseRounds,
  personNamed,
  readPin,
  readTerms,
  requireEnd,
  revokeAt,
  sayGrant,
  sayTold,
  sealGrant,
  stretchPin,
  type TermFlags,
  targetNamed,
  termOptions,
  termsObject,
  trustedPerson,
} from '../people/index.ts'
import { ask, keyboardOf, readAll } from '../prompt.ts'
import type { Tools } from '../tools.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'

const PERSON = { type: 'string', demandOption: true, describe: 'name or id' } as const
const LOCK = { type: 'string', demandOption: true, describe: 'name or id of a lock with a keypad' } as const

const set = verb({
  command: 'set <person> <lock>',
  says: 'Gives somebody a code for a keypad; it works with hub, network and internet gone',
  examples: [
    ['pin set sitter front-door', 'asks for the code, without showing it'],
    ['pin set sitter front-door --pin generated', 'draws six digits and shows them once'],
    ['pin set sitter front-door < code.txt', 'the code from standard input'],
    ['pin set courier front-door --pin generated --until 18:00 --uses 1', 'a code for one delivery'],
  ],
  options: (cli) =>
    termOptions(cli.positional('person', PERSON).positional('lock', LOCK))
      .option('lease', {
        type: 'string',
        default: 'none',
        describe: 'ends by itself where the hub was not heard for so long; none: never',
      })
      .option('pin', {
        type: 'string',
        default: 'prompt',
        describe: 'prompt, generated, or the digits (which other accounts of this machine could then see)',
      })
      .option('rounds', {
        type: 'string',
        default: String(PIN_ROUNDS),
        describe: 'how often the code is stretched: more is slower for a thief, and for the lock',
      }),
  async run(tools, args) {
    const rounds = parseRounds(args.rounds)
    const desk = await openDesk(tools, 'giving out codes')
    const { house, api, owner } = desk
    const to = trustedPerson(house, args.person)
    requireKeypad(desk, args.lock)
    const asked = { target: `device:${args.lock}`, what: ['unlock'] }
    const { target, ...terms } = readTerms(house, tools.clock.now(), asked, args as TermFlags)
    requireEnd(terms)
    const digits = await digitsFor(tools, args.pin)
    const codes = codesFor(desk, args.lock)
    requireNew(codes, digits, to.name)
    const deal = newDeal(tools.random, to.name, terms)
    const pin = stretchPin(tools.random, digits, rounds)
    await api.sendSealed('POST', '/grants', await sealGrant(owner, deal, { pin }))
    const before = codes.filter((grant) => ownerOf(house, grant)?.id === to.id)
    if (before.length > 0)
      await revokeAt(
        desk,
        before.map(({ message }) => message.body.id),
      )
    const id = toBase64url(deal.id)
    const shown = args.pin === 'generated' ? { pin: digits.reveal() } : {}
    tools.voice.tell(
      {
        ok: true,
        grant: { id, ...termsObject(house, terms) },
        person: { id: to.id, name: to.name },
        rounds,
        replaced: before.length,
        ...shown,
      },
      () =>
        [
          ...(shown.pin === undefined
            ? []
            : [`The code is ${shown.pin}. It is shown this once and kept nowhere.`]),
          `${to.name} may, by code: ${sayGrant(house, terms)}`,
          `  grant ${id}, ${rounds} rounds of PBKDF2 on ${target.words}${before.length > 0 ? '; the code before it is void' : ''}`,
        ].join('\n'),
    )
  },
})

/** @throws CliError not-found | no-such-affordance */
function requireKeypad({ house }: Desk, lock: string): void {
  const { affordances, words } = targetNamed(house, `device:${lock}`)
  if (affordanceNamed(affordances, 'unlock')) return
  throw new CliError('no-such-affordance', `${words} has nothing to unlock`, {
    next: 'see `shallot device list`',
  })
}

const PROMPT_TRIES_MAX = 3

async function digitsFor(tools: Tools, how: string): Promise<Secret<string>> {
  if (how === 'generated') return drawPin(tools.random)
  if (how !== 'prompt') return readPin(how)
  const keyboard = keyboardOf()
  if (!keyboard) return readPin(await readAll(process.stdin))
  for (let tries = 0; tries < PROMPT_TRIES_MAX; tries++) {
    const first = readPin(await ask(keyboard, 'The code (not shown): ', { hidden: true }, tools.signal))
    const second = await ask(keyboard, 'Once more: ', { hidden: true }, tools.signal)
    if (second.trim() === first.reveal()) return first
    tools.voice.note('These were two different codes. Try again.')
  }
  throw new CliError('not-confirmed', 'the code was not typed twice the same, so nothing was changed')
}

/** Codes of owners' that hold for this lock, by itself or through a group. */
function codesFor({ house, owner }: Desk, lock: string): readonly KnownGrant[] {
  const thing = meantBy(house.things, lock)!
  return house.grants.filter(({ message, revoked }) => {
    const { pin, devices, expiresAt } = message.body
    const here = devices.some((each) =>
      typeof each === 'string' ? thing.groups.includes(each) : toBase64url(each) === thing.id,
    )
    return pin && !revoked && here && (expiresAt === undefined || expiresAt > owner.now())
  })
}

/** @throws CliError conflict: two people with one code could not be told apart */
function requireNew(codes: readonly KnownGrant[], digits: Secret<string>, name: string): void {
  const same = codes.find(({ message }) => isPin(digits, message.body.pin!))
  if (!same) return
  throw new CliError(
    'conflict',
    same.message.body.name === name
      ? `${name} has this code already`
      : 'somebody else has this code for this lock',
    { next: 'choose another, or say --pin generated' },
  )
}

const remove = verb({
  command: 'remove <person> <lock>',
  says: 'Takes the code of somebody back',
  examples: [['pin remove sitter front-door --yes', '']],
  options: (cli) =>
    cli
      .positional('person', PERSON)
      .positional('lock', LOCK)
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' }),
  async run(tools, args) {
    const desk = await openDesk(tools, 'taking codes back')
    const person = personNamed(desk.house, args.person)
    requireKeypad(desk, args.lock)
    const codes = codesFor(desk, args.lock).filter((grant) => ownerOf(desk.house, grant)?.id === person.id)
    if (codes.length === 0) {
      throw new CliError('not-found', `${person.name} has no code for ${args.lock}`, {
        next: 'see `shallot pin list`',
      })
    }
    await keepsGoing(tools, args.yes, `Take the code of ${person.name} for ${args.lock} back?`)
    const revoked = await revokeAt(
      desk,
      codes.map(({ message }) => message.body.id),
    )
    tools.voice.tell(
      { ok: true, revoked: codes.length, told: revoked.told },
      () => `The code of ${person.name} for ${args.lock} is void: ${sayTold(revoked)}.`,
    )
  },
})

const list = verb({
  command: 'list',
  says: 'Who has a code for which lock; the codes themselves are known nowhere',
  examples: [['pin list', '']],
  async run(tools) {
    const { house, owner } = await openDesk(tools, 'seeing who has a code')
    const pins = house.grants
      .filter(({ message, revoked }) => message.body.pin && !revoked)
      .filter(({ message }) => (message.body.expiresAt ?? Number.POSITIVE_INFINITY) > owner.now())
      .map((grant) => {
        const { body } = grant.message
        const whose = ownerOf(house, grant)
        return {
          id: grant.id,
          person: { id: whose?.id ?? null, name: whose?.name ?? body.name },
          rounds: body.pin!.rounds,
          ...termsObject(house, body),
        }
      })
    tools.voice.tell({ ok: true, pins }, () =>
      pins.length === 0
        ? 'Nobody has a code. Give one with: shallot pin set <person> <lock>'
        : table([
            ['person', 'may, by code', 'grant'],
            ...pins.map(({ person, says, id }) => [person.name, says, id]),
          ]),
    )
  },
})

export const pin = group('pin', 'Codes for keypads', [set, remove, list])
