// SPDX-License-Identifier: GPL-3.0-or-later
import { codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import { CliError } from '../error.ts'
import {
  type Fields,
  fieldsOf,
  listOf,
  numberIn,
  optionalNumberIn,
  optionalTextIn,
  textIn,
} from '../fields.ts'
import { sayTime } from '../time.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { parseLimit } from './history.ts'

const show = verb({
  command: 'show',
  isUsual: true,
  says: 'Who did what, when, with what result; the newest last',
  examples: [['log show --limit 20', 'the last twenty; `shallot log` alone shows the last fifty']],
  options: (cli) =>
    cli
      .option('limit', { type: 'string', default: '50', describe: 'so many entries' })
      .option('before', { type: 'string', describe: 'older than the entry of this number' }),
  async run(tools, args) {
    const query = new URLSearchParams({ limit: String(parseLimit(args.limit, 1000)) })
    if (args.before !== undefined) query.set('before', String(parseEntry(args.before)))
    const api = await tools.api()
    const answer = await api.get(`/log?${query}`)
    const entries = listOf(fieldsOf(answer, 'a log').entries, 'entries')
    tools.voice.tell({ ok: true, entries }, () =>
      entries.length === 0
        ? 'Nothing has happened yet.'
        : table(entries.map((each) => line(fieldsOf(each, 'an entry')))),
    )
  },
})

function parseEntry(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new CliError('usage', `--before is the number of an entry, not ${text.slice(0, 40)}`)
}

function line(entry: Fields): string[] {
  const code = entry.code
  const result =
    typeof code === 'number' ? (codeByNumber(code) ?? String(code)) : (optionalTextIn(entry, 'code') ?? '')
  return [
    String(optionalNumberIn(entry, 'index') ?? ''),
    sayTime(optionalNumberIn(entry, 'at')) ?? '',
    optionalTextIn(entry, 'kind') ?? '',
    result,
    optionalTextIn(entry, 'note') ?? '',
    optionalTextIn(entry, 'device') ?? '',
    optionalTextIn(entry, 'origin') ?? '',
  ]
}

const verify = verb({
  command: 'verify',
  says: 'Has the home recompute the whole chain of its log, and tells its head',
  examples: [['log verify', 'exit status 3 when the chain is broken']],
  async run(tools) {
    const api = await tools.api()
    const report = fieldsOf(await api.get('/log/verify'), 'a report')
    const [entries, head] = [numberIn(report, 'entries'), textIn(report, 'head')]
    if (report.broken !== undefined && report.broken !== null) {
      const { index, why } = fieldsOf(report.broken, 'a fault')
      throw new CliError('conflict', `the log is broken at entry ${String(index)}: ${String(why)}`, {
        next: 'somebody or something changed the log on disk; entries before that one still hold',
      })
    }
    tools.voice.tell({ ok: true, entries, head }, () => `The log is whole: ${entries} entries, head ${head}`)
  },
})

export const log = group('log', 'The hash-chained log of every act; without a verb, shows it', [show, verify])
