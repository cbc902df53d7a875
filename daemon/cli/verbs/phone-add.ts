// SPDX-License-Identifier: GPL-3.0-or-later
import { ENROL_SECRET_BYTES, PAIRING_LIFETIME_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import { toBase32, toBase64url } from '../../base/bytes.ts'
import { Secret } from '../../base/secret.ts'
import type { Holder, Pairing } from '../../core/envelope/index.ts'
import { pairKeys, writePhoneCode } from '../../core/identity/index.ts'
import { idOf } from '../../core/model/index.ts'
import { CliError } from '../error.ts'
import { fieldsOf, optionalBytesIn, optionalTextIn } from '../fields.ts'
import {
  awaitPhone,
  type Dealt,
  type Desk,
  dealAll,
  dropPairing,
  findPairing,
  inviteFor,
  keepPairing,
  openDesk,
  openPair,
  type PendingPhone,
  pairingId,
  readWay,
  sayGrant,
  saysYes,
  sealerNamed,
  termsObject,
  trustedPerson,
  withdrawInvitation,
} from '../people/index.ts'
import { sha256 } from '../person.ts'
import { findableOrigin } from '../place.ts'
import { keyboardOf } from '../prompt.ts'
import { picture } from '../qr.ts'
import { typedLast } from '../typed.ts'
import { verb } from '../verb.ts'
import { requireName } from './device-name.ts'
import { keyOfAddress } from './onion.ts'
import { phonesNamed } from './revoke.ts'

const NAME = { type: 'string', demandOption: true, describe: 'what the phone is called' } as const

/** `shallot phone add` */
export const add = verb({
  command: 'add <name>',
  says: 'Shows one code to scan, waits for the phone, and lets it in when both show the same digits',
  examples: [
    ['phone add "sitter\'s phone" --person sitter', 'one scan, one confirmation'],
    ['phone add tablet --person anna --no-wait --json', 'for scripts: only the code'],
    ['phone add tablet --confirm --yes-if 123456', 'and finish it, by the digits on the phone'],
    ['phone add "cousin\'s" --person cousin --as anna.key', 'by somebody who may pass on'],
  ],
  options: (cli) =>
    cli
      .positional('name', NAME)
      .option('person', { type: 'string', describe: 'whose phone it is: name or id' })
      .option('auth', {
        type: 'boolean',
        default: false,
        describe: 'also ask for a client key, for a browser that can: Tor Browser on a computer',
      })
      .option('lan', {
        type: 'boolean',
        default: true,
        describe: 'carry the address on the LAN too; --no-lan for somebody who will always be elsewhere',
      })
      .option('wait', { type: 'boolean', default: true, describe: 'wait for the phone; --no-wait to leave' })
      .option('confirm', { type: 'boolean', default: false, describe: 'finish what --no-wait began' })
      .option('yes-if', { type: 'string', describe: 'confirm without asking if the digits are these' }),
  async run(tools, args) {
    requireName(args.name)
    if (args['yes-if'] !== undefined && !/^\d{6}$/.test(args['yes-if'])) {
      throw new CliError('usage', '--yes-if takes the six digits that the phone shows')
    }
    const desk = await openDesk(tools, 'adding a phone', 'sharer')
    const pending = args.confirm
      ? await findPairing(desk.directory, args.name, tools.clock.now())
      : await begin(desk, { ...args, person: requirePerson(args) })
    if (args.wait || args.confirm) await finish(desk, pending, args['yes-if'])
  },
})

/** @throws CliError usage */
function requirePerson({
  name,
  person,
}: {
  readonly name: string
  readonly person: string | undefined
}): string {
  if (person !== undefined) return person
  throw new CliError('usage', 'say whose phone it is', {
    next: `shallot phone add --person <person> ${typedLast(name)}; see \`shallot person list\``,
  })
}

interface Wanted {
  readonly name: string
  readonly person: string
  readonly auth: boolean
  readonly lan: boolean
}

/** Draws the secret, hands the hub its half, and shows the code. */
async function begin(desk: Desk, wanted: Wanted): Promise<PendingPhone> {
  const { tools, api, owner, house, directory } = desk
  const person = trustedPerson(house, wanted.person)
  if (phonesNamed(house.people, wanted.name).length > 0) {
    throw new CliError('name-taken', `a phone is called ${wanted.name} already`, {
      next: 'choose another name, or take that one back: shallot phone revoke',
    })
  }
  const secret = new Secret(tools.random.bytes(ENROL_SECRET_BYTES))
  const keys = pairKeys(secret)
  const expiresAt = owner.now() + PAIRING_LIFETIME_S_MAX
  using step = tools.voice.working('making an address for this phone')
  const way = await inviteFor(desk, wanted)
  step.say('opening the door for this phone')
  const frame = await owner.seal<Pairing>(owner.home, {
    type: 'pairing',
    name: wanted.name,
    expiresAt,
    pairing: keys.pairing,
    person: person.person,
    kind: 'phone',
  })
  const halves = { pairing: toBase64url(frame), proof: toBase64url(keys.hubProofKey.reveal()) }
  const said = await api.send('POST', '/pairings', {
    ...halves,
    ...(way ? { invitation: way.invitation } : { address: true }),
  })
  const { address, clientKey, invitation } = way ?? readWay(said)
  const pending = { name: wanted.name, person: person.id, secret, invitation, expiresAt: expiresAt * 1000 }
  keepPairing(directory, pending)
  step.clear()
  await showCode(desk, pending, person.name, { address, clientKey, withLan: wanted.lan })
  return pending
}

interface Reach {
  readonly address: string
  readonly clientKey: Uint8Array | undefined
  readonly withLan: boolean
}

/** One picture, and the same as text: the page's address with the code behind `#`, which no browser sends. */
async function showCode(
  { tools, api, owner }: Desk,
  pending: PendingPhone,
  person: string,
  reach: Reach,
): Promise<void> {
  const { address, clientKey, withLan } = reach
  // How the hub is, and so where it is on the LAN, is told to owners.
  const report = owner.role === 'owner' ? fieldsOf(await api.get('/status'), 'a status') : {}
  const origin = withLan ? findableOrigin(optionalTextIn(report, 'lan')) : undefined
  const webCa = optionalBytesIn(report, 'webCa')
  const code = writePhoneCode({
    root: owner.root,
    onion: keyOfAddress(address),
    secret: pending.secret,
    lan: origin !== undefined && webCa ? [origin] : [],
    ...(clientKey && { clientKey: new Secret(clientKey) }),
    ...(origin !== undefined && webCa && { webCa: sha256(webCa) }),
  }).reveal()
  const url = `http://${address}/#${code}`
  tools.voice.tell(
    {
      ok: true,
      stage: 'code',
      name: pending.name,
      person,
      pairing: pairingId(pending),
      address,
      url,
      code,
      ...(clientKey && { clientKey: toBase64url(clientKey) }),
      expiresAt: pending.expiresAt / 1000,
    },
    () => {
      const image = tools.voice.isTerminal ? `\n${picture(url, tools.voice.columns)}` : ''
      return [
        `Scan this with ${person}'s phone, in Tor Browser. It is good for 15 minutes and for one phone:`,
        `\n${url}\n${image}`,
        ...(origin === undefined ? [] : [`At home, on the LAN, the same without Tor: ${origin}/#${code}\n`]),
        ...(clientKey ? [`Tor Browser will ask for this key: ${toBase32(clientKey).toUpperCase()}\n`] : []),
      ].join('\n')
    },
  )
}

/** Waits until the phone asked, checks what only the holder of the secret can check, and lets it in after one confirmation. */
async function finish(desk: Desk, pending: PendingPhone, yesIf: string | undefined): Promise<void> {
  const { tools, api, owner, directory } = desk
  const frame = await (async () => {
    using _step = tools.voice.working(`waiting for ${pending.name}`)
    return await awaitPhone(tools, api, pending)
  })()
  const { key, digits } = openPair(frame, pending, owner)
  if (!(await confirmed(desk, pending, digits, yesIf))) {
    await decline(desk, pending)
    throw new CliError('not-confirmed', `${pending.name} was not let in`, {
      next: 'if the digits differed, somebody else may have read the code: begin again, and show it to nobody',
    })
  }
  using step = tools.voice.working(`letting ${pending.name} in`)
  // Read anew: much may have been granted since the code was shown.
  const { house } = await openDesk(tools, 'adding a phone', 'sharer')
  const person = trustedPerson(house, pending.person)
  const frameOfHolder = await owner.seal<Holder>(owner.home, {
    type: 'holder',
    name: pending.name,
    key,
    person: person.person,
    kind: 'phone',
  })
  await api.sendSealed('PUT', `/holders/${idOf(key)}`, frameOfHolder)
  step.say(`handing ${pending.name} its grants`)
  const dealt = await dealAll({ api, owner, directory }, house, person, key)
  const { deals } = dealt
  await dropPairing(directory, pending)
  sayOthers(desk, dealt)
  tools.voice.tell(
    {
      ok: true,
      stage: 'confirmed',
      phone: { key: idOf(key), name: pending.name, invitation: pending.invitation },
      person: { id: person.id, name: person.name },
      grantsOfOthers: dealt.ofOtherOwners,
      passedOn: dealt.passedOn.map(({ id, by }) => ({ id, by })),
      grants: deals.map(({ id, terms }) => ({ id: toBase64url(id), ...termsObject(house, terms) })),
    },
    () =>
      deals.length === 0
        ? [
            `${pending.name} is in, and may do nothing yet.`,
            `Next: shallot grant ${typedLast(person.name)} <device> <what…>`,
          ].join('\n')
        : [
            `${pending.name} is in. It may now:`,
            ...deals.map(({ terms }) => `  ${sayGrant(house, terms)}`),
          ].join('\n'),
  )
}

/** What others gave to this person before, and what became of it for this phone. */
function sayOthers({ tools, house, owner }: Desk, { ofOtherOwners, passedOn }: Dealt): void {
  if (ofOtherOwners > 0) {
    tools.voice.note(
      `${ofOtherOwners} of these another owner granted: on this phone they stand under your seal, counted and taken back with theirs.`,
    )
  }
  for (const { id, by } of passedOn) {
    const from = sealerNamed(by, house, owner)
    tools.voice.note(`Not on this phone: grant ${id} of ${from}, who must give it to this phone too.`)
  }
}

/** @throws CliError usage when there is nobody to ask; the pairing stays open */
async function confirmed(
  { tools }: Desk,
  { name, person }: PendingPhone,
  digits: string,
  yesIf: string | undefined,
): Promise<boolean> {
  tools.voice.tell(
    { ok: true, stage: 'asked', name, person, digits },
    () => `\n${name} shows: ${spaced(digits)} ?`,
  )
  if (yesIf !== undefined) return yesIf === digits
  const keyboard = keyboardOf()
  if (keyboard) return saysYes(tools, keyboard, `Does the phone show ${spaced(digits)}?`)
  throw new CliError('usage', `${name} waits for a confirmation, and there is nobody to ask`, {
    next: `look at the phone, and say its digits: shallot phone add --confirm --yes-if <digits> ${typedLast(name)}`,
  })
}

function spaced(digits: string): string {
  return `${digits.slice(0, 3)} ${digits.slice(3)}`
}

async function decline({ api, directory }: Desk, pending: PendingPhone): Promise<void> {
  await api.send('DELETE', `/pairings/${pairingId(pending)}`)
  await withdrawInvitation(api, pending.invitation)
  await dropPairing(directory, pending)
}
