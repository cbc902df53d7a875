// SPDX-License-Identifier: GPL-3.0-or-later
import { LABEL_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { isCode } from '../../base/error.ts'
import { Secret } from '../../base/secret.ts'
import { onionKey, writeHomeCode } from '../../core/identity/index.ts'
import { CliError } from '../error.ts'
import { type Fields, fieldsOf, listOf, optionalBytesIn, optionalTextIn, textIn } from '../fields.ts'
import { findableOrigin } from '../place.ts'
import { picture } from '../qr.ts'
import type { Tools } from '../tools.ts'
import { typed } from '../typed.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { deviceNames, SERVICE_HEADS, serviceLines } from './status.ts'

const NAME = {
  type: 'string',
  demandOption: true,
  describe: 'of the invitation: who or what it is for',
} as const

const invite = verb({
  command: 'invite <name>',
  says: 'Makes an onion address for one person, phone or script, and prints the invitation',
  examples: [
    ['onion invite anna-phone', 'address, client key and code, as text and picture'],
    ['onion invite old-phone --no-auth', 'for software that cannot hold a client key'],
  ],
  options: (cli) =>
    cli
      .positional('name', NAME)
      .option('auth', {
        type: 'boolean',
        default: true,
        describe: 'ask for a client key; --no-auth for software that cannot',
      })
      .option('lan', {
        type: 'boolean',
        default: true,
        describe: 'carry the address on the LAN too; --no-lan for somebody who will always be elsewhere',
      }),
  async run(tools, { name, auth, lan }) {
    requireInvitationName(name)
    const api = await tools.api()
    const answer = await api.send('PUT', `/invitations/${encodeURIComponent(name)}`, { authorised: auth })
    await tellInvitation(tools, name, fieldsOf(answer, 'an invitation'), lan)
  },
})

/** Prints what the invited side needs. */
export async function tellInvitation(
  tools: Tools,
  name: string,
  answer: Fields,
  withLan = true,
): Promise<void> {
  const address = textIn(answer, 'address')
  const key = optionalTextIn(answer, 'clientKey')
  const code = (await homeCodeOf(tools, answer, withLan)).reveal()
  tools.voice.tell({ ok: true, name, address, ...(key && { clientKey: key }), code }, () => {
    const rows = [['address', address], ...(key ? [['client key', key]] : [])]
    const image = tools.voice.isTerminal ? `\n${picture(code, tools.voice.columns)}` : ''
    return `${table(rows)}\n\nWhoever has this code can find the home; what they may do there is another matter:\n\n${code}\n${image}`
  })
}

/** The code for an invitation that the home has made; it carries our root, whatever the hub says. */
export async function homeCodeOf(tools: Tools, answer: Fields, withLan: boolean): Promise<Secret<string>> {
  const [api, person] = [await tools.api(), await tools.person()]
  const clientKey = optionalBytesIn(answer, 'clientKey')
  const report = fieldsOf(await api.get('/status'), 'a status')
  const lan = withLan ? findableOrigin(optionalTextIn(report, 'lan')) : undefined
  const webCa = optionalBytesIn(report, 'webCa')
  return writeHomeCode({
    root: person.root,
    onion: keyOfAddress(textIn(answer, 'address')),
    lan: lan !== undefined && webCa ? [lan] : [],
    ...(clientKey && { clientKey: new Secret(clientKey) }),
    ...(lan !== undefined && webCa && { webCa }),
  })
}

/** @throws CliError bad-answer */
export function keyOfAddress(address: string): Uint8Array {
  const key = onionKey(address)
  if (key) return key
  throw new CliError('bad-answer', 'the home answered with something that is no onion address')
}

const withdraw = verb({
  command: 'withdraw <name>',
  says: 'Withdraws one invitation: its address goes, its connections are cut, nobody else notices',
  examples: [['onion withdraw anna-phone', '']],
  options: (cli) => cli.positional('name', NAME),
  async run(tools, { name }) {
    requireInvitationName(name)
    const api = await tools.api()
    await api.send('DELETE', `/invitations/${encodeURIComponent(name)}`).catch((error) => {
      if (!isCode(error, 'not-found')) throw error
      throw nobodyInvited(name)
    })
    tools.voice.tell({ ok: true, name }, () => `The invitation ${name} is withdrawn.`)
  },
})

const renew = verb({
  command: 'renew <name>',
  says: 'Gives an invitation another address; who holds it learns that over the old one, and is not invited again',
  examples: [['onion renew anna-phone', 'when its address may have become known to others']],
  options: (cli) => cli.positional('name', NAME),
  async run(tools, { name }) {
    requireInvitationName(name)
    const api = await tools.api()
    const before = servicesIn(await api.get('/invitations')).find((each) => each.name === name)
    if (!before) throw nobodyInvited(name)
    const answer = await api
      .send('POST', `/invitations/${encodeURIComponent(name)}/renewal`)
      .catch((error) => {
        if (!isCode(error, 'conflict')) throw error
        throw new CliError(
          'conflict',
          `${name} is moving already: its holder has not come by the new address yet`,
          {
            next: `to cut the old address off at once: shallot onion withdraw ${typed(name)}`,
          },
        )
      })
    const fields = fieldsOf(answer, 'an invitation')
    const [was, address] = [textIn(before, 'address'), textIn(fields, 'address')]
    tools.voice.tell({ ok: true, name, was, address }, () =>
      [
        `${name} moves to ${address}`,
        'The old address leads there until its holder has come by the new one, and then it is gone.',
      ].join('\n'),
    )
  },
})

function nobodyInvited(name: string): CliError {
  return new CliError('not-found', `nobody was invited as ${name}`, { next: 'see `shallot onion list`' })
}

const list = verb({
  command: 'list',
  says: 'Who was invited, which device has an address of its own, whose guests of other homes have one here, and whether each can be reached',
  examples: [['onion list', '']],
  async run(tools) {
    const api = await tools.api()
    const invitations = servicesIn(await api.get('/invitations'))
    const exposures = servicesIn(await api.get('/exposures'))
    const services = fieldsOf(await api.get('/status'), 'a status').services ?? []
    const guests = servicesIn(services).filter(({ service }) => `${service}`.startsWith('guest:'))
    const all = [...invitations, ...exposures, ...guests]
    const names = await deviceNames(api, exposures)
    tools.voice.tell({ ok: true, invitations, exposures, ...(guests.length > 0 && { guests }) }, () =>
      all.length === 0
        ? 'Nobody was invited. Invite somebody with: shallot onion invite <name>'
        : table([SERVICE_HEADS, ...all.flatMap((each) => serviceLines(each, names))]),
    )
  },
})

export function servicesIn(answer: unknown): readonly Fields[] {
  return listOf(answer, 'a list of onion services').map((each) => fieldsOf(each, 'an onion service'))
}

/** @throws CliError usage, by the rule of core/services */
function requireInvitationName(name: string): void {
  if (name.length <= LABEL_BYTES_MAX && /^[A-Za-z0-9](?:[A-Za-z0-9._ -]*[A-Za-z0-9._-])?$/.test(name)) return
  throw new CliError(
    'usage',
    `the name of an invitation is 1 to ${LABEL_BYTES_MAX} letters, digits, dots, dashes, underscores or spaces`,
  )
}

export const onion = group('onion', 'Onion addresses: one for each invitation', [
  invite,
  renew,
  withdraw,
  list,
])
