// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A private Tor network on 127.0.0.1: one authority and five relays, or up to eleven, real tor, no way out to any other network.
 * In: nothing, or a directory and a base port. Out: the torrc lines and the cached files with which any other tor joins.
 * It stays true that every node dies with this process, even when it is killed, and that two networks never share a port.
 * Absent on purpose: exits, clients and services. Who needs a client runs its own tor with `torrc` and `seedFiles`.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Clock, systemClock } from '../daemon/base/clock.ts'
import { once } from '../daemon/base/lifetime.ts'
import { type Random, systemRandom } from '../daemon/base/random.ts'
import { argumentsOf } from './arguments.ts'
import { makeAuthorityKeys } from './private-tor/keys.ts'
import { answers, Nodes } from './private-tor/nodes.ts'
import { claimAnyPorts, claimPorts, PORTS_PER_RANGE, type PortClaim } from './private-tor/ports.ts'
import {
  defaultStore,
  findSnapshots,
  restoreSnapshot,
  type Snapshot,
  saveSnapshot,
} from './private-tor/snapshot.ts'
import {
  directoryPort,
  emptyFile,
  type Layout,
  memberTorrc,
  type NodeName,
  nodesOf,
  orPort,
  RELAYS,
  RELAYS_MAX,
  rangesFor,
  resolverFile,
  VOTING_INTERVAL_S,
} from './private-tor/torrc.ts'

export type { NodeName } from './private-tor/torrc.ts'

export interface PrivateTorDeps {
  readonly clock: Clock
  readonly random: Random
}

export interface PrivateTorOptions {
  /** Where the network lives; made when missing and kept afterwards. Without it: a temporary one, removed afterwards. */
  readonly directory?: string
  /** First of ten ports on 127.0.0.1, of twenty when there are more than five relays. Without it: any free range from 21000 on. */
  readonly basePort?: number
  /** Beside the authority, 3 to 11; 5 unless said otherwise. */
  readonly relays?: number
  /** Folder of snapshots that make later starts fast, or false for none. */
  readonly snapshots?: string | false
  /** Told in a sentence what is being done. */
  readonly say?: (sentence: string) => void
}

export interface PrivateTor extends AsyncDisposable {
  readonly directory: string
  readonly basePort: number
  readonly startedFrom: 'nothing' | 'snapshot'
  /** Lines that a client's or service's torrc needs to join, DirAuthority among them. */
  readonly torrc: readonly string[]
  /** Folder of cached directory files; a tor that finds them in its DataDirectory need not fetch them. */
  readonly seedFiles: string
  /** Process id of a node, for tests that disturb the network. */
  pid(node: NodeName): number | undefined
}

const READY_MS_MAX = 60_000
const WAKE_MS_MAX = 8000
/**
 * How far ahead the first vote is set once the authority knows every relay. What takes place before is a
 * restart and a read of its keys. A machine that is too busy for that would have the next half an hour later: it is set again.
 */
const VOTE_LEADS_S = [5, 10, 20, 40]
/** Behind the vote, for its result to be written. */
const RESULT_MS_MAX = 5000
const SEED_FILES = [
  'cached-certs',
  'cached-microdesc-consensus',
  'cached-microdescs',
  'cached-microdescs.new',
]

/**
 * Opens the network: about 12 s from nothing, about 1 s from a snapshot.
 * A snapshot that is stale, damaged, of another tor version or does not wake is passed over for a start from nothing.
 */
export async function openPrivateTor(
  deps: PrivateTorDeps,
  options: PrivateTorOptions,
  signal: AbortSignal,
): Promise<PrivateTor> {
  const say = options.say ?? (() => {})
  const store = options.snapshots === false ? undefined : (options.snapshots ?? defaultStore)
  const torVersion = await versionOfTor()
  await using held = new AsyncDisposableStack()
  const directory = await makeDirectory(options, held)
  const place = await choosePlace(deps, options, store, torVersion)
  held.use(place.claim)
  const nodes = held.use(new Nodes(deps.clock))
  const { relays } = place
  const start: Start = { deps, nodes, say, signal, directory, relays, basePort: place.claim.basePort }
  const woken = place.snapshot && (await wake(start, place.snapshot))
  const layout = woken ?? (await beginFromNothing(start))
  say(
    `a private Tor network of ${relays + 1} nodes is up on 127.0.0.1, the first of its ports is ${layout.basePort}`,
  )
  const handles = held.move()
  const close = once(async () => {
    await nodes[Symbol.asyncDispose]()
    if (store !== undefined && woken === undefined) {
      await saveSnapshot(store, layout, torVersion).catch((error) => say(`no snapshot was saved: ${error}`))
    }
    await handles.disposeAsync()
  })
  return {
    directory,
    basePort: layout.basePort,
    startedFrom: woken === undefined ? 'nothing' : 'snapshot',
    torrc: memberTorrc(layout),
    seedFiles: join(directory, 'seed'),
    pid: (node) => nodes.pid(node),
    [Symbol.asyncDispose]: close,
  }
}

interface Start {
  readonly deps: PrivateTorDeps
  readonly nodes: Nodes
  readonly say: (sentence: string) => void
  readonly signal: AbortSignal
  readonly directory: string
  readonly relays: number
  readonly basePort: number
}

async function versionOfTor(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('tor', ['--version'])
    return stdout.split('\n', 1)[0]!
  } catch (cause) {
    throw new Error('tor is not installed (Debian package tor)', { cause })
  }
}

async function makeDirectory(options: PrivateTorOptions, held: AsyncDisposableStack): Promise<string> {
  if (options.directory !== undefined) {
    const directory = resolve(options.directory)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return directory
  }
  const directory = await mkdtemp(join(tmpdir(), 'private-tor-'))
  held.defer(() => rm(directory, { recursive: true, force: true }))
  return directory
}

interface Place {
  readonly claim: PortClaim
  readonly relays: number
  readonly snapshot: Snapshot | undefined
}

/** A snapshot brings its ports along; the first whose ports are free is taken. */
async function choosePlace(
  deps: PrivateTorDeps,
  options: PrivateTorOptions,
  store: string | undefined,
  torVersion: string,
): Promise<Place> {
  const { basePort, relays = RELAYS } = options
  if (relays < 3 || relays > RELAYS_MAX) throw new Error(`${relays} relays are not 3 to ${RELAYS_MAX}`)
  const ranges = rangesFor(relays)
  const known = store === undefined ? [] : await findSnapshots(store, torVersion, deps.clock.now())
  for (const snapshot of known) {
    const { layout } = snapshot
    if (layout.relays !== relays || (basePort !== undefined && layout.basePort !== basePort)) continue
    const claim = await claimPorts(layout.basePort, ranges)
    if (claim !== undefined) return { claim, relays, snapshot }
  }
  if (basePort === undefined)
    return { claim: await claimAnyPorts(deps.random.fraction, ranges), relays, snapshot: undefined }
  const claim = await claimPorts(basePort, ranges)
  if (claim === undefined) {
    const last = basePort + ranges * PORTS_PER_RANGE - 1
    throw new Error(`ports ${basePort} to ${last} of 127.0.0.1 are not free`)
  }
  return { claim, relays, snapshot: undefined }
}

async function wake(start: Start, snapshot: Snapshot): Promise<Layout | undefined> {
  const { nodes, say, directory } = start
  const layout: Layout = { ...snapshot.layout, directory }
  say('waking the network from a snapshot')
  try {
    await clear(start)
    await restoreSnapshot(snapshot, directory)
    await writeCommonFiles(directory)
    await Promise.all(nodesOf(layout).map((node) => nodes.start(layout, node)))
    await listening(start, layout, WAKE_MS_MAX)
    return layout
  } catch (error) {
    start.signal.throwIfAborted()
    say(
      `the snapshot cannot be used (${error instanceof Error ? error.message : error}); starting from nothing`,
    )
    await Promise.all(nodesOf(layout).map((node) => nodes.kill(node)))
    await rm(snapshot.path, { recursive: true, force: true })
    return undefined
  }
}

/**
 * A relay that misses the first vote is absent for a whole interval. So the authority first runs with its vote half
 * an interval away; when it holds every descriptor it is started again with the vote a few seconds ahead.
 */
async function beginFromNothing(start: Start): Promise<Layout> {
  const { nodes, say, directory, relays, basePort, deps } = start
  const all = nodesOf(start)
  say('making the keys of a new network')
  await clear(start)
  await Promise.all(all.map((node) => mkdir(join(directory, node, 'keys'), { recursive: true, mode: 0o700 })))
  await writeCommonFiles(directory)
  const authority = await makeAuthorityKeys(join(directory, 'authority', 'keys'), directoryPort(basePort))
  const early: Layout = {
    directory,
    basePort,
    authority,
    relays,
    voteOffset: offsetAt(deps.clock, VOTING_INTERVAL_S / 2),
  }
  await Promise.all(all.map((node) => nodes.start(early, node)))
  say('waiting until the authority knows every relay')
  await until(start, early, READY_MS_MAX, async () => (await descriptorsHeld(early)) >= all.length)
  const layout = await vote(start, early)
  await until(start, layout, READY_MS_MAX, async () => (await microdescriptorsHeld(layout)) >= all.length)
  await copySeed(layout)
  return layout
}

async function vote(start: Start, early: Layout): Promise<Layout> {
  const { nodes, say, deps } = start
  for (const lead of VOTE_LEADS_S) {
    await nodes.kill('authority')
    const layout: Layout = { ...early, voteOffset: offsetAt(deps.clock, lead) }
    await nodes.start(layout, 'authority')
    say(`waiting for the first consensus, in ${lead} s`)
    const isThere = async () => (await relaysInConsensus(layout)) >= nodesOf(early).length
    if (await comes(start, layout, lead * 1000 + RESULT_MS_MAX, isThere)) return layout
  }
  throw new Error(`of ${VOTE_LEADS_S.length} votes none named every relay: is this machine too busy?`)
}

function offsetAt(clock: Clock, leadSeconds: number): number {
  return Math.ceil(clock.now() / 1000 + leadSeconds) % VOTING_INTERVAL_S
}

/** Only what a network makes is removed: the directory may be the caller's. */
async function clear({ directory, relays }: Start): Promise<void> {
  for (const part of [...nodesOf({ relays }), 'seed'])
    await rm(join(directory, part), { recursive: true, force: true })
}

async function writeCommonFiles(directory: string): Promise<void> {
  await writeFile(emptyFile(directory), '')
  await writeFile(resolverFile(directory), 'nameserver 127.0.0.1\n')
}

async function until(start: Start, layout: Layout, ms: number, test: () => Promise<boolean>): Promise<void> {
  if (!(await comes(start, layout, ms, test))) throw new Error(`the network was not ready after ${ms} ms`)
}

async function comes(
  { deps: { clock }, nodes, signal }: Start,
  layout: Layout,
  ms: number,
  test: () => Promise<boolean>,
): Promise<boolean> {
  const end = clock.monotonic() + ms
  while (!(await test())) {
    await nodes.assertAlive(layout)
    if (clock.monotonic() > end) return false
    await clock.sleep(50, signal)
  }
  return true
}

function listening(start: Start, layout: Layout, ms: number): Promise<void> {
  const ports = [
    ...nodesOf(layout).map((node) => orPort(layout.basePort, node)),
    directoryPort(layout.basePort),
  ]
  return until(start, layout, ms, async () => (await Promise.all(ports.map(answers))).every(Boolean))
}

async function readHeld(layout: Layout, ...files: readonly string[]): Promise<string> {
  const texts = files.map((file) =>
    readFile(join(layout.directory, 'authority', file), 'utf8').catch(() => ''),
  )
  return (await Promise.all(texts)).join('\n')
}

async function descriptorsHeld(layout: Layout): Promise<number> {
  const text = await readHeld(layout, 'cached-descriptors', 'cached-descriptors.new')
  // To its last line: the authority is killed next, and one that is cut off would not be in its vote.
  const whole = text.matchAll(/^fingerprint ([^\n]*)$.*?^-----END SIGNATURE-----$/gms)
  return new Set([...whole].map(([, relay]) => relay)).size
}

async function relaysInConsensus(layout: Layout): Promise<number> {
  const text = await readHeld(layout, 'cached-microdesc-consensus')
  return text.match(/^s .*\bHSDir\b.*\bRunning\b/gm)?.length ?? 0
}

async function microdescriptorsHeld(layout: Layout): Promise<number> {
  const text = await readHeld(layout, 'cached-microdescs', 'cached-microdescs.new')
  return text.match(/^onion-key$/gm)?.length ?? 0
}

async function copySeed(layout: Layout): Promise<void> {
  const seed = join(layout.directory, 'seed')
  await mkdir(seed, { recursive: true, mode: 0o700 })
  for (const file of SEED_FILES) {
    await copyFile(join(layout.directory, 'authority', file), join(seed, file)).catch(() => {})
  }
}

async function main(): Promise<void> {
  const { values } = argumentsOf('usage: node scripts/private-tor.ts [--dir D] [--base-port P] [--json]', {
    options: { dir: { type: 'string' }, 'base-port': { type: 'string' }, json: { type: 'boolean' } },
  })
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort())
  const began = systemClock.monotonic()
  await using network = await openPrivateTor(
    { clock: systemClock, random: systemRandom },
    {
      ...(values.dir === undefined ? {} : { directory: values.dir }),
      ...(values['base-port'] === undefined ? {} : { basePort: portOf(values['base-port']) }),
      say: (sentence) => console.error(sentence),
    },
    stop.signal,
  )
  const { directory, basePort, startedFrom, torrc, seedFiles } = network
  const ms = Math.round(systemClock.monotonic() - began)
  if (values.json) console.log(JSON.stringify({ ms, directory, basePort, startedFrom, torrc, seedFiles }))
  else
    console.log(
      [`# up after ${ms} ms; to join, copy ${seedFiles}/* into a DataDirectory and use:`, ...torrc].join(
        '\n',
      ),
    )
  await stopped(stop.signal)
}

function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1024 || port > 65_526)
    throw new Error(`--base-port ${text} is not 1024 to 65526`)
  return port
}

function stopped(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 1 << 30)
  return new Promise((resolve) => {
    const end = () => resolve(clearInterval(alive))
    if (signal.aborted) end()
    signal.addEventListener('abort', end, { once: true })
  })
}

if (import.meta.main) {
  await main().catch((error) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
}
