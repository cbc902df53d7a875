// SPDX-License-Identifier: GPL-3.0-or-later
import { toBase64url } from '../../base/bytes.ts'
import {
  type Desk,
  type KnownGrant,
  type KnownPerson,
  openDesk,
  ownerOf,
  personNamed,
  promisesTo,
  sealerNamed,
  standingOf,
  termsObject,
} from '../people/index.ts'
import { verb } from '../verb.ts'
import { table } from '../voice.ts'

interface Row {
  readonly id: string
  readonly person: { readonly id: string | null; readonly name: string }
  readonly standing: string
  readonly by: string
  readonly code: boolean
  readonly used?: number
  readonly parent?: string
  readonly says: string
}

export const grants = verb({
  command: 'grants [person]',
  says: 'Who may do what: what holds, what is promised; with --all also what has ended or was taken back',
  examples: [
    ['grants', ''],
    ['grants sitter --json', 'for a script'],
  ],
  options: (cli) =>
    cli
      .positional('person', { type: 'string', describe: 'name or id; without, everybody' })
      .option('all', { type: 'boolean', default: false, describe: 'also what holds no more' }),
  async run(tools, args) {
    const desk = await openDesk(tools, 'seeing who may do what', 'anybody')
    const only = args.person === undefined ? undefined : personNamed(desk.house, args.person)
    const rows = [...recorded(desk, only), ...(await promised(desk, only))].filter(
      ({ standing }) => args.all || (standing !== 'revoked' && standing !== 'ended'),
    )
    tools.voice.tell({ ok: true, grants: rows }, () =>
      rows.length === 0 ? NOTHING : table([HEADS, ...rows.map(lineOf)]),
    )
  },
})

const NOTHING = 'Nothing is granted to anybody. Grant with: shallot grant <person> <device> <what…>'
const HEADS = ['person', 'may', 'is', 'used', 'by', 'grant']

/** Each grant once, however many keys have a copy of it. */
function recorded({ house, owner }: Desk, only: KnownPerson | undefined): Row[] {
  const seen = new Set<string>()
  const rows: Row[] = []
  for (const grant of house.grants) {
    const whose = ownerOf(house, grant)
    if (seen.has(grant.id) || (only && whose?.id !== only.id)) continue
    seen.add(grant.id)
    rows.push({
      ...rowOf(grant),
      person: { id: whose?.id ?? null, name: whose?.name ?? grant.message.body.name },
      standing: standingOf(grant, owner.now()),
      by: sealerNamed(grant.by, house, owner),
      ...termsObject(house, grant.message.body),
    } as Row)
  }
  return rows
}

function rowOf({ id, used, message }: KnownGrant) {
  const { pin, parent } = message.body
  return {
    id,
    code: pin !== undefined,
    ...(used !== undefined && { used }),
    ...(parent && { parent: toBase64url(parent) }),
  }
}

async function promised({ house, directory, owner }: Desk, only: KnownPerson | undefined): Promise<Row[]> {
  const rows: Row[] = []
  for (const { id, name, person } of only ? [only] : house.people) {
    for (const deal of await promisesTo(directory, person)) {
      rows.push({
        id: toBase64url(deal.id),
        person: { id, name },
        standing: 'promised',
        by: owner.name,
        code: false,
        ...termsObject(house, deal.terms),
      })
    }
  }
  return rows
}

function lineOf({ person, says, standing, used, by, code, id }: Row): string[] {
  return [
    person.name,
    code ? `by code: ${says}` : says,
    standing,
    used === undefined ? '' : String(used),
    by,
    id,
  ]
}
