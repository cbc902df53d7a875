// SPDX-License-Identifier: GPL-3.0-or-later
import { CliError } from '../error.ts'
import { fieldsOf, listOf, optionalNumberIn, valueIn } from '../fields.ts'
import { thingPath } from '../things.ts'
import { parseSince, sayTime } from '../time.ts'
import { sayValue } from '../value.ts'
import { verb } from '../verb.ts'
import { table } from '../voice.ts'

const LIMIT_MAX = 10_000

export const history = verb({
  command: 'history <device> <property>',
  says: 'What a device measured before',
  examples: [
    ['history weather temperature --since 2h', ''],
    ['history porch-light on --limit 10 --json', ''],
  ],
  options: (cli) =>
    cli
      .positional('device', { type: 'string', demandOption: true, describe: 'name or id' })
      .positional('property', { type: 'string', demandOption: true, describe: 'such as temperature' })
      .option('since', { type: 'string', default: '1d', describe: '2h, 7d, or an ISO 8601 time' })
      .option('limit', {
        type: 'string',
        default: '100',
        describe: `at most so many, the newest; up to ${LIMIT_MAX}`,
      }),
  async run(tools, { device, property, since, limit }) {
    const count = parseLimit(limit, LIMIT_MAX)
    const from = Math.max(0, Math.round(parseSince(since, tools.clock.now())))
    const query = new URLSearchParams({ property, since: String(from), limit: String(count) })
    const api = await tools.api()
    const answer = await api.get(`${thingPath(device)}/history?${query}`)
    const list = listOf(fieldsOf(answer, 'a history').samples, 'samples')
    const samples = list.map((each) => {
      const sample = fieldsOf(each, 'a sample')
      return { at: sayTime(optionalNumberIn(sample, 'at')), value: valueIn(sample, 'value') }
    })
    tools.voice.tell({ ok: true, device, property, samples }, () =>
      samples.length === 0
        ? `Nothing was reported for ${property} in that time.`
        : table(samples.map(({ at, value }) => [at ?? 'at an unknown time', sayValue(property, value)])),
    )
  },
})

/** @throws CliError usage */
export function parseLimit(text: string, most: number): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= most) return count
  throw new CliError('usage', `--limit is a whole number from 1 to ${most}, not ${text.slice(0, 40)}`)
}
