// SPDX-License-Identifier: GPL-3.0-or-later
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { ignore } from '../../base/error.ts'
import { MeshError } from './error.ts'

/** The daemon's own probe of its onion services asks for HTTP; libp2p never begins with this byte. */
const HTTP_BEGINS = 'G'.charCodeAt(0)
const HTTP_ANSWER = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
/** Who says nothing for so long is not kept waiting for. */
const SILENT_MS_MAX = 60_000
/** As many as come in by one door at once; a daemon needs one. */
const SOCKETS_MAX = 8

/** Unix sockets behind onion services. A connection is handed on with the name of the door it came in by. */
export class Doors implements AsyncDisposable {
  readonly #clock: Clock
  readonly #servers = new Map<string, { readonly server: Server; readonly sockets: Set<Socket> }>()
  /** Set by the transport once libp2p listens. */
  enter: ((socket: Socket, door: string) => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws MeshError cannot-listen */
  async open(name: string, path: string): Promise<AsyncDisposable> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => this.#come(socket, name, sockets))
    server.maxConnections = SOCKETS_MAX
    rmSync(path, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new MeshError('cannot-listen', `cannot listen on ${path}`, { cause })),
      )
      server.listen(path, resolve)
    })
    chmodSync(path, 0o600)
    this.#servers.set(name, { server, sockets })
    return { [Symbol.asyncDispose]: () => this.#close(name) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#servers.keys()].map((name) => this.#close(name)))
  }

  async #close(name: string): Promise<void> {
    const door = this.#servers.get(name)
    if (!door) return
    this.#servers.delete(name)
    const closed = new Promise<void>((resolve) => door.server.close(() => resolve()))
    for (const socket of door.sockets) socket.destroy()
    await closed
  }

  #come(socket: Socket, door: string, sockets: Set<Socket>): void {
    sockets.add(socket)
    const spoke = new AbortController()
    socket.once('close', () => {
      sockets.delete(socket)
      spoke.abort()
    })
    socket.on('error', () => socket.destroy())
    this.#clock.sleep(SILENT_MS_MAX, spoke.signal).then(
      () => socket.destroy(),
      (error) => ignore(error, 'it spoke in time'),
    )
    socket.once('readable', () => {
      spoke.abort()
      const first: Buffer | null = socket.read()
      if (!first) return void socket.destroy()
      if (first[0] === HTTP_BEGINS) return void socket.end(HTTP_ANSWER)
      if (!this.enter) return void socket.destroy()
      this.enter(socket, door)
      socket.unshift(first)
    })
  }
}
