// SPDX-License-Identifier: GPL-3.0-or-later
import { isAbsolute, join, relative } from 'node:path'
import { OnionError } from './error.ts'

/** sun_path holds 108 bytes and tor wants the closing zero. */
export const SOCKET_PATH_BYTES_MAX = 107

/** Everything our own tor reads and writes, inside one directory of mode 0700. */
export interface TorFiles {
  readonly directory: string
  readonly data: string
  readonly torrc: string
  /** Always empty: named as geoip tables and as the defaults file, so that nothing of the machine's own tor is read. */
  readonly empty: string
  readonly cookie: string
  readonly control: string
  readonly socks: string
}

/** @throws OnionError bad-path when a socket in this directory could not be reached */
export function torFiles(directory: string): TorFiles {
  return {
    directory,
    data: join(directory, 'data'),
    torrc: join(directory, 'torrc'),
    empty: join(directory, 'empty'),
    cookie: join(directory, 'cookie'),
    control: socketPath(join(directory, 'control')),
    socks: socketPath(join(directory, 'socks')),
  }
}

/** @returns the path, if the kernel can bind it. @throws OnionError bad-path */
export function socketPath(path: string): string {
  const bytes = Buffer.byteLength(path)
  if (!isAbsolute(path)) throw new OnionError('bad-path', `the socket path ${path} is not absolute`)
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    const excess = `has ${bytes} bytes, ${SOCKET_PATH_BYTES_MAX} is the system's limit for sockets`
    throw new OnionError('bad-path', `${path} ${excess}: choose a shorter directory`)
  }
  if (/[\x00-\x1f\x7f]/.test(path)) {
    throw new OnionError('bad-path', 'a socket path must not contain control characters')
  }
  return path
}

/**
 * A target goes into a control command, where a blank ends the argument, and tor refuses what is not ASCII.
 * @param from  where tor runs, if that is known: seen from there the path has nothing of what the directories above are called
 * @throws OnionError bad-path
 */
export function targetPath(path: string, from: string | undefined): string {
  const target = from === undefined ? socketPath(path) : relative(from, socketPath(path))
  if (/[^\x21-\x7e]|["\\,]/.test(target)) {
    throw new OnionError('bad-path', `the socket path ${path} must be ASCII without blanks, commas or quotes`)
  }
  return target
}

/** The text of our tor's torrc. @param owner the process whose death ends tor */
export function torrcText(files: TorFiles, owner: number, extra: readonly string[]): string {
  const lines = [
    `DataDirectory ${quote(files.data)}`,
    `GeoIPFile ${quote(files.empty)}`,
    `GeoIPv6File ${quote(files.empty)}`,
    `ControlSocket unix:${quote(files.control)}`,
    'CookieAuthentication 1',
    `CookieAuthFile ${quote(files.cookie)}`,
    `SocksPort unix:${quote(files.socks)} ExtendedErrors IsolateSOCKSAuth`,
    // Not even on the loopback: another account of this machine must not reach our tor.
    'ControlPort 0',
    'ClientOnly 1',
    'AvoidDiskWrites 1',
    'ShutdownWaitLength 0',
    'Log notice stdout',
    `__OwningControllerProcess ${owner}`,
    ...extra,
  ]
  const broken = lines.find((line) => /[\x00-\x08\x0a-\x1f\x7f]/.test(line))
  if (broken !== undefined)
    throw new OnionError('bad-path', 'a torrc line must not contain control characters')
  return `${lines.join('\n')}\n`
}

/** Within a line a `#` begins a comment, in quotes too. */
function quote(path: string): string {
  return `"${path.replace(/[\\"]/g, '\\$&').replaceAll('#', '\\043')}"`
}
