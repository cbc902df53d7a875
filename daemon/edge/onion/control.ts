// SPDX-License-Identifier: GPL-3.0-or-later
import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { concat, equal, fromHex, toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { Latch } from '../../base/lifetime.ts'
import type { Random } from '../../base/random.ts'
import { asOnionError, OnionError } from './error.ts'
import { fieldsOf, type Reply, ReplyReader } from './reply.ts'

export interface ControlDeps {
  readonly clock: Clock
  readonly random: Random
}

/**
 * One authenticated conversation with tor. Replies come in the order of the commands, so a command that stays without
 * its reply ends the whole conversation: every command settles, and none is left behind.
 */
export interface Control extends Disposable {
  /**
   * @param line  without line end
   * @returns tor's final reply, refusals (5xx) included
   * @throws OnionError control-closed | control-silent | control-busy | reply-* once the conversation is over
   */
  command(line: string): Promise<Reply>
  /** Settles when the conversation is over, with the reason; never rejects. */
  readonly closed: Promise<OnionError>
  onEvent(listener: (event: Reply) => void): Disposable
}

const PENDING_MAX = 256
/** A tor that is busy publishing many services falls silent for up to 20 s and is well. */
const COMMAND_MS_MAX = 60_000
const LOGIN_MS_MAX = 10_000
const CONNECT_PAUSE_MS = 20
const COOKIE_BYTES = 32
const NONCE_BYTES = 32

/**
 * Connects to a control socket, waiting up to 10 s for it to appear, and logs in with SAFECOOKIE (control-spec §3.24).
 * COOKIE is never used: it would show the cookie to whoever took the socket's place.
 * @throws OnionError control-* | reply-* | cookie-unreadable | server-hash-wrong | login-refused
 */
export async function openControl(
  deps: ControlDeps,
  socketPath: string,
  signal: AbortSignal,
): Promise<Control> {
  const control = new Conversation(deps.clock, await connectPatiently(deps.clock, socketPath, signal))
  const onAbort = () => control.end(new OnionError('control-closed', 'the room was closed'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  control.closed.then(() => signal.removeEventListener('abort', onAbort))
  try {
    await logIn(deps, control)
    return control
  } catch (error) {
    control[Symbol.dispose]()
    throw error
  }
}

/** Sends a command that is to succeed. @throws OnionError command-refused with tor's words, and as `command` does */
export async function obey(control: Control, line: string): Promise<Reply> {
  const reply = await control.command(line)
  if (Math.floor(reply.code / 100) !== 2) {
    throw new OnionError('command-refused', `tor refused ${verbOf(line)}: ${sayingOf(reply)}`)
  }
  return reply
}

/** The value of one GETINFO key. */
export async function getInfo(control: Control, key: string): Promise<string> {
  const { lines } = await obey(control, `GETINFO ${key}`)
  const line = lines[0]!
  if (!line.text.startsWith(`${key}=`)) {
    throw new OnionError('reply-unexpected', `tor answered GETINFO ${key} with something else`)
  }
  return line.data ?? line.text.slice(key.length + 1)
}

async function connectPatiently(clock: Clock, path: string, signal: AbortSignal): Promise<Socket> {
  const end = clock.monotonic() + LOGIN_MS_MAX
  for (;;) {
    try {
      return await connected(path)
    } catch (cause) {
      signal.throwIfAborted()
      if (clock.monotonic() >= end) {
        throw new OnionError('control-unreachable', `no tor answers at ${path}`, { cause })
      }
      await clock.sleep(CONNECT_PAUSE_MS, signal)
    }
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

async function logIn(deps: ControlDeps, control: Conversation): Promise<void> {
  const cookie = await readCookie(cookieFileOf(await control.command('PROTOCOLINFO 1', LOGIN_MS_MAX)))
  const ours = deps.random.bytes(NONCE_BYTES)
  const answer = await control.command(`AUTHCHALLENGE SAFECOOKIE ${toHex(ours)}`, LOGIN_MS_MAX)
  const fields = fieldsOf(answer.lines[0]!.text)
  const hash = fromHex(fields.get('SERVERHASH') ?? '')
  const theirs = fromHex(fields.get('SERVERNONCE') ?? '')
  if (answer.code !== 250 || hash?.length !== 32 || theirs?.length !== NONCE_BYTES) {
    throw new OnionError('login-refused', 'tor did not answer the login challenge')
  }
  const message = concat(cookie, ours, theirs)
  if (!equal(hmac('Tor safe cookie authentication server-to-controller hash', message), hash)) {
    throw new OnionError('server-hash-wrong', 'what answers at the control socket does not know the cookie')
  }
  const proof = hmac('Tor safe cookie authentication controller-to-server hash', message)
  const verdict = await control.command(`AUTHENTICATE ${toHex(proof)}`, LOGIN_MS_MAX)
  if (verdict.code !== 250) throw new OnionError('login-refused', 'tor refused the login')
}

function cookieFileOf(info: Reply): string {
  const login = info.lines.find((line) => line.text.startsWith('AUTH '))
  const fields = fieldsOf(login?.text ?? '')
  const file = fields.get('COOKIEFILE')
  if (info.code !== 250 || file === undefined || !fields.get('METHODS')?.split(',').includes('SAFECOOKIE')) {
    throw new OnionError('login-refused', 'this tor offers no SAFECOOKIE login; set CookieAuthentication 1')
  }
  return file
}

async function readCookie(file: string): Promise<Uint8Array> {
  const cookie = await readFile(file).catch((error) => {
    throw new OnionError('cookie-unreadable', "tor's cookie file cannot be read", { cause: error })
  })
  // A control socket in false hands could name any file; nothing but a cookie is ever put through the hash.
  if (cookie.length !== COOKIE_BYTES) {
    throw new OnionError('cookie-unreadable', `tor's cookie has ${cookie.length} bytes, not ${COOKIE_BYTES}`)
  }
  return Uint8Array.from(cookie)
}

function hmac(key: string, message: Uint8Array): Uint8Array {
  return Uint8Array.from(createHmac('sha256', key).update(message).digest())
}

/** Only the verb: what follows may be a private key. */
function verbOf(line: string): string {
  return line.split(' ', 1)[0]!
}

function sayingOf(reply: Reply): string {
  return `${reply.code} ${reply.lines.at(-1)!.text.slice(0, 200)}`
}

interface Pending {
  resolve(reply: Reply): void
  reject(error: OnionError): void
  readonly answered: AbortController
}

class Conversation implements Control {
  readonly #clock: Clock
  readonly #socket: Socket
  readonly #reader = new ReplyReader()
  readonly #pending: Pending[] = []
  readonly #listeners = new Set<(event: Reply) => void>()
  readonly #closed = new Latch<OnionError>()
  #over: OnionError | undefined

  constructor(clock: Clock, socket: Socket) {
    this.#clock = clock
    this.#socket = socket
    socket.on('data', (bytes) => this.#feed(bytes as Uint8Array))
    socket.on('error', (error) =>
      this.end(asOnionError(error, 'control-closed', 'the control socket failed')),
    )
    socket.on('close', () => this.end(new OnionError('control-closed', 'tor closed the control socket')))
  }

  get closed(): Promise<OnionError> {
    return this.#closed.promise
  }

  async command(line: string, msMax: number = COMMAND_MS_MAX): Promise<Reply> {
    if (/[\r\n]/.test(line)) throw new TypeError('a control command is one line')
    if (this.#over !== undefined) throw this.#over
    if (this.#pending.length >= PENDING_MAX) {
      throw new OnionError('control-busy', `${PENDING_MAX} commands already wait for tor`)
    }
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    const answered = new AbortController()
    this.#pending.push({ resolve, reject, answered })
    this.#socket.write(`${line}\r\n`)
    this.#clock.sleep(msMax, answered.signal).then(
      () =>
        this.end(
          new OnionError('control-silent', `tor did not answer ${verbOf(line)} within ${msMax / 1000} s`),
        ),
      () => {},
    )
    return promise
  }

  onEvent(listener: (event: Reply) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** The one way out: whatever ended the conversation, every command learns of it now. */
  end(reason: OnionError): void {
    if (this.#over !== undefined) return
    this.#over = reason
    this.#socket.destroy()
    for (const command of this.#pending.splice(0)) {
      command.answered.abort()
      command.reject(reason)
    }
    this.#listeners.clear()
    this.#closed.open(reason)
  }

  [Symbol.dispose](): void {
    this.end(new OnionError('control-closed', 'we closed the control socket'))
  }

  #feed(bytes: Uint8Array): void {
    if (this.#over !== undefined) return
    try {
      for (const reply of this.#reader.push(bytes)) this.#receive(reply)
    } catch (error) {
      this.end(asOnionError(error, 'reply-malformed', 'the control socket sent what cannot be read'))
    }
  }

  #receive(reply: Reply): void {
    if (reply.code >= 600) {
      for (const listener of [...this.#listeners]) listener(reply)
      return
    }
    const command = this.#pending.shift()
    if (command === undefined) throw new OnionError('reply-unexpected', 'tor answered a command nobody gave')
    command.answered.abort()
    command.resolve(reply)
  }
}
