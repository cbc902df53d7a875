// SPDX-License-Identifier: GPL-3.0-or-later
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { ignore } from '../../base/error.ts'
import { abortable, Latch, once } from '../../base/lifetime.ts'
import type { Secret } from '../../base/secret.ts'
import { openVault } from '../../config/vault.ts'
import { CliError } from '../error.ts'
import type { SocksPlace } from './socks.ts'
import { openTorControl, type TorControl } from './tor-control.ts'
import { holdsGuard, openRunDirectory } from './tor-directory.ts'

export interface ClientTorOptions {
  /** Name or path of the program. */
  readonly binary: string
  /** What tor keeps from one command to the next: its guard and the directory of relays. */
  readonly directory: string
  /** A file of torrc lines to add. */
  readonly torrcExtra?: string | undefined
  /** What addresses ask for: their 56 characters and the X25519 private keys. Never written to disk. */
  readonly authorisations: ReadonlyArray<{ readonly address: string; readonly key: Secret }>
  readonly onProgress: (percent: number, what: string) => void
}

/** A tor of our own, for as long as one command runs: it ends when disposed, and when this process dies. */
export interface ClientTor extends AsyncDisposable {
  readonly socks: SocksPlace
  /** Settles when circuits can be built. @throws CliError unreachable when tor ends before */
  readonly ready: Promise<void>
  /** Forgets circuits and what was not found; tor obeys once in RENEW_MS_MIN. */
  renew(): Promise<void>
}

export const RENEW_MS_MIN = 10_000
const STOP_MS_MAX = 2000
const EXTRA_BYTES_MAX = 65_536

/**
 * A second tor at the same time does not wait for the first, which may belong to a `watch` without end, and does not share it,
 * since it would end with the first command and holds the keys of that command: it starts from a copy of what the first keeps. The
 * lock is tor's own, held by the kernel, so nothing has to be cleared away after a command was killed.
 * @throws CliError missing when there is no tor to run or the extra lines cannot be read
 */
export async function openClientTor(
  clock: Clock,
  options: ClientTorOptions,
  signal: AbortSignal,
): Promise<ClientTor> {
  await using stack = new AsyncDisposableStack()
  const run = stack.use(await openRunDirectory())
  openVault(options.directory)
  const extra = options.torrcExtra === undefined ? '' : await readExtra(options.torrcExtra)
  const launchIn = async (data: string) => {
    await writeFile(join(run.path, 'torrc'), torrcText(run.path, data, extra), { mode: 0o600 })
    return launch(run.path, options)
  }
  let tor = await launchIn(options.directory)
  stack.defer(() => end(clock, tor.child))
  if ((await abortable(tor.place.promise, signal)) === 'taken' && !(await gotIt(tor, options.directory))) {
    await end(clock, tor.child)
    tor = await launchIn(await run.spareOf(options.directory))
    await abortable(tor.place.promise, signal)
  }
  const control = stack.use(await takeOver(run.path, options))
  const opened = stack.move()
  const close = once(() => opened.disposeAsync())
  signal.addEventListener('abort', () => void close(), { once: true })
  return {
    socks: { path: join(run.path, 'socks') },
    ready: abortable(tor.ready.promise, signal),
    async renew() {
      await control.renew()
      // NEWNYM makes tor forget the keys that it was given by the control port, too.
      await authorise(control, options)
    },
    [Symbol.asyncDispose]: close,
  }
}

/** Whether it is worth waiting for the kept directory: only while a copy would choose a guard of its own. tor itself waits 5 s. */
async function gotIt(tor: Running, kept: string): Promise<boolean> {
  if (await holdsGuard(kept)) return false
  return tor.begun.promise.then(
    () => true,
    (error) => {
      ignore(error, 'the other tor holds on')
      return false
    },
  )
}

async function authorise(control: TorControl, { authorisations }: ClientTorOptions): Promise<void> {
  for (const { address, key } of authorisations) await control.authorise(address, key)
}

async function takeOver(directory: string, options: ClientTorOptions): Promise<TorControl> {
  const control = await openTorControl(join(directory, 'control'))
  try {
    await authorise(control, options)
    return control
  } catch (error) {
    control[Symbol.dispose]()
    throw error
  }
}

async function readExtra(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    if (text.length <= EXTRA_BYTES_MAX) return text
  } catch (cause) {
    throw new CliError('missing', `the extra torrc lines in ${path} cannot be read`, { cause })
  }
  throw new CliError('bad-config', `${path} is too long for extra torrc lines`)
}

function torrcText(directory: string, data: string, extra: string): string {
  // Within a line a `#` begins a comment, in quotes too.
  const quoted = (path: string) => `"${path.replace(/[\\"]/g, '\\$&').replaceAll('#', '\\043')}"`
  const at = (name: string) => quoted(join(directory, name))
  return [
    `DataDirectory ${quoted(data)}`,
    // What lay unused for long would else begin asleep.
    'DormantCanceledByStartup 1',
    `GeoIPFile ${at('empty')}`,
    `GeoIPv6File ${at('empty')}`,
    `SocksPort unix:${at('socks')} ExtendedErrors IsolateSOCKSAuth`,
    // Not even on the loopback: another account of this machine must not reach our tor.
    'ControlPort 0',
    `ControlSocket unix:${at('control')}`,
    'ClientOnly 1',
    'ShutdownWaitLength 0',
    'Log notice stdout',
    `__OwningControllerProcess ${process.pid}`,
    extra,
    '',
  ].join('\n')
}

interface Running {
  readonly child: ChildProcess
  /** What is known first: the data directory is its own, or another tor holds it. */
  readonly place: Latch<'own' | 'taken'>
  /** It has the directory, now or after waiting for it. */
  readonly begun: Latch<void>
  readonly ready: Latch<void>
}

async function launch(directory: string, { binary, onProgress }: ClientTorOptions): Promise<Running> {
  const args = ['--defaults-torrc', join(directory, 'empty'), '-f', join(directory, 'torrc')]
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.once('spawn', resolve)
  child.once('error', reject)
  try {
    await promise
  } catch (cause) {
    throw new CliError('missing', `there is no program ${binary} that can be run`, {
      cause,
      next: 'install tor (Debian: apt install tor), or name a running one with --tor-socks',
    })
  }
  return follow(child, onProgress)
}

/** Reads tor's own account of how far it has come. */
function follow(child: ChildProcess, onProgress: ClientTorOptions['onProgress']): Running {
  const place = new Latch<'own' | 'taken'>()
  const [begun, ready] = [new Latch<void>(), new Latch<void>()]
  let warning = ''
  const hear = (line: string) => {
    if (/another Tor process is running with the same data directory/.test(line)) place.open('taken')
    const phase = /Bootstrapped (\d{1,3})%[^:]*: (.{0,100})/.exec(line)
    if (phase) {
      place.open('own')
      begun.open()
      onProgress(Number(phase[1]), phase[2]!)
    }
    if (phase?.[1] === '100') ready.open()
    warning = /\[(?:warn|err)\] (.{0,300})/.exec(line)?.[1] ?? warning
  }
  for (const stream of [child.stdout!, child.stderr!]) hearLines(stream, hear)
  child.once('exit', (code, by) => {
    const how = by ?? `exit ${code}`
    const why = new CliError('unreachable', `our tor ended before it was ready (${how}). ${warning}`.trim())
    for (const latch of [place, begun, ready]) latch.fail(why)
  })
  return { child, place, begun, ready }
}

function hearLines(stream: NodeJS.ReadableStream, hear: (line: string) => void): void {
  let tail = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (tail + text).split('\n')
    tail = lines.pop()!.slice(-500)
    lines.forEach(hear)
  })
  stream.on('error', (error) => ignore(error, 'the end of tor is told by its exit'))
}

async function end(clock: Clock, tor: ChildProcess): Promise<void> {
  if (tor.exitCode !== null || tor.signalCode !== null) return
  const gone = new Latch<void>()
  tor.once('exit', () => gone.open())
  tor.kill('SIGTERM')
  const late = new AbortController()
  const kill = clock.sleep(STOP_MS_MAX, late.signal).then(
    () => tor.kill('SIGKILL'),
    (error) => ignore(error, 'tor ended in time'),
  )
  await gone.promise
  late.abort()
  await kill
}
