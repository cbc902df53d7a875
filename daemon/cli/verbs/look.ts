// SPDX-License-Identifier: GPL-3.0-or-later
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { COMMAND_LIFETIME_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import { toBase64url } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import { isCode } from '../../base/error.ts'
import { createPrivateFile } from '../../config/vault.ts'
import type { Message, Still } from '../../core/envelope/index.ts'
import { type Outcome, outcomeObject, type Wish } from '../command.ts'
import { CliError } from '../error.ts'
import { awaitPicture, fetchPicture, keptPictures } from '../stills.ts'
import { proveThing, thingPath } from '../things.ts'
import { parseDuration, parseSince, sayTime } from '../time.ts'
import type { Tools } from '../tools.ts'
import { typedLast } from '../typed.ts'
import { verb } from '../verb.ts'
import { table } from '../voice.ts'
import { parseLimit } from './history.ts'
import { obtain, WITHIN } from './set.ts'

export const look = verb({
  command: 'look <device>',
  says: "Has a camera take a picture, checks the device's seal on it, and writes it to a file; or shows those that are kept",
  examples: [
    ['look gate', 'writes gate-….jpg here'],
    ['look gate --out now.jpg --json', 'for scripts'],
    ['look gate --list', 'the pictures that are kept, newest first'],
    ['look gate --id=4fK2bX9dQ0w', 'writes one of them'],
    ['look gate --at 2h', 'writes the last that was taken before two hours ago'],
  ],
  options: (cli) =>
    cli
      .positional('device', { type: 'string', demandOption: true, describe: 'name or id' })
      .option('out', { type: 'string', describe: 'the file; one that is there is left alone' })
      .option('list', { type: 'boolean', describe: 'takes none: tells which are kept' })
      .option('id', { type: 'string', describe: 'takes none: one of the list, by its id' })
      .option('at', { type: 'string', describe: 'takes none: the last until then; 2h, or an ISO 8601 time' })
      .option('limit', {
        type: 'string',
        describe: `with --list: so many; up to ${LIST_MAX}, else ${LIST_USUAL}`,
      })
      .option('action', { type: 'string', describe: 'of a device with several cameras; else look' })
      .option('within', { ...WITHIN, default: undefined })
      .conflicts({ list: ['out', 'id', 'at', ...TAKING], id: ['at', ...TAKING], at: [...TAKING] })
      .implies({ limit: 'list' }),
  async run(tools, args) {
    if (args.list === true) return list(tools, args.device, args.limit)
    if (args.id === undefined && args.at === undefined) return take(tools, args)
    return fetch(tools, args)
  },
})

/** What a picture is taken with. */
const TAKING = ['action', 'within']
const LIST_USUAL = 20
/** As many as a home keeps of a device (SPEC 19.4). */
const LIST_MAX = 500

interface Taking {
  readonly device: string
  readonly out?: string | undefined
  readonly action?: string | undefined
  readonly within?: string | undefined
}

async function take(
  tools: Tools,
  { device, out, action = 'look', within = WITHIN.default }: Taking,
): Promise<void> {
  const { voice, clock } = tools
  const withinS = parseDuration(within, '--within', COMMAND_LIFETIME_S_MAX)
  const file = out ?? `${fileNameOf(device)}-${stampOf(clock.now())}.jpg`
  judgeFile(file)
  // Who may not see its pictures hears so before one is taken.
  await (await tools.api()).get(`${thingPath(device)}/stills?limit=1`)
  const outcome = await rested(tools, { device, kind: 'action', name: action, value: undefined, withinS })
  const api = await tools.api()
  const { still, jpeg } = await (async () => {
    using step = voice.working('the picture is on its way to the hub')
    const onProgress = (got: number, size: number) =>
      step.say(`${kib(got)} of ${kib(size)} KiB are at the hub`)
    return await awaitPicture({ clock, api, person: await tools.person(), onProgress }, outcome)
  })()
  write(file, jpeg)
  const picture = { file, ...pictureObject(still) }
  voice.tell({ ...outcomeObject(outcome, await api.way()), picture }, () =>
    sayWritten(file, still, outcome.thing),
  )
}

/** The pictures that are kept of a device, each with what it sealed. */
async function kept(tools: Tools, device: string) {
  const [api, person, { clock }] = [await tools.api(), await tools.person(), tools]
  const deps = { clock, api, person }
  const thing = await proveThing(api, person, device)
  return { deps, thing, pictures: keptPictures(deps, thing) }
}

async function list(tools: Tools, device: string, limit = String(LIST_USUAL)): Promise<void> {
  const most = parseLimit(limit, LIST_MAX)
  const { thing, pictures } = await kept(tools, device)
  const all: Message<Still>[] = []
  for await (const still of pictures) if (all.push(still) === most) break
  const { id, name } = thing
  const said = { ok: true, device: { id, name }, pictures: all.map(pictureObject), verified: true }
  tools.voice.tell(said, () =>
    all.length === 0
      ? `No picture of ${name} is kept.`
      : table(
          all.map(({ body: { digest, size, at } }) => [
            shortId(digest),
            sayTime(at) ?? 'at an unknown time',
            `${size} bytes`,
          ]),
        ),
  )
}

interface Fetching {
  readonly device: string
  readonly out?: string | undefined
  readonly id?: string | undefined
  readonly at?: string | undefined
}

async function fetch(tools: Tools, { device, out, id, at }: Fetching): Promise<void> {
  const isMeant =
    at === undefined ? hasId(id!) : wasTakenBy(Math.round(parseSince(at, tools.clock.now(), '--at')))
  if (out !== undefined) judgeFile(out)
  const { deps, thing, pictures } = await kept(tools, device)
  const still = await found(pictures, isMeant, thing.name)
  const when = still.body.at || tools.clock.now()
  const file = out ?? `${fileNameOf(device)}-${stampOf(when)}.jpg`
  judgeFile(file)
  const jpeg = await fetchPicture(deps, thing, still)
  write(file, jpeg)
  const { id: key, name } = thing
  const said = {
    ok: true,
    device: { id: key, name },
    picture: { file, ...pictureObject(still) },
    verified: true,
  }
  tools.voice.tell(said, () => sayWritten(file, still, thing))
}

/** The newest that is meant. @throws CliError not-found */
async function found(
  pictures: AsyncIterable<Message<Still>>,
  isMeant: (still: Still) => boolean,
  name: string,
): Promise<Message<Still>> {
  for await (const still of pictures) if (isMeant(still.body)) return still
  throw new CliError('not-found', `no such picture of ${name} is kept`, {
    next: `\`shallot look --list ${typedLast(name)}\` tells which are`,
  })
}

const ID_CHARS = 11
const shortId = (digest: Uint8Array): string => toBase64url(digest).slice(0, ID_CHARS)

/** @throws CliError usage */
function hasId(text: string): (still: Still) => boolean {
  if (!/^[\w-]{11,43}$/.test(text))
    throw new CliError('usage', '--id is an id as --list tells it: 11 letters, or all 43')
  return ({ digest }) => toBase64url(digest).startsWith(text)
}

/** One of which the device did not know when it took it is not among them. */
function wasTakenBy(moment: Instant): (still: Still) => boolean {
  return ({ at }) => at > 0 && at <= moment
}

function pictureObject({ body: { digest, size, at }, frame }: Message<Still>) {
  return { size, digest: toBase64url(digest), at: at || undefined, still: toBase64url(frame) }
}

function sayWritten(
  file: string,
  { body: { size, at } }: Message<Still>,
  { name }: { readonly name: string },
): string {
  const when = at ? `, taken ${sayTime(at)}` : ''
  return `${file}: ${size} bytes${when} (sealed by ${name}, verified)`
}

/** A camera rests a second after each picture, and says `busy` then: it is asked again, a few times. */
async function rested(tools: Tools, wish: Wish): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    try {
      return await obtain(tools, wish)
    } catch (error) {
      if (!isCode(error, 'busy') || tries === TRIES_MAX) throw error
      await tools.clock.sleep(REST_MS, tools.signal)
    }
  }
}

const TRIES_MAX = 4
const REST_MS = 500

const kib = (bytes: number): string => (bytes / 1024).toFixed(1)

/** What a file may be called after a name that comes from elsewhere. */
function fileNameOf(device: string): string {
  const name = device
    .replaceAll(/[^\p{L}\p{M}\p{N}_-]+/gu, '-')
    .replace(/^-+/, '')
    .slice(0, 64)
  return name === '' ? 'picture' : name
}

/** `20261130-225442`, UTC. */
function stampOf(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}

/** Before a picture is taken that could not be written. @throws CliError usage */
function judgeFile(file: string): void {
  if (existsSync(file)) throw taken(file)
  if (!existsSync(dirname(file))) throw new CliError('usage', `there is no folder ${dirname(file)}`)
}

function write(file: string, jpeg: Uint8Array): void {
  try {
    createPrivateFile(file, jpeg)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw taken(file)
    throw new CliError('usage', `${file} cannot be written`, { cause })
  }
}

function taken(file: string): CliError {
  return new CliError('usage', `${file} is there already`, { next: 'name another with --out' })
}
