// SPDX-License-Identifier: GPL-3.0-or-later
import { codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { nativeEd25519, openEnvelope } from '../../core/envelope/index.ts'
import { affordanceOf, fromWire, parseId } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import {
  type Fields,
  fieldsOf,
  listOf,
  numberIn,
  optionalBytesIn,
  optionalNumberIn,
  optionalTextIn,
  textIn,
} from '../fields.ts'
import { fullName } from '../meant.ts'
import { thingLine } from '../things.ts'
import { parseSince, sayTime } from '../time.ts'
import { group, verb } from '../verb.ts'
import { table } from '../voice.ts'
import { parseLimit } from './history.ts'

const show = verb({
  command: 'show',
  isUsual: true,
  says: 'Who did what, when, with what result; the newest last',
  examples: [
    ['log show --limit 20', 'the last twenty; `shallot log` alone shows the last fifty'],
    ['log --who sitter --device front-door --since 7d', 'who opened it, by which grant, and from where'],
  ],
  options: (cli) =>
    cli
      .option('limit', { type: 'string', default: '50', describe: 'so many entries' })
      .option('who', { type: 'string', describe: 'a person, an owner or a phone: name, id or key' })
      .option('device', { type: 'string', describe: 'name or id' })
      .option('since', { type: 'string', describe: 'a time ago such as 7d, or an ISO 8601 time' })
      .option('until', { type: 'string', describe: 'the same, as the end' })
      .option('before', { type: 'string', describe: 'older than the entry of this number' }),
  async run(tools, args) {
    const query = new URLSearchParams({ limit: String(parseLimit(args.limit, 1000)) })
    if (args.before !== undefined) query.set('before', String(parseEntry(args.before)))
    if (args.device !== undefined) query.set('device', args.device)
    for (const flag of ['since', 'until'] as const) {
      const text = args[flag]
      if (text !== undefined) query.set(flag, String(parseSince(text, tools.clock.now(), `--${flag}`)))
    }
    const api = await tools.api()
    if (args.who !== undefined) query.set('who', await whoNamed(api, args.who))
    const answer = await api.get(`/log?${query}`)
    const entries = listOf(fieldsOf(answer, 'a log').entries, 'entries').map((each) =>
      withWhat(fieldsOf(each, 'an entry')),
    )
    const names = tools.voice.json ? new Map<string, string>() : await deviceNames(api)
    tools.voice.tell({ ok: true, entries }, () =>
      entries.length === 0 ? 'Nothing has happened yet.' : table(entries.map((each) => line(each, names))),
    )
  },
})

/** What was to be done, as whoever did it sealed it: `unlock 3`. Envelopes are shown to owners alone. */
function withWhat(entry: Fields): Fields {
  const frame = optionalBytesIn(entry, 'frame')
  const opened = frame && openEnvelope(frame, ANYBODYS, nativeEd25519())
  if (!opened?.ok) return entry
  const { body } = opened.value
  if (body.type !== 'command' && body.type !== 'act') return entry
  const affordance = affordanceOf(body.affordance)
  if (!affordance) return entry
  const value = body.type === 'command' ? body.value : undefined
  const said = value === undefined ? undefined : fromWire(affordance.capability, value)
  return { ...entry, what: said === undefined ? affordance.name : `${affordance.name} ${said}` }
}

const ANYBODYS = { sizeMax: ENVELOPE_BYTES_MAX, accepts: () => true, isAudience: () => true }

/** For people; who may not see a device, and one that was forgotten, leave its id. */
async function deviceNames(api: Api): Promise<ReadonlyMap<string, string>> {
  const things = listOf(await api.get('/things'), 'a list of devices').map(thingLine)
  return new Map(things.map((each) => [each.id, fullName(each)]))
}

function parseEntry(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new CliError('usage', `--before is the number of an entry, not ${text.slice(0, 40)}`)
}

/** A phone is asked for by its key; the home knows people and owners by name. */
async function whoNamed(api: Api, named: string): Promise<string> {
  if (parseId(named)) return named
  const { people } = fieldsOf(await api.get('/people'), 'a list of people')
  const all = listOf(people, 'a list of people').map((each) => fieldsOf(each, 'a person'))
  if (all.some(({ name, id }) => name === named || id === named)) return named
  const phones = all.flatMap(({ holders }) =>
    listOf(holders ?? [], 'a list of phones').map((each) => fieldsOf(each, 'a phone')),
  )
  return optionalTextIn(phones.find(({ name }) => name === named) ?? {}, 'key') ?? named
}

export function line(entry: Fields, names: ReadonlyMap<string, string> = new Map()): string[] {
  const code = entry.code
  const result =
    typeof code === 'number' ? (codeByNumber(code) ?? String(code)) : (optionalTextIn(entry, 'code') ?? '')
  return [
    String(optionalNumberIn(entry, 'index') ?? ''),
    sayTime(optionalNumberIn(entry, 'at')) ?? '',
    optionalTextIn(entry, 'kind') ?? '',
    result,
    whoIn(entry),
    [optionalTextIn(entry, 'what'), optionalTextIn(entry, 'note')].filter(Boolean).join(': '),
    deviceIn(entry, names),
    optionalTextIn(entry, 'origin') ?? '',
  ]
}

function deviceIn(entry: Fields, names: ReadonlyMap<string, string>): string {
  const id = optionalTextIn(entry, 'device') ?? ''
  return names.get(id) ?? id
}

/** Entries whose person is who did it; in others it is whom it is about, and `by` did it. */
const OWN_ACTS: ReadonlySet<string | undefined> = new Set(['command', 'receipt', 'expired', 'act', 'refused'])

/** `sitter by mJ3kV0cQx2E` */
function whoIn(entry: Fields): string {
  const about = entry.person === undefined || entry.person === null ? {} : fieldsOf(entry.person, 'a person')
  const [person, by] = [optionalTextIn(about, 'name'), optionalTextIn(entry, 'by')]
  const isOwn = OWN_ACTS.has(optionalTextIn(entry, 'kind'))
  const who = isOwn ? (person ?? by) : (by ?? person)
  const grant = optionalTextIn(entry, 'grant')
  return [who ?? '', grant ? `${isOwn ? 'by' : 'grant'} ${grant}` : ''].join(' ').trim()
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
    const pruned = optionalNumberIn(report, 'pruned') ?? 0
    tools.voice.tell({ ok: true, entries, pruned, head }, () =>
      [
        `The log is whole: ${entries === 1 ? '1 entry' : `${entries} entries`}, head ${head}`,
        ...(pruned > 0
          ? [`${pruned} older ones were removed by the setting retention, as the log itself says.`]
          : []),
      ].join('\n'),
    )
  },
})

export const log = group('log', 'The hash-chained log of every act; without a verb, shows it', [show, verify])
