// SPDX-License-Identifier: GPL-3.0-or-later

import { Backoff } from '../../base/backoff.ts'
import { utf8 } from '../../base/bytes.ts'
import { affordanceOf, fromWire } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { type Fields, fieldsOf, listOf, optionalNumberIn, optionalTextIn } from '../fields.ts'
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
/** Without a line this long, and without ever having been connected, it is not coming. */
const TRIES_MAX_AT_FIRST = 1

async function follow(tools: Tools, device: string | undefined, signal: AbortSignal): Promise<void> {
  const api = await tools.api()
  const only = device === undefined ? undefined : thingLine(await api.get(thingPath(device))).id
  const names = new Map<string, string>()
  const waits = new Backoff(tools.random, WAIT)
  let wasOpen = false
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      await learnNames(api, names)
      for await (const event of until(api.events('/events'), signal)) {
        wasOpen = true
        tries = 0
        waits.reset()
        tellEvent(tools, event, names, only)
      }
    } catch (error) {
      const passing = error instanceof CliError && error.code === 'unreachable'
      if (!passing || (!wasOpen && tries >= TRIES_MAX_AT_FIRST)) throw error
      tools.voice.note(`${error.message}; connecting again`)
    }
    await tools.clock.sleep(waits.nextMs(), signal).catch(() => {})
  }
  if (tools.signal.aborted) tools.signal.throwIfAborted()
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
    names.set(thing.id, thing.name)
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
  if (only !== undefined && id !== only) return
  const name = id === undefined ? undefined : (names.get(id) ?? id)
  tools.voice.tell({ event, ...said, ...(name !== undefined && { name }) }, () =>
    [sayTime(optionalNumberIn(said, 'at')) ?? '', name ?? '', sayEvent(event, said)]
      .filter(Boolean)
      .join('  '),
  )
}

function sayEvent(event: string, said: Fields): string {
  switch (event) {
    case 'reading':
      return listOf(said.values, 'values').map(sayReading).join(', ')
    case 'presence':
      return said.connected === true ? 'connected' : `away (${optionalTextIn(said, 'why') ?? '?'})`
    case 'receipt':
      return said.code === 0 || said.code === 'ok' ? 'did what it was told' : `refused (${String(said.code)})`
    case 'enrolment':
      return 'enrolled'
    case 'onion':
      return `${optionalTextIn(said, 'service') ?? 'onion'}: ${optionalTextIn(said, 'status') ?? '?'}`
    default:
      return event
  }
}

/** `{ property, value }`, or a sample as it is on the wire. */
function sayReading(value: unknown): string {
  const said = fieldsOf(value, 'a value')
  const name = optionalTextIn(said, 'property') ?? optionalTextIn(said, 'name')
  const reads = said.value as number | boolean
  if (name !== undefined) return `${name} ${sayValue(name, reads)}`
  const affordance = affordanceOf(optionalNumberIn(said, 'affordance') ?? 0)
  return affordance
    ? `${affordance.name} ${sayValue(affordance.name, fromWire(affordance.capability, reads))}`
    : '?'
}
