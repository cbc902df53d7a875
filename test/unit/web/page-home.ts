// SPDX-License-Identifier: GPL-3.0-or-later
/** The page without a browser: its own code, over a unix socket, at a home of real core objects. */
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { systemClock } from '../../../daemon/base/clock.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { type App, openApp } from '../../../daemon/web/app.ts'
import type { Identity } from '../../../daemon/web/identity.ts'
import { Keep, type Storage } from '../../../daemon/web/keep.ts'
import { progressKey, type State } from '../../../daemon/web/state.ts'

/** A browser's storage. */
export class MemoryStorage extends Map<string, string> implements Storage {
  getItem(key: string): string | null {
    return this.get(key) ?? null
  }
  setItem(key: string, value: string): void {
    this.set(key, value)
  }
  removeItem(key: string): void {
    this.delete(key)
  }
}

/** `fetch` as a page has it, to a home behind a socket. @param change  what a hostile hub makes of each answer */
export function fetchOver(
  socketPath: string,
  change: (path: string, text: string) => string = (_path, text) => text,
): typeof fetch {
  return async (path, { method, headers, body, signal } = {}) => {
    const sent = request({
      socketPath,
      path: String(path),
      method: method!,
      agent: false,
      headers: { ...Object.fromEntries(headers as Headers), host: 'localhost' },
      ...(signal && { signal }),
    })
    if (body) sent.setHeader('content-length', (body as Uint8Array).length)
    sent.end(body)
    return new Promise((resolve, reject) => {
      sent.once('error', reject)
      sent.once('response', (answer) => {
        const isText = !answer.headers['content-type']?.startsWith('image/')
        const changed = isText
          ? answer.setEncoding('utf8').map((text: string) => Buffer.from(change(String(path), text)))
          : answer
        const stream = answer.statusCode === 204 ? null : (Readable.toWeb(changed) as ReadableStream)
        resolve(new Response(stream, { status: answer.statusCode! }))
      })
    })
  }
}

export interface OpenPage extends Disposable {
  readonly app: App
  readonly keep: Keep
  /** Resolves with the state as soon as it is so; rejects after ten seconds. */
  until(holds: (state: State) => boolean): Promise<State>
  /** Carries out a wish, and tells how it ended. */
  command(
    thing: string,
    name: string,
    value?: number | boolean,
  ): Promise<readonly [string, string | undefined]>
}

/** @param storage  of the browser: what another visit left there */
export function openPage(
  identity: Identity,
  fetch: typeof globalThis.fetch,
  { storage = new MemoryStorage(), origin = 'http://localhost' } = {},
): OpenPage {
  const over = new AbortController()
  const keep = new Keep(storage)
  const app = openApp(
    { clock: systemClock, random: systemRandom, keep, fetch, origin },
    identity,
    over.signal,
  )
  return {
    app,
    keep,
    async until(holds) {
      if (holds(app.state())) return app.state()
      const late = AbortSignal.timeout(30_000)
      return new Promise((resolve, reject) => {
        const stop = app.watch(() => {
          if (!holds(app.state())) return
          stop()
          resolve(app.state())
        })
        late.addEventListener('abort', () => reject(new Error(`not within half a minute: ${holds}`)))
      })
    },
    async command(named, name, value) {
      const thing = [...app.state().things.values()].find((each) => each.name === named)!
      const kind = thing.affordances.get(name)?.kind ?? 'property'
      await app.perform({ act: 'command', wish: { thing: thing.id, kind, name, value } })
      const progress = app.state().progress.get(progressKey(thing.id, name))!
      return [progress.stage, progress.code]
    },
    [Symbol.dispose]: () => over.abort(),
  }
}
