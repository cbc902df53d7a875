// SPDX-License-Identifier: GPL-3.0-or-later

import { CliError } from '../error.ts'
import { fieldsOf, optionalNumberIn, textIn, valueIn } from '../fields.ts'
import { idIn, thingPath } from '../things.ts'
import { sayTime } from '../time.ts'
import { sayValue } from '../value.ts'
import { verb } from '../verb.ts'
import { table } from '../voice.ts'

interface Reported {
  readonly value: number | boolean
  /** ISO 8601, or null when the device did not know the time. */
  readonly at: string | null
}

export const get = verb({
  command: 'get <device> [property]',
  says: 'The last value that a device reported, or all of them',
  examples: [
    ['get porch-light on', 'is it on?'],
    ['get weather --json', 'everything it measures, for a script'],
  ],
  options: (cli) =>
    cli
      .positional('device', { type: 'string', demandOption: true, describe: 'name or id' })
      .positional('property', { type: 'string', describe: 'such as on, level, temperature' }),
  async run(tools, { device, property }) {
    const api = await tools.api()
    const fields = fieldsOf(await api.get(`${thingPath(device)}/properties`), 'a device')
    const values = reportedIn(fields.properties)
    const thing = { id: idIn(fields), name: textIn(fields, 'name') }
    if (property === undefined) {
      tools.voice.tell({ ok: true, device: thing, properties: Object.fromEntries(values) }, () =>
        sayAll(values),
      )
      return
    }
    const one = values.get(property)
    if (!one) {
      throw new CliError('no-such-affordance', `${thing.name} has reported no ${property}`, {
        next: values.size > 0 ? `it has reported ${[...values.keys()].join(', ')}` : undefined,
      })
    }
    tools.voice.tell({ ok: true, device: thing, property, ...one }, () => sayValue(property, one.value))
  },
})

function reportedIn(said: unknown): Map<string, Reported> {
  const values = new Map<string, Reported>()
  for (const [name, each] of Object.entries(fieldsOf(said, 'a list of properties'))) {
    const fields = fieldsOf(each, 'a value')
    if (fields.value === undefined || fields.value === null) continue
    values.set(name, { value: valueIn(fields, 'value'), at: sayTime(optionalNumberIn(fields, 'at')) })
  }
  return values
}

function sayAll(values: ReadonlyMap<string, Reported>): string {
  if (values.size === 0) return 'It has not reported anything yet.'
  return table(
    [...values].map(([name, { value, at }]) => [name, sayValue(name, value), at ?? 'at an unknown time']),
  )
}
