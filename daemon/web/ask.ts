// SPDX-License-Identifier: GPL-3.0-or-later
/** One question to the home: sealed, patient, read within limits. Nothing here knows what the answers mean. */
import { toBase64url } from '../base/bytes.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { readProblem } from './answers.ts'
import { badAnswer, PageError } from './error.ts'
import { parseJson } from './fields.ts'
import type { Person } from './person.ts'

export interface AskDeps {
  readonly clock: Clock
  readonly fetch: typeof fetch
}

export interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly type?: 'application/json' | 'application/cose'
  readonly body?: Uint8Array<ArrayBuffer>
  /** The body is a sealed command, which says by itself who asks (SPEC 9.2). */
  readonly sealed?: true
}

/** Through Tor a circuit may have to be built first. */
const ANSWER_MS_MAX = 60_000
const BODY_CHARS_MAX = 4 * 1024 * 1024
const LINE_CHARS_MAX = 2 * 1024 * 1024
const NOTHING = new Uint8Array()

export class Asker {
  readonly #deps: AskDeps
  readonly #person: Person

  constructor(deps: AskDeps, person: Person) {
    this.#deps = deps
    this.#person = person
  }

  /** @throws PageError with the home's refusal; unreachable; bad-answer */
  async json(call: Call, signal: AbortSignal): Promise<unknown> {
    using patience = deadline(this.#deps.clock, ANSWER_MS_MAX, signal)
    const response = await this.#ask(call, 'application/json', patience.signal)
    const text = await whole(response)
    return text === '' ? undefined : parseJson(text)
  }

  /** What is no text, at most `most` bytes. @throws PageError as `json` does */
  async bytes(call: Call, most: number, signal: AbortSignal): Promise<Uint8Array> {
    using patience = deadline(this.#deps.clock, ANSWER_MS_MAX, signal)
    const response = await this.#ask(call, '*/*', patience.signal)
    if (Number(response.headers.get('content-length') ?? 0) > most) throw badAnswer('end')
    try {
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (bytes.length > most) throw badAnswer('end')
      return bytes
    } catch (cause) {
      if (cause instanceof PageError) throw cause
      throw new PageError('unreachable', 'the connection to the home broke off', { cause })
    }
  }

  /** The lines of an answer as they come; silent for `silenceMsMax`: unreachable. */
  async *lines(
    call: Call & { readonly accept: string },
    silenceMsMax: number,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const over = new AbortController()
    const end = () => over.abort(signal.reason)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    try {
      const response = await this.#patiently(this.#ask(call, call.accept, over.signal), ANSWER_MS_MAX)
      yield* this.#linesOf(response, silenceMsMax)
    } finally {
      signal.removeEventListener('abort', end)
      over.abort()
    }
  }

  async *#linesOf(response: Response, silenceMsMax: number): AsyncGenerator<string> {
    const reader = response.body!.getReader()
    const decoder = new TextDecoder()
    let held = ''
    for (;;) {
      const { done, value } = await this.#patiently(reader.read(), silenceMsMax)
      held += decoder.decode(value, { stream: !done })
      for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
        yield held.slice(0, end).replace(/\r$/, '')
        held = held.slice(end + 1)
      }
      if (held.length > LINE_CHARS_MAX) throw badAnswer('end of line')
      if (done) return held === '' ? undefined : yield held
    }
  }

  async #ask(call: Call, accept: string, signal: AbortSignal): Promise<Response> {
    const { method, path, body = NOTHING, type, sealed } = call
    const headers = new Headers({ accept })
    if (type) headers.set('content-type', type)
    if (!sealed) {
      headers.set('authorization', `Shallot ${toBase64url(this.#person.request(method, path, body))}`)
    }
    // There is nothing to omit, and a browser would open another connection for what goes without credentials.
    const init: RequestInit = { method, headers, signal, cache: 'no-store', credentials: 'same-origin' }
    const response = await this.#deps
      .fetch(path, { ...init, redirect: 'error', ...(call.body && { body: call.body }) })
      .catch((cause) => {
        throw new PageError('unreachable', 'the home does not answer', { cause })
      })
    if (response.ok) return response
    const { code, reason, detail } = readProblem(await whole(response))
    if (!code) throw new PageError('bad-answer', `the home refused with status ${response.status}`)
    throw new PageError(code === 'unauthorized' && reason ? reason : code, detail ?? code)
  }

  async #patiently<T>(promise: Promise<T>, ms: number): Promise<T> {
    using patience = deadline(this.#deps.clock, ms)
    const late = new Promise<never>((_resolve, reject) => {
      patience.signal.addEventListener('abort', () =>
        reject(new PageError('unreachable', `nothing was heard of the home for ${Math.round(ms / 1000)} s`)),
      )
    })
    return await Promise.race([promise, late]).catch((error) => {
      throw error instanceof PageError
        ? error
        : new PageError('unreachable', 'the connection to the home broke off', { cause: error })
    })
  }
}

async function whole(response: Response): Promise<string> {
  if (Number(response.headers.get('content-length') ?? 0) > BODY_CHARS_MAX) throw badAnswer('end')
  try {
    const text = await response.text()
    if (text.length > BODY_CHARS_MAX) throw badAnswer('end')
    return text
  } catch (cause) {
    if (cause instanceof PageError) throw cause
    throw new PageError('unreachable', 'the connection to the home broke off', { cause })
  }
}
