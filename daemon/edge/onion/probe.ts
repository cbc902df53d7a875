// SPDX-License-Identifier: GPL-3.0-or-later
import { connect, type Socket } from 'node:net'
import { type Clock, deadline } from '../../base/clock.ts'
import { isCode, no, type Verdict, yes } from '../../base/error.ts'
import { type OnionCode, OnionError } from './error.ts'

export interface ProbeDeps {
  readonly clock: Clock
  readonly dial: (address: string, port: number, signal: AbortSignal) => Promise<Socket>
}

export interface ProbeTarget {
  readonly address: string
  readonly port: number
  /** The unix socket behind the service, asked only when the way through tor failed. */
  readonly target: string
  readonly path: string
}

const PROBE_MS_MAX = 90_000
const ANSWER_MS_MAX = 20_000
const LOCAL_MS_MAX = 2000
const STATUS_LINE = /^HTTP\/1\.[01] [1-5]\d\d[ \r\n]/
const STATUS_LINE_BYTES = 13

/**
 * Goes out through tor and back in through the service's own address, as a stranger would, and asks for one HTTP answer.
 * Any status counts: what is measured is the way, not what lies behind it.
 */
export async function probe(
  deps: ProbeDeps,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<Verdict<void, OnionCode>> {
  using limit = deadline(deps.clock, PROBE_MS_MAX, signal)
  try {
    const socket = await deps.dial(target.address, target.port, limit.signal)
    using answer = deadline(deps.clock, ANSWER_MS_MAX, limit.signal)
    await askOnce(socket, target, answer.signal)
    return yes(undefined)
  } catch (error) {
    signal.throwIfAborted()
    const cause =
      error instanceof OnionError
        ? error
        : new OnionError('dial-timeout', 'no answer came through tor in time', { cause: error })
    // Through tor a dead target and a lost circuit look alike; from here they do not.
    if (isCode(cause, 'not-served') || isCode(cause, 'not-http') || isCode(cause, 'dial-timeout')) {
      if (!(await accepts(deps.clock, target.target))) {
        return no('target-dead', 'nothing accepts connections at the socket behind this address')
      }
    }
    return no(cause.code, cause.message)
  }
}

function askOnce(socket: Socket, target: ProbeTarget, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const end = (error?: unknown) => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      if (error === undefined) resolve()
      else reject(error)
    }
    const onAbort = () => end(signal.reason)
    const silent = () =>
      end(new OnionError('not-http', 'the service closed the connection without an answer'))
    socket.on('error', silent).on('close', silent)
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1', 0, STATUS_LINE_BYTES)
      if (heard.length < STATUS_LINE_BYTES) return
      end(STATUS_LINE.test(heard) ? undefined : new OnionError('not-http', 'the service does not speak HTTP'))
    })
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) return onAbort()
    socket.write(`GET ${target.path} HTTP/1.1\r\nHost: ${target.address}\r\nConnection: close\r\n\r\n`)
  })
}

function accepts(clock: Clock, path: string): Promise<boolean> {
  const limit = deadline(clock, LOCAL_MS_MAX)
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (accepted: boolean) => {
      limit[Symbol.dispose]()
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    limit.signal.addEventListener('abort', () => end(false), { once: true })
  })
}
