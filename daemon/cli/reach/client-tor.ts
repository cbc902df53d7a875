// SPDX-License-Identifier: GPL-3.0-or-later
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toBase32 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { ignore } from '../../base/error.ts'
import { abortable, Latch, once } from '../../base/lifetime.ts'
import type { Secret } from '../../base/secret.ts'
import { CliError } from '../error.ts'
import type { SocksPlace } from './socks.ts'

export interface ClientTorOptions {
  /** Name or path of the program. */
  readonly binary: string
  /** A file of torrc lines to add. */
  readonly torrcExtra?: string | undefined
  /** What the address asks for: its 56 characters and the X25519 private key (rend-spec-v3, CLIENT-AUTH-MGMT). */
  readonly authorisation?: { readonly address: string; readonly key: Secret } | undefined
  readonly onProgress: (percent: number, what: string) => void
}

/** A tor of our own, for as long as one command runs: it ends when disposed, and soon after this process dies. */
export interface ClientTor extends AsyncDisposable {
  readonly socks: SocksPlace
  /** Settles when circuits can be built. @throws CliError unreachable when tor ends before */
  readonly ready: Promise<void>
}

const STOP_MS_MAX = 2000
const EXTRA_BYTES_MAX = 65_536

/** @throws CliError missing when there is no tor to run or the extra lines cannot be read */
export async function openClientTor(
  clock: Clock,
  options: ClientTorOptions,
  signal: AbortSignal,
): Promise<ClientTor> {
  const directory = await mkdtemp(join(tmpdir(), 'shallot-tor-'))
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 3 })
  try {
    await prepare(directory, options)
    const tor = await launch(directory, options.binary)
    const ready = followBootstrap(tor, options.onProgress)
    const close = once(async () => {
      await end(clock, tor)
      await remove()
    })
    signal.addEventListener('abort', () => void close(), { once: true })
    return {
      socks: { path: join(directory, 'socks') },
      ready: abortable(ready, signal),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

async function prepare(directory: string, options: ClientTorOptions): Promise<void> {
  const { torrcExtra, authorisation } = options
  for (const name of ['data', 'auth']) await mkdir(join(directory, name), { mode: 0o700 })
  await writeFile(join(directory, 'empty'), '', { mode: 0o600 })
  if (authorisation) {
    const line = `${authorisation.address}:descriptor:x25519:${toBase32(authorisation.key.reveal()).toUpperCase()}\n`
    await writeFile(join(directory, 'auth', 'home.auth_private'), line, { mode: 0o600 })
  }
  const extra = torrcExtra === undefined ? '' : await readExtra(torrcExtra)
  await writeFile(join(directory, 'torrc'), torrcText(directory, extra), { mode: 0o600 })
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

function torrcText(directory: string, extra: string): string {
  const at = (name: string) => `"${join(directory, name).replace(/[\\"]/g, '\\$&')}"`
  return [
    `DataDirectory ${at('data')}`,
    `GeoIPFile ${at('empty')}`,
    `GeoIPv6File ${at('empty')}`,
    `SocksPort unix:${at('socks')} ExtendedErrors IsolateSOCKSAuth`,
    `ClientOnionAuthDir ${at('auth')}`,
    // Not even on the loopback: another account of this machine must not reach our tor.
    'ControlPort 0',
    'ClientOnly 1',
    'AvoidDiskWrites 1',
    'ShutdownWaitLength 0',
    'Log notice stdout',
    `__OwningControllerProcess ${process.pid}`,
    extra,
    '',
  ].join('\n')
}

async function launch(directory: string, binary: string): Promise<ChildProcess> {
  const args = ['--defaults-torrc', join(directory, 'empty'), '-f', join(directory, 'torrc')]
  const tor = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  tor.once('spawn', resolve)
  tor.once('error', reject)
  try {
    await promise
    return tor
  } catch (cause) {
    throw new CliError('missing', `${binary} cannot be run`, {
      cause,
      next: 'install tor, or name a running one with --tor-socks',
    })
  }
}

/** Reads tor's own account of how far it has come. */
function followBootstrap(tor: ChildProcess, onProgress: ClientTorOptions['onProgress']): Promise<void> {
  const ready = new Latch<void>()
  let tail = ''
  let warning = ''
  const hear = (text: string) => {
    const lines = (tail + text).split('\n')
    tail = lines.pop()!.slice(-500)
    for (const line of lines) {
      const phase = /Bootstrapped (\d{1,3})%[^:]*: (.{0,100})/.exec(line)
      if (phase) onProgress(Number(phase[1]), phase[2]!)
      if (phase?.[1] === '100') ready.open()
      const bad = /\[(?:warn|err)\] (.{0,300})/.exec(line)
      if (bad) warning = bad[1]!
    }
  }
  for (const stream of [tor.stdout!, tor.stderr!]) {
    stream.setEncoding('utf8')
    stream.on('data', hear)
    stream.on('error', (error) => ignore(error, 'the end of tor is told by its exit'))
  }
  tor.once('exit', (code, by) => {
    const how = by ?? `exit ${code}`
    ready.fail(new CliError('unreachable', `our tor ended before it was ready (${how}). ${warning}`.trim()))
  })
  return ready.promise
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
