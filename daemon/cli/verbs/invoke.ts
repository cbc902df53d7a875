// SPDX-License-Identifier: GPL-3.0-or-later
import { COMMAND_LIFETIME_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import { parseDuration } from '../time.ts'
import { verb } from '../verb.ts'
import { fulfil, WITHIN } from './set.ts'

export const invoke = verb({
  command: 'invoke <device> <action> [value]',
  says: "Has an action done and waits for the device's own receipt",
  examples: [
    ['invoke porch-light toggle', ''],
    ['invoke porch-light identify 5', 'blink for five seconds'],
  ],
  options: (cli) =>
    cli
      .positional('device', { type: 'string', demandOption: true, describe: 'name or id' })
      .positional('action', { type: 'string', demandOption: true, describe: 'such as toggle or identify' })
      .positional('value', { type: 'string', describe: 'if the action takes one' })
      .option('within', WITHIN),
  run: (tools, { device, action, value, within }) =>
    fulfil(tools, {
      device,
      kind: 'action',
      name: action,
      value,
      withinS: parseDuration(within, '--within', COMMAND_LIFETIME_S_MAX),
    }),
})
