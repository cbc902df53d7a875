// SPDX-License-Identifier: GPL-3.0-or-later
import { COMMAND_LIFETIME_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import { carryOut, type Outcome, outcomeObject, type PassedStage, type Wish } from '../command.ts'
import { parseDuration } from '../time.ts'
import type { Tools } from '../tools.ts'
import { typedLast } from '../typed.ts'
import { sayValue } from '../value.ts'
import { verb } from '../verb.ts'

export const WITHIN = {
  type: 'string',
  default: '30s',
  describe: 'how long the device may take; later it will not act',
} as const

export const set = verb({
  command: 'set <device> <property> <value>',
  says: "Sets a property and waits for the device's own receipt",
  examples: [
    ['set porch-light on true', 'switch it on (or: on, off, false)'],
    ['set porch-light level 40 --within 10s', 'or not at all, if it takes longer'],
  ],
  options: (cli) =>
    cli
      .positional('device', { type: 'string', demandOption: true, describe: 'name or id' })
      .positional('property', { type: 'string', demandOption: true, describe: 'such as on or level' })
      .positional('value', {
        type: 'string',
        demandOption: true,
        describe: 'true, false, on, off or a number',
      })
      .option('within', WITHIN),
  run: (tools, { device, property, value, within }) =>
    fulfil(tools, {
      device,
      kind: 'property',
      name: property,
      value,
      withinS: parseDuration(within, '--within', COMMAND_LIFETIME_S_MAX),
    }),
})

const STAGE_WORDS: Readonly<Record<PassedStage['stage'], string>> = {
  sent: 'sent',
  'at-hub': 'at the hub',
  'at-device': 'at the device',
  done: 'done',
  refused: 'refused',
  expired: 'expired',
}

/** Carries a wish out, and tells its stages as they pass. */
export async function obtain(tools: Tools, wish: Wish): Promise<Outcome> {
  const { voice } = tools
  return carryOut(
    {
      clock: tools.clock,
      api: await tools.api(),
      person: await tools.person(),
      onThing: (thing) => {
        if (!thing.confirmed) {
          voice.note(`${thing.name} is not confirmed: only the hub says that it is this device.`)
          voice.note(`Confirm it where it was enrolled: shallot enrol --confirm ${typedLast(thing.name)}`)
        }
      },
      onStage: ({ stage, ms }) => voice.note(`${String(ms).padStart(7)} ms  ${STAGE_WORDS[stage]}`),
    },
    wish,
  )
}

/** Carries a wish out, and tells what the device says at the end. */
export async function fulfil(tools: Tools, wish: Wish): Promise<void> {
  const { voice } = tools
  const outcome = await obtain(tools, wish)
  const way = await (await tools.api()).way()
  voice.tell(outcomeObject(outcome, way), () => {
    const values = Object.entries(outcome.values).map(([name, value]) => `${name} ${sayValue(name, value)}`)
    const now = values.length > 0 ? `: ${values.join(', ')}` : ''
    return `${outcome.thing.name} has done it${now} (receipt sealed by the device, verified)`
  })
}
