// SPDX-License-Identifier: GPL-3.0-or-later

import { toBase64url } from '../../base/bytes.ts'
import type { Enrolment } from '../../core/envelope/index.ts'
import { idOf, keyOf, type PartyId, parseId } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { type Fields, fieldsOf, listOf, optionalBytesIn, optionalTextIn, textIn } from '../fields.ts'
import { openBy } from '../people/index.ts'
import type { Person } from '../person.ts'
import { recordAnew } from '../record.ts'
import { idIn } from '../things.ts'
import type { Tools } from '../tools.ts'
import { verb } from '../verb.ts'
import { requireName } from './device-name.ts'

/** A device of the home, wherever it is (SPEC 14.7). */
interface Adoptable {
  readonly id: PartyId
  readonly name: string
  /** The daemon that has it, and what that one is called; absent: this one. */
  readonly hub: PartyId | undefined
  readonly home: string | undefined
  readonly record: Uint8Array | undefined
}

export const adopt = verb({
  command: 'adopt <device>',
  says: 'Gives a device to the daemon here, under an owner’s seal: it hears no other from then on',
  examples: [
    ['device adopt porch-light', 'its daemon died: this one is at the same place, and takes it over'],
    ['device adopt porch-light --name hall-light', 'a device here is called porch-light already'],
    ['device adopt cabin/porch-light', 'of two of that name the one that the daemon called cabin has'],
  ],
  options: (cli) =>
    cli
      .positional('device', { type: 'string', demandOption: true, describe: 'name or id' })
      .option('name', { type: 'string', describe: 'what it is called from now on' }),
  async run(tools, args) {
    if (args.name !== undefined) requireName(args.name)
    const [api, person] = [await tools.api(), await tools.person()]
    const { own, devices } = await readAdoptable(api)
    const device = deviceNamed(devices, args.device, own)
    const record = recordOf(device, person)
    const name = args.name ?? record.name
    if (record.hub && idOf(record.hub) === own && name === record.name)
      return tellDone(tools, device, name, device.home)
    const frame = await person.seal(person.home, recordAnew(record, { name, hub: keyOf(own) }))
    await api.sendSealed('PUT', `/mesh/devices/${device.id}`, frame)
    tellDone(tools, device, name, device.home)
  },
})

function tellDone(tools: Tools, { id, hub }: Adoptable, name: string, was: string | undefined): void {
  const from = hub === undefined || was === undefined ? {} : { was }
  tools.voice.tell({ ok: true, device: { id, name }, ...from }, () =>
    [
      `This daemon has charge of ${name}; the device hears no other.`,
      'It comes by itself when it looks for its hub on this LAN. A daemon that had it lets go of it when it hears so.',
    ].join('\n'),
  )
}

async function readAdoptable(api: Api): Promise<{ own: PartyId; devices: readonly Adoptable[] }> {
  const answer = fieldsOf(await api.get('/mesh/devices'), 'the devices of the home')
  const own = partyIn(answer, 'own')
  if (!own) throw new CliError('bad-answer', 'the home named its hub by something that is no id')
  const devices = listOf(answer.devices, 'a list of devices').map((each): Adoptable => {
    const fields = fieldsOf(each, 'a device')
    return {
      id: idIn(fields),
      name: textIn(fields, 'name'),
      hub: partyIn(fields, 'hub'),
      home: optionalTextIn(fields, 'home'),
      record: optionalBytesIn(fields, 'record'),
    }
  })
  return { own, devices }
}

function partyIn(fields: Fields, name: string): PartyId | undefined {
  const text = optionalTextIn(fields, name)
  return text === undefined ? undefined : parseId(text)
}

/** By id, by `<home>/<name>`, or by name, where the one that is elsewhere is meant if there are two. */
function deviceNamed(devices: readonly Adoptable[], named: string, own: PartyId): Adoptable {
  const byId = devices.find(({ id }) => id === named)
  if (byId) return byId
  const at = named.indexOf('/')
  const [home, name] = at < 0 ? [undefined, named] : [named.slice(0, at), named.slice(at + 1)]
  const called = devices.filter((each) => each.name === name && (home === undefined || each.home === home))
  const elsewhere = called.filter(({ hub }) => hub !== undefined && hub !== own)
  const found = elsewhere.length > 0 ? elsewhere : called
  if (found.length === 1) return found[0]!
  if (found.length === 0)
    throw new CliError(
      'not-found',
      `no device of your homes is called ${JSON.stringify(named.slice(0, 64))}`,
      {
        next: 'see `shallot device list`',
      },
    )
  const ids = found.map(({ id, home }) => `${id} (${home ?? 'here'})`).join(', ')
  throw new CliError('conflict', `${found.length} devices are called ${name}: ${ids}`, {
    next: 'name it by its id, or as <home>/<name>',
  })
}

/** What the next record is made from: only what an owner sealed for exactly this device. */
function recordOf(device: Adoptable, person: Person): Enrolment {
  if (!device.record)
    throw new CliError(
      'unconfirmed',
      `no owner has confirmed ${device.name} yet, so there is nothing to take over`,
    )
  const { body, signer } = openBy('enrolment', device.record, person)
  if (idOf(body.key) === device.id && person.trust.isOwner(signer)) return body
  throw new CliError(
    'unknown-signer',
    `the home's record of ${device.name} is not this device's (${toBase64url(signer)})`,
    {
      next: 'do not act through this hub before you know why: it may be broken into',
    },
  )
}
