// SPDX-License-Identifier: GPL-3.0-or-later
import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { CODE_HOME_PREFIX } from '../../schemas/gen/ts/wire.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type Identity, loadIdentity } from '../config/identity.ts'
import { type Configured, type Key, parseConfig, readConfigFile } from '../config/index.ts'
import { holdsHome, loadOwner } from '../config/keyring.ts'
import { nativeEd25519 } from '../core/envelope/index.ts'
import { type HomeCode, readHomeCode } from '../core/identity/index.ts'
import { Api } from './api.ts'
import { CliError } from './error.ts'
import { followMove } from './move.ts'
import { followOthers, inOrder, keepLately, loadOthers, othersFile } from './others.ts'
import { Person } from './person.ts'
import { openWay, unixWay, type Way } from './reach/index.ts'
import { Sequence } from './sequence.ts'
import type { Voice } from './voice.ts'

export interface ToolsDeps {
  readonly clock: Clock
  readonly random: Random
  readonly voice: Voice
  readonly signal: AbortSignal
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
}

/** What a verb is handed: settings, and on demand the person and the home. */
export interface Tools extends ToolsDeps {
  readonly configured: Configured
  person(): Promise<Person>
  /** The owner's own; for what nobody else can seal. @throws CliError not-permitted */
  owner(doing: string): Promise<Person>
  /** Lives as long as the command. */
  api(): Promise<Api>
}

/** @param flags settings that were given on the command line */
export async function gatherTools(
  deps: ToolsDeps,
  flags: ReadonlyMap<Key, unknown>,
  stack: AsyncDisposableStack,
): Promise<Tools> {
  const configured = await configure(deps, flags)
  const identity = once(() => openIdentity(configured))
  let person: Promise<Person> | undefined
  let api: Promise<Api> | undefined
  const tools: Tools = {
    ...deps,
    configured,
    person: () => {
      person ??= loadPerson(deps, configured, identity())
      return person
    },
    async owner(doing) {
      const owner = await tools.person()
      owner.requireOwner(doing)
      return owner
    },
    api: () => {
      api ??= openApi(tools, identity(), stack)
      return api
    },
  }
  return tools
}

async function configure(deps: ToolsDeps, flags: ReadonlyMap<Key, unknown>): Promise<Configured> {
  const sources = {
    environment: deps.environment,
    flags,
    workingDirectory: deps.workingDirectory,
    homeDirectory: homeOf(deps.environment),
  }
  // Read without the file first: it is the data directory that says where the file is.
  const place = parseConfig(sources)
  if (!place.ok) throw new CliError(place.why, place.detail!)
  const file = await readConfigFile(join(place.value.config.data, 'config.json'))
  if (!file.ok) throw new CliError(file.why, file.detail!)
  if (!file.value) return place.value
  const whole = parseConfig({ ...sources, file: file.value })
  if (!whole.ok) throw new CliError(whole.why, whole.detail!)
  return whole.value
}

/** A variable that is empty or relative would mean wherever somebody happens to be. */
function homeOf({ HOME }: ToolsDeps['environment']): string {
  return HOME !== undefined && isAbsolute(HOME) ? HOME : userInfo().homedir
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** The key file that was named, if one was: it takes the place of the owner's directory. */
function openIdentity({ config }: Configured): Identity | undefined {
  return config.identity === undefined ? undefined : loadIdentity(config.identity)
}

async function loadPerson(
  deps: ToolsDeps,
  { config }: Configured,
  identity: Identity | undefined,
): Promise<Person> {
  if (identity) {
    const sequence = new Sequence(deps.clock, `${config.identity}.sequence`)
    const signer = nativeEd25519().signer(identity.seed.reveal())
    return new Person(
      { ...deps, sequence },
      { ...identity, role: 'holder', hubCas: [], generation: 0, signer },
    )
  }
  const directory = config.owner
  if (!holdsHome(directory)) {
    throw new CliError('missing', `there is no owner of a home in ${directory}`, {
      next: 'make a home with `shallot init`, or name the directory of its owner with --owner',
    })
  }
  const owner = loadOwner(directory)
  const sequence = new Sequence(deps.clock, join(directory, 'sequence'))
  return new Person({ ...deps, sequence }, { ...owner, role: 'owner', signer: owner.owner })
}

async function openApi(
  tools: Tools,
  identity: Identity | undefined,
  stack: AsyncDisposableStack,
): Promise<Api> {
  const { config } = tools.configured
  const person = await tools.person()
  const reach = config.home ?? identity?.reach
  const code = reach && (await readHome(reach.reveal()))
  if (code && !sameHome(code, person)) {
    const of = identity ? "the key file's" : "the owner's directory"
    throw new CliError('wrong-audience', `the code is for another home than ${of}`, {
      next: identity
        ? 'name the key file of that home with --as'
        : 'name the directory of that home with --owner',
    })
  }
  const opening = (signal: AbortSignal) => (code ? openRemote(tools, code, signal) : localWay(config.data))
  const api = stack.use(new Api({ clock: tools.clock, person, openWay: opening }, tools.signal))
  if (code) {
    const kept = config.home ? { home: config.home } : { identity: identity!, file: config.identity! }
    stack.defer(() => followMove({ api, person, voice: tools.voice }, code, kept))
    stack.defer(() => followOthers({ api, voice: tools.voice }, othersOf(tools, code), code))
  }
  return api
}

async function localWay(data: string): Promise<Way> {
  return unixWay(data)
}

/** Where addresses at other homes are kept for who comes by this code. */
function othersOf({ configured: { config } }: Tools, code: HomeCode): string {
  return othersFile({ ...config, home: config.home?.reveal() }, code)
}

async function openRemote(tools: Tools, code: HomeCode, signal: AbortSignal): Promise<Way> {
  const { client, owner, tor, identity } = tools.configured.config
  using step = tools.voice.working('looking for the home')
  const file = othersOf(tools, code)
  const known = await loadOthers(file, code)
  const way = await openWay(
    { clock: tools.clock, random: tools.random, onProgress: (what) => step.say(what) },
    {
      code,
      others: inOrder(known, tools.clock.now()),
      torSocks: client.torSocks,
      torrcExtra: client.torrcExtra,
      torBinary: tor.binary,
      torDirectory: identity === undefined ? join(owner, 'tor') : `${identity}.tor`,
    },
    signal,
  )
  await keepLately(file, code, known, way.by, tools.clock.now())
  if (way.by === undefined) return way
  tools.voice.note(`the home's own address does not lead to it now: reached by ${way.by}`)
  return { ...way, of: known.here }
}

function sameHome(code: HomeCode, person: Person): boolean {
  return person.root.every((byte, at) => byte === code.root[at])
}

/** With everything that `shallot onion invite` prints around a code, its picture too. */
const FILE_CHARS_MAX = 16_384

/** The one code among what `shallot onion invite > file` wrote; else the whole text, for a code that is broken over lines. */
function codeIn(text: string): string {
  const codes = text.split(/\s+/).filter((word) => word.startsWith(CODE_HOME_PREFIX))
  return codes.length === 1 && !text.trimStart().startsWith(CODE_HOME_PREFIX) ? codes[0]! : text
}

/** The code itself, or a file that holds it. */
async function readHome(text: string): Promise<HomeCode> {
  const code = readHomeCode(text.startsWith('shallot:') ? text : await readCodeFile(text))
  if (code.ok) return code.value
  throw new CliError(
    code.why,
    code.why === 'code-version'
      ? 'the home code was made by a newer Shallot'
      : 'the home code is damaged: a character is missing or wrong',
    { next: 'copy it again, whole' },
  )
}

async function readCodeFile(path: string): Promise<string> {
  try {
    return codeIn((await readFile(path, 'utf8')).slice(0, FILE_CHARS_MAX))
  } catch (cause) {
    throw new CliError('missing', `--home is neither a shallot:home: code nor a file that can be read`, {
      cause,
      next: 'copy the whole code into a file and name that, with --home or SHALLOT_HOME',
    })
  }
}
