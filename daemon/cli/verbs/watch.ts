// SPDX-License-Identifier: GPL-3.0-or-later

import { Backoff } from '../../base/backoff.ts'
import { utf8 } from '../../base/bytes.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import {
  type Fields,
  fieldsOf,
  listOf,
  optionalNumberIn,
  optionalTextIn,
  textIn,
  valueIn,
} from '../fields.ts'
import { fullName } from '../meant.ts'
import { parseJson, type ServerEvent } from '../reach/index.ts'
import { thingLine, thingPath } from '../things.ts'
import { parseDuration, sayTime } from '../time.ts'
import type { Tools } from '../tools.ts'
import { sayValue } from '../value.ts'
import { verb } from '../verb.ts'

export const watch = verb({
  command: 'watch [device]',
  says: 'What happens, as it happens, until Ctrl-C; connects again by itself',
  examples: [
    ['watch', ''],
    ['watch weather --json', 'one object a line, for a script'],
    ['watch --for 10s', 'and then end'],
  ],
  options: (cli) =>
    cli
      .positional('device', { type: 'string', describe: 'name or id; without, all' })
      .option('for', { type: 'string', describe: 'end by itself after this long' }),
  async run(tools, args) {
    const seconds = args.for === undefined ? undefined : parseDuration(args.for, '--for', 365 * 86_400)
    const ends = new AbortController()
    if (seconds !== undefined) {
      tools.clock.sleep(seconds * 1000, tools.signal).then(
        () => ends.abort(),
        () => {},
      )
    }
    await follow(tools, args.device, AbortSignal.any([tools.signal, ends.signal]))
  },
})

const WAIT = { firstMs: 500, msMax: 30_000 }

async function follow(tools: Tools, device: string | undefined, signal: AbortSignal): Promise<void> {
  const api = await tools.api()
  const only = device === undefined ? undefined : thingLine(await api.get(thingPath(device))).id
  const names = new Map<string, string>()
  const waits = new Backoff(tools.random, WAIT)
  let wasOpen = false
  while (!signal.aborted) {
    try {
      await learnNames(api, names)
      const events = await api.events(only === undefined ? '/events' : `/events?device=${only}`)
      wasOpen = true
      for await (const event of until(events, signal)) {
        waits.reset()
        tellEvent(tools, event, names, only)
      }
      if (!signal.aborted) tools.voice.note('the home ended the connection; connecting again')
    } catch (error) {
      if (signal.aborted) return
      const passing = error instanceof CliError && error.code === 'unreachable'
      // A home that was never there is told of at once; one that was may come back.
      if (!passing || !wasOpen) throw error
      tools.voice.note(`${error.message}; connecting again`)
    }
    await tools.clock.sleep(waits.nextMs(), signal).catch(() => {})
  }
}

/** The same events, ended by the signal also while none comes. */
async function* until<T>(events: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  const ended = new Promise<'ended'>((resolve) => {
    if (signal.aborted) resolve('ended')
    signal.addEventListener('abort', () => resolve('ended'), { once: true })
  })
  for (;;) {
    const next = events.next()
    next.catch(() => {})
    const first = await Promise.race([next, ended])
    if (first === 'ended' || first.done) return
    yield first.value
  }
}

async function learnNames(api: Api, names: Map<string, string>): Promise<void> {
  for (const thing of listOf(await api.get('/things'), 'a list of devices').map(thingLine)) {
    names.set(thing.id, fullName(thing))
  }
}

function tellEvent(
  tools: Tools,
  { event, data }: ServerEvent,
  names: ReadonlyMap<string, string>,
  only: string | undefined,
): void {
  const said = fieldsOf(parseJson(utf8(data)), 'an event')
  const id = optionalTextIn(said, 'device')?.replace(/^urn:shallot:/, '')
  if (only !== undefined && id !== undefined && id !== only) return
  const name = id === undefined ? undefined : (names.get(id) ?? id)
  tools.voice.tell({ event, ...said, ...(name !== undefined && { name }) }, () =>
    [sayTime(optionalNumberIn(said, 'at')) ?? '', name ?? '', sayEvent(event, said, names)]
      .filter(Boolean)
      .join('  '),
  )
}

function sayEvent(event: string, said: Fields, names: ReadonlyMap<string, string>): string {
  switch (event) {
    case 'reading':
      return listOf(said.values, 'values').map(sayReading).join(', ')
    case 'presence':
      return said.connected === true ? 'connected' : `away (${optionalTextIn(said, 'why') ?? '?'})`
    case 'receipt':
      return said.code === 0 || said.code === 'ok' ? 'did what it was told' : `refused (${String(said.code)})`
    case 'still':
      return sayStill(said)
    case 'enrolment':
      return 'enrolled'
    case 'lagged':
      return `${optionalNumberIn(said, 'lost') ?? '?'} events were lost: this side reads too slowly`
    case 'onion':
      return `onion address of ${sayService(optionalTextIn(said, 'service') ?? '?', names)}: ${optionalTextIn(said, 'status') ?? '?'}`
    default:
      return event
  }
}

/** A picture on its way, kept, or lost. */
function sayStill(said: Fields): string {
  const code = optionalTextIn(said, 'code')
  if (code !== undefined) return `a picture was not kept (${code})`
  const [got, size] = [optionalNumberIn(said, 'got') ?? 0, optionalNumberIn(said, 'size') ?? 0]
  return got === size ? `a picture of ${size} bytes is kept` : `a picture is coming: ${got} of ${size} bytes`
}

/** `invitation:<name>`, or `device:<id>`: people know both by a name. */
function sayService(service: string, names: ReadonlyMap<string, string>): string {
  const name = service.slice(service.indexOf(':') + 1)
  return names.get(name) ?? name
}

function sayReading(value: unknown): string {
  const said = fieldsOf(value, 'a value')
  const name = textIn(said, 'property')
  return `${name} ${sayValue(name, valueIn(said, 'value'))}`
}
