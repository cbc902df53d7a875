// SPDX-License-Identifier: GPL-3.0-or-later
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { toBase64url, utf8 } from '../../base/bytes.ts'
import { isCode } from '../../base/error.ts'
import { Secret } from '../../base/secret.ts'
import { writeIdentity } from '../../config/identity.ts'
import { createPrivateFile } from '../../config/vault.ts'
import { type Holder, nativeEd25519 } from '../../core/envelope/index.ts'
import { idOf, keyOf } from '../../core/model/index.ts'
import { CliError } from '../error.ts'
import { fieldsOf, textIn } from '../fields.ts'
import {
  bearersIn,
  type Desk,
  dealTo,
  grantOptions,
  newDeal,
  openDesk,
  passOn,
  readShare,
  readTerms,
  sayGrant,
  sealGrant,
  type TermFlags,
  termsObject,
} from '../people/index.ts'
import { sha256 } from '../person.ts'
import { typed } from '../typed.ts'
import { verb } from '../verb.ts'
import { homeCodeOf } from './onion.ts'
import { addPerson } from './person.ts'

export const NAME = {
  type: 'string',
  demandOption: true,
  describe: 'what the script is called, here and in the log',
} as const

/** `shallot token add` */
export const add = verb({
  command: 'add <name> <device> <what..>',
  says: 'Gives a script a key of its own, with a narrow grant, in a private file; or a bearer token for curl',
  examples: [
    ['token add heating balcony temperature --out heating.key', 'then: shallot get balcony --as heating.key'],
    ['token add blinds porch-light on level --until 1w', 'into blinds.key'],
    ['token add far porch-light on --away', 'the file also holds an onion address of its own'],
    ['token add laptop everything all --may-share', 'somebody who passes it on with --as laptop.key'],
    ['token add dashboard everything all:read --bearer', 'for curl: the token is shown once'],
  ],
  options: (cli) =>
    grantOptions(cli.positional('name', NAME))
      .option('out', { type: 'string', describe: 'the new file; without, <name>.key here' })
      .option('away', {
        type: 'boolean',
        default: false,
        describe: 'make an onion address for it, so that it works from elsewhere too',
      })
      .option('lan', {
        type: 'boolean',
        default: true,
        describe:
          'with --away, carry the address on the LAN too; --no-lan for a script that will always be elsewhere',
      })
      .option('bearer', {
        type: 'boolean',
        default: false,
        describe: 'instead of a key: a token, shown once, by which the hub acts with this grant alone',
      }),
  async run(tools, args) {
    const name = requireTokenName(args.name)
    if (args.bearer && (args['may-share'] || args['may-share-on'])) {
      throw new CliError('usage', 'whoever has a bearer token cannot seal, and so pass nothing on')
    }
    if (args.bearer && (args.out !== undefined || args.away)) {
      throw new CliError(
        'usage',
        'a bearer token is shown, not written: --bearer goes without --out and --away',
      )
    }
    const file = resolve(tools.workingDirectory, args.out ?? `${name}.key`)
    if (!args.bearer && existsSync(file)) {
      throw new CliError('conflict', `${file} is there already, so nothing was made`, {
        next: 'name another with --out',
      })
    }
    const desk = await openDesk(tools, 'giving a script a key', 'sharer')
    await requireFree(desk, name)
    const asked = { target: args.device, what: args.what }
    const { target: _target, ...read } = readTerms(desk.house, tools.clock.now(), asked, args as TermFlags)
    const { terms, parent } = passOn(desk, { ...read, ...readShare(args) }, args as TermFlags)
    const deal = newDeal(tools.random, name, terms, parent)
    const made = args.bearer
      ? await makeBearer(desk, deal)
      : await makeKey(desk, deal, { file, away: args.away, lan: args.lan })
    const grant = {
      id: toBase64url(deal.id),
      ...termsObject(desk.house, terms),
      ...(parent && { parent: toBase64url(parent) }),
    }
    tools.voice.tell({ ok: true, name, grant, ...made }, () =>
      [
        ...(made.token === undefined
          ? [
              `${name} has a key of its own, in ${file}. Use it: --as ${typed(file!)}, or SHALLOT_IDENTITY=${typed(file!)}`,
            ]
          : ['This token is shown this once and kept nowhere:', '', made.token, '', CURL]),
        `It may: ${sayGrant(desk.house, terms)}`,
        `  take it back with: shallot token remove ${name}`,
      ].join('\n'),
    )
  },
})

const CURL =
  'Use it: curl -H "Authorization: Bearer <token>", on the LAN with the web CA of this home, or through Tor.\n'

type Deal = ReturnType<typeof newDeal>
interface Made {
  readonly kind: 'key' | 'bearer'
  readonly file?: string
  readonly key?: string
  readonly token?: string
  readonly invitation?: string
  readonly address?: string
}

/** A key that only this file holds; the home knows it as a script's, of a person of the same name. */
async function makeKey(
  desk: Desk,
  deal: Deal,
  how: { readonly file: string; readonly away: boolean; readonly lan: boolean },
): Promise<Made> {
  const { tools, api, owner } = desk
  using step = tools.voice.working(`making ${deal.name} known`)
  const seed = new Secret(tools.random.bytes(32))
  const { key } = nativeEd25519().signer(seed.reveal())
  const reach = how.away ? await makeReach(desk, deal.name, how.lan) : undefined
  // First the file: a key that could not be kept must not be let in.
  writeKey(how.file, {
    home: owner.home,
    root: owner.root,
    owners: owner.trust.owners.map(({ frame }) => frame),
    name: deal.name,
    seed,
    ...(reach && { reach: reach.code }),
  })
  const { person } = await addPerson(desk, deal.name)
  const frame = await owner.seal<Holder>(owner.home, {
    type: 'holder',
    name: deal.name,
    key,
    person,
    kind: 'script',
  })
  await api.sendSealed('PUT', `/holders/${idOf(key)}`, frame)
  step.say(`handing ${deal.name} its grant`)
  await dealTo(api, owner, deal, [key])
  return {
    kind: 'key',
    file: how.file,
    key: idOf(key),
    ...(reach && { invitation: reach.invitation, address: reach.address }),
  }
}

async function makeReach({ tools, api }: Desk, name: string, withLan: boolean) {
  const invitation = invitationOf(name)
  const path = `/invitations/${encodeURIComponent(invitation)}`
  const answer = fieldsOf(await api.send('PUT', path, { authorised: true }), 'an invitation')
  return { invitation, address: textIn(answer, 'address'), code: await homeCodeOf(tools, answer, withLan) }
}

/** Its name leads from the script to its address, so that both go together. */
export function invitationOf(name: string): string {
  return `script-${name}`
}

function writeKey(file: string, identity: Parameters<typeof writeIdentity>[0]): void {
  try {
    createPrivateFile(file, writeIdentity(identity).reveal())
  } catch (cause) {
    const why = isCode(cause, 'EEXIST') ? 'is there already' : 'cannot be written'
    throw new CliError('conflict', `${file} ${why}, so nothing was made`, {
      cause,
      next: 'name another with --out',
    })
  }
}

/** The hub acts by this grant for whoever shows the token; it is told the token's digest alone. */
async function makeBearer({ tools, api, owner, house }: Desk, deal: Deal): Promise<Made> {
  const token = `shallot_${toBase64url(tools.random.bytes(32))}`
  const frame = await sealGrant(owner, deal, { key: keyOf(house.hub) })
  await api.send('PUT', `/tokens/${encodeURIComponent(deal.name)}`, {
    digest: toBase64url(sha256(utf8(token))),
    grants: [toBase64url(frame)],
  })
  return { kind: 'bearer', token }
}

/** @throws CliError name-taken */
async function requireFree({ house, api }: Desk, name: string): Promise<void> {
  const bearers = bearersIn(await api.get('/tokens'))
  if (!house.people.some((each) => each.name === name) && !bearers.some((each) => each.name === name)) return
  throw new CliError('name-taken', `somebody or something is called ${name} already`, {
    next: 'choose another name; see `shallot token list` and `shallot person list`',
  })
}

/** @throws CliError usage: it becomes the name of a file, and part of a path */
function requireTokenName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$/.test(name)) return name
  throw new CliError('usage', 'the name of a script is 1 to 24 letters, digits, dots, dashes or underscores')
}
