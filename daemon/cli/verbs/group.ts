// SPDX-License-Identifier: GPL-3.0-or-later

import { GROUP_BYTES_MAX, GROUPS_MAX } from '../../../schemas/gen/ts/wire.ts'
import { utf8 } from '../../base/bytes.ts'
import { CliError } from '../error.ts'
import { meantBy } from '../meant.ts'
import { type Desk, type KnownThing, openDesk, targetNamed } from '../people/index.ts'
import { recordAnew } from '../record.ts'
import { thingPath } from '../things.ts'
import type { Tools } from '../tools.ts'
import { typedLast } from '../typed.ts'
import { verb, group as words } from '../verb.ts'
import { table } from '../voice.ts'

const GROUP = { type: 'string', demandOption: true, describe: 'name of the group, such as doors' } as const
const DEVICES = { type: 'string', array: true, demandOption: true, describe: 'names or ids' } as const

const add = verb({
  command: 'add <group> <device..>',
  says: 'Puts devices into a group; whoever was granted something on the group may do it there too',
  examples: [['group add doors front-door back-door', '']],
  options: (cli) => cli.positional('group', GROUP).positional('device', DEVICES),
  run: (tools, args) => change(tools, args.group, args.device, 'add'),
})

const remove = verb({
  command: 'remove <group> <device..>',
  says: 'Takes devices out of a group',
  examples: [['group remove doors back-door', '']],
  options: (cli) => cli.positional('group', GROUP).positional('device', DEVICES),
  run: (tools, args) => change(tools, args.group, args.device, 'remove'),
})

async function change(
  tools: Tools,
  name: string,
  named: readonly string[],
  how: 'add' | 'remove',
): Promise<void> {
  requireGroupName(name)
  const desk = await openDesk(tools, 'changing groups')
  // All of them are looked at before the first is changed.
  const things = named.map((each) => confirmedThing(desk, each))
  const changes = things.map((thing) => [thing, groupsAfter(thing, name, how)] as const)
  for (const [thing, groups] of changes) await sealGroups(desk, thing, groups)
  const devices = things.map(({ id, name }) => ({ id, name }))
  tools.voice.tell({ ok: true, group: name, devices }, () => {
    const all = devices.map(({ name }) => name).join(', ')
    return how === 'add' ? `In the group ${name} now: ${all}` : `In the group ${name} no more: ${all}`
  })
}

function confirmedThing({ house }: Desk, named: string): KnownThing {
  targetNamed(house, `device:${named}`)
  return meantBy(house.things, named)!
}

/** @throws CliError usage | not-found */
function groupsAfter(thing: KnownThing, name: string, how: 'add' | 'remove'): readonly string[] {
  const others = thing.groups.filter((group) => group !== name)
  if (how === 'remove') {
    if (others.length < thing.groups.length) return others
    throw new CliError('not-found', `${thing.name} is not in the group ${name}`, {
      next: 'see `shallot group list`',
    })
  }
  if (others.length < GROUPS_MAX) return [...others, name]
  throw new CliError('usage', `${thing.name} is in ${GROUPS_MAX} groups already: ${others.join(', ')}`, {
    next: `take it out of one: shallot group remove <group> ${typedLast(thing.name)}`,
  })
}

/** The device believes its owner's enrolment alone, so a new one is sealed. */
async function sealGroups({ api, owner }: Desk, thing: KnownThing, groups: readonly string[]): Promise<void> {
  const frame = await owner.seal(owner.home, recordAnew(thing.record!.body, { groups }))
  await api.sendSealed('PUT', `${thingPath(thing.id)}/record`, frame)
}

const list = verb({
  command: 'list',
  says: 'Every group, and the devices in it',
  examples: [['group list', '']],
  async run(tools) {
    const { house } = await openDesk(tools, 'seeing groups')
    const names = [...new Set(house.things.flatMap(({ groups }) => groups))].sort()
    const groups = names.map((name) => ({
      name,
      devices: house.things
        .filter((thing) => thing.groups.includes(name))
        .map(({ id, name }) => ({ id, name })),
    }))
    tools.voice.tell({ ok: true, groups }, () =>
      groups.length === 0
        ? 'There is no group. Make one with: shallot group add <group> <device…>'
        : table(groups.map(({ name, devices }) => [name, devices.map((each) => each.name).join(', ')])),
    )
  },
})

/** @throws CliError usage */
function requireGroupName(name: string): void {
  const bytes = utf8(name).length
  const plain =
    bytes >= 1 &&
    bytes <= GROUP_BYTES_MAX &&
    /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._-]*[\p{L}\p{M}\p{N}._-])?$/u.test(name)
  if (plain && name !== 'everything') return
  throw new CliError(
    'usage',
    `the name of a group is 1 to ${GROUP_BYTES_MAX} bytes: letters, digits, dots, dashes or spaces`,
  )
}

export const group = words('group', 'Groups of devices, to grant on all of them at once', [add, remove, list])
