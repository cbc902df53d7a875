// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../../schemas/gen/ts/codes.ts'
import { equal, toHex } from '../../../base/bytes.ts'
import { no, type Verdict, yes } from '../../../base/error.ts'
import { type PartyId, parseId } from '../../../core/model/index.ts'
import type { Entry, EntryKind } from '../../../core/ports.ts'
import { json, type Reply, refused } from '../answer.ts'
import { readInteger } from '../fields.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { tellBytes } from '../telling.ts'
import { tellEntry } from '../telling-people.ts'

const LOG_MAX = 1000
const LOG_FALLBACK = 100

/** Who did what (SPEC 9.7): for owners everything, for others what they did and what was done to things they may read. */
export function logRoutes(deps: RouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/log',
      who: 'all',
      ofThing: false,
      query: ['who', 'device', 'since', 'until', 'before', 'limit'],
      run: (asking) => readLog(deps, asking),
    },
  ]
}

async function readLog({ home }: RouteDeps, asking: Asking): Promise<Reply> {
  const { query, sight } = asking
  const instant = (name: string, fallback: number, least = 0) =>
    readInteger(query, name, { least, most: Number.MAX_SAFE_INTEGER, fallback })
  const limit = readInteger(query, 'limit', { least: 1, most: LOG_MAX, fallback: LOG_FALLBACK })
  if (!limit.ok) return refused(limit)
  const [before, since, until] = [
    instant('before', Number.MAX_SAFE_INTEGER, 1),
    instant('since', 0),
    instant('until', Number.MAX_SAFE_INTEGER),
  ]
  if (!before.ok) return refused(before)
  if (!since.ok) return refused(since)
  if (!until.ok) return refused(until)
  const named = query.get('device')
  const device = named === undefined ? undefined : findThing(home, asking, named)
  if (device && !device.ok) return refused(device)
  const who = whoMatches(home, query.get('who'))
  if (!who.ok) return refused(who)
  const shown = shownTo(home, asking)
  const answers = new Answers()
  const entries = await home.journal.search({
    before: before.value,
    limit: limit.value,
    since: since.value,
    until: until.value,
    matches(entry) {
      if (device && entry.device !== device.value.id) return false
      if (!sight.seesAll && !shown(entry)) return false
      const isTheirs = who.value(entry)
      if (isTheirs) answers.takeThoseTo(entry)
      else answers.keep(entry)
      return isTheirs
    },
  })
  const all = [...entries, ...answers.taken].sort((a, b) => a.index - b.index)
  return json({ entries: all.map((entry) => tellEntry(home, entry, sight.seesAll)) })
}

/** A device seals the answer to what somebody asked: who looks for that person finds it with the command, which is older. */
class Answers {
  readonly taken: Entry[] = []
  readonly #kept = new Map<string, Entry>()

  keep(entry: Entry): void {
    if ((entry.kind !== 'receipt' && entry.kind !== 'expired') || !entry.command) return
    this.#kept.set(toHex(entry.command), entry)
    if (this.#kept.size > ANSWERS_KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value!)
  }

  takeThoseTo({ kind, command }: Entry): void {
    const answer = kind === 'command' && command && this.#kept.get(toHex(command))
    if (answer) this.taken.push(answer)
  }
}

/** Commands end within half a minute: so many entries lie between one and its answer at most, or they are shown apart. */
const ANSWERS_KEPT_MAX = 1000

type Matches = (entry: Entry) => boolean

/** By a key, by a person's id or name, or by an owner's name. */
function whoMatches({ authority }: RouteDeps['home'], who: string | undefined): Verdict<Matches, Code> {
  if (who === undefined) return yes(() => true)
  const { people, trust } = authority
  const key = parseId(who)
  const named = people.people().filter(({ id, name }) => name === who || tellBytes(id) === who)
  const keys = new Set<PartyId>([
    ...(key ? [key] : []),
    ...trust.owners.filter(({ name }) => name === who).map(({ id }) => id),
    ...named.flatMap(({ id }) => people.holdersOf(id)).map(({ id }) => id),
    ...people
      .holders()
      .filter(({ name }) => name === who)
      .map(({ id }) => id),
  ])
  if (keys.size === 0 && named.length === 0) return no('not-found', 'nobody known is called so')
  return yes(
    ({ signer, person }) =>
      (signer !== undefined && keys.has(signer)) ||
      (person !== undefined && named.some(({ id }) => equal(id, person))),
  )
}

/** What was done to a thing, or tried. */
const ACTS: ReadonlySet<EntryKind> = new Set(['command', 'receipt', 'expired', 'act', 'refused'])

function shownTo({ devices }: RouteDeps['home'], { caller, sight }: Asking): Matches {
  const readable = new Set(
    devices
      .list()
      .filter((device) => sight.readable(device).length > 0)
      .map(({ id }) => id),
  )
  const isOwn: Matches = ({ signer, person, origin }) => {
    if (caller.kind === 'token') return origin === caller.origin
    if (signer === caller.id) return true
    return caller.person !== undefined && person !== undefined && equal(person, caller.person)
  }
  return (entry) =>
    isOwn(entry) || (entry.device !== undefined && readable.has(entry.device) && ACTS.has(entry.kind))
}
