// SPDX-License-Identifier: GPL-3.0-or-later

import { equal, toBase64url } from '../../base/bytes.ts'
import { type Enrolment, openEnvelope } from '../../core/envelope/index.ts'
import { affordanceOf, keyOf } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { fieldsOf, listOf, optionalBytesIn, textIn } from '../fields.ts'
import { fullName } from '../meant.ts'
import { ask, keyboardOf } from '../prompt.ts'
import { recordAnew } from '../record.ts'
import { idIn, proveThing, thingLine, thingPath } from '../things.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { adopt } from './adopt.ts'
import { requireName } from './device-name.ts'

const DEVICE = { type: 'string', demandOption: true, describe: 'name or id' } as const

const list = verb({
  command: 'list',
  says: 'Every device of this home',
  examples: [['device list', '']],
  async run(tools) {
    const api = await tools.api()
    const things = listOf(await api.get('/things'), 'a list of devices').map(thingLine)
    tools.voice.tell({ ok: true, devices: things }, () =>
      things.length === 0
        ? 'No device yet. Enrol one with: shallot enrol <name>'
        : table([
            ['name', 'is', 'can', 'id'],
            ...things.map((thing) => [
              fullName(thing),
              `${thing.connected === false ? 'away' : 'connected'}${thing.confirmed === false ? ', unconfirmed' : ''}`,
              [...thing.properties, ...thing.actions].join(' '),
              thing.id,
            ]),
          ]),
    )
  },
})

const show = verb({
  command: 'show <device>',
  says: 'What a device says it is, and what proves it',
  examples: [['device show porch-light', '']],
  options: (cli) => cli.positional('device', DEVICE),
  async run(tools, { device }) {
    const api = await tools.api()
    const thing = await proveThing(api, await tools.person(), device)
    const { board, firmware, affordances, lost } = thing.hello.body
    const can = affordances.map((number) => affordanceOf(number)?.name ?? `#${number}`)
    const description = await api.get(thingPath(thing.id))
    const object = {
      ok: true,
      device: { id: thing.id, name: thing.name, confirmed: thing.confirmed },
      board,
      firmware,
      lost,
      affordances: can,
      nonce: toBase64url(thing.nonce),
      description,
    }
    tools.voice.tell(object, () =>
      table([
        ['name', thing.name],
        ['id', thing.id],
        [
          'confirmed',
          thing.confirmed ? 'yes, by an owner of this home' : 'not yet: only the hub vouches for it',
        ],
        ['board', board],
        ['firmware', firmware],
        ['can', can.join(' ')],
        ['lost samples', String(lost)],
      ]),
    )
  },
})

const rename = verb({
  command: 'rename <device> <name>',
  says: 'Gives a device another name, under an owner’s seal',
  examples: [['device rename porch-light front-door', '']],
  options: (cli) =>
    cli
      .positional('device', DEVICE)
      .positional('name', { type: 'string', demandOption: true, describe: 'the new name' }),
  async run(tools, { device, name }) {
    requireName(name)
    const api = await tools.api()
    const fields = fieldsOf(await api.get(`${thingPath(device)}/properties`), 'a device')
    const id = idIn(fields)
    await api.send('PATCH', thingPath(id), { name })
    const record = optionalBytesIn(fields, 'record')
    if (record) await sealNewName(api, tools, { id, name, record })
    tools.voice.tell(
      { ok: true, device: { id, name }, was: textIn(fields, 'name') },
      () => `It is called ${name} now.`,
    )
  },
})

/** The owner's record names the device too; without a new one the old name would be what is proved. */
async function sealNewName(
  api: Api,
  tools: Parameters<Parameters<typeof verb>[0]['run']>[0],
  thing: { readonly id: ReturnType<typeof idIn>; readonly name: string; readonly record: Uint8Array },
): Promise<void> {
  const person = await tools.person()
  const opened = openEnvelope(
    thing.record,
    {
      sizeMax: 1024,
      accepts: (body, signer) =>
        body.type === 'enrolment' && person.trust.isOwner(signer) && equal(body.key, keyOf(thing.id)),
      isAudience: (body) => body.audience === person.home,
    },
    person.ed25519,
  )
  if (!opened.ok) {
    throw new CliError(opened.why, "the home's record of this device is not sealed by an owner we know")
  }
  const record = opened.value.body as Enrolment
  const frame = await person.seal(person.home, recordAnew(record, { name: thing.name }))
  await api.sendSealed('PUT', `/enrolments/${toBase64url(record.permit)}/record`, frame)
}

const forget = verb({
  command: 'forget <device>',
  says: 'Forgets a device for ever: it is cut off and never let in again',
  examples: [['device forget old-lamp --yes', 'without asking']],
  options: (cli) =>
    cli
      .positional('device', DEVICE)
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' }),
  async run(tools, { device, yes }) {
    const api = await tools.api()
    const fields = fieldsOf(await api.get(`${thingPath(device)}/properties`), 'a device')
    const [id, name] = [idIn(fields), textIn(fields, 'name')]
    if (!yes) await confirm(tools, name)
    await api.send('DELETE', thingPath(id))
    tools.voice.tell(
      { ok: true, device: { id, name } },
      () => `${name} is forgotten; its name is free again.`,
    )
  },
})

async function confirm(tools: Parameters<Parameters<typeof verb>[0]['run']>[0], name: string): Promise<void> {
  const keyboard = keyboardOf()
  if (!keyboard) throw new CliError('usage', `forgetting ${name} cannot be undone: say --yes`)
  const typed = await ask(
    keyboard,
    `Forget ${name} for ever? Type its name: `,
    { hidden: false },
    tools.signal,
  )
  if (typed.trim() !== name) throw new CliError('not-confirmed', `that is not its name, so ${name} was kept`)
}

export const device = group('device', 'Devices of this home', [list, show, rename, adopt, forget])
