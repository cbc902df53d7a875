// SPDX-License-Identifier: GPL-3.0-or-later
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { abortable } from '../../base/lifetime.ts'

export interface Ask {
  readonly method: string
  /** With query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** A way to one home's HTTP API that was open when it was made. */
export interface Way extends AsyncDisposable {
  readonly kind: 'unix' | 'lan' | 'tor'
  /** The other home of the owner by which it leads, if it is not the one that was asked for. */
  readonly by?: string | undefined
  /** What that one is called among homes, when another one answers. */
  readonly of?: string | undefined
  /** `through Tor`, for the person who waits. */
  readonly words: string
  /** How long an answer may take to begin, ms. */
  readonly patienceMs: number
  /** @throws what node:http throws; the signal's reason. The answer's body is the caller's to read or destroy. */
  ask(ask: Ask, signal: AbortSignal): Promise<IncomingMessage>
}

/** One request over TCP, TLS, a unix socket or whatever the agent brings. */
export function askOver(
  target: RequestOptions & { readonly secure?: boolean; readonly ca?: string },
  ask: Ask,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { secure, ...options } = target
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = (secure ? httpsRequest : httpRequest)(
    {
      ...options,
      method: ask.method,
      path: ask.path,
      headers: { ...ask.headers, ...(ask.body.length > 0 && { 'content-length': String(ask.body.length) }) },
      signal,
      maxHeaderSize: 16_384,
    },
    resolve,
  )
  // HTTP/1.1 keeps a connection by itself: to say so would cost 24 bytes of the cell of Tor that a command fits into.
  if (request.shouldKeepAlive) request.removeHeader('connection')
  request.on('error', reject)
  if (ask.body.length > 0) request.write(ask.body)
  request.end()
  return abortable(promise, signal)
}
