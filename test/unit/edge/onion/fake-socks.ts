// SPDX-License-Identifier: GPL-3.0-or-later
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a SOCKS client asked for. */
export interface SocksAsked {
  readonly username: string
  readonly password: string
  readonly host: string
  readonly port: number
}

export interface FakeSocks extends AsyncDisposable {
  readonly path: string
  readonly asked: readonly SocksAsked[]
}

/** Tor's reply over a unix socket: address type 4, all zero. */
export const CONNECTED = Uint8Array.from([5, 0, 0, 4, ...new Array<number>(18).fill(0)])
export const refusal = (code: number) => Uint8Array.from([5, code, 0, 4, ...new Array<number>(18).fill(0)])

/** Something at the place of tor's SOCKS socket: takes any login, then `answer` writes what it likes. */
export async function fakeSocks(answer: (asked: SocksAsked, socket: Socket) => void): Promise<FakeSocks> {
  const directory = await mkdtemp(join(tmpdir(), 'fake-'))
  const asked: SocksAsked[] = []
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.on('error', () => {}))
    converse(socket, (request) => {
      asked.push(request)
      answer(request, socket)
    })
  })
  const path = join(directory, 'socks')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    path,
    asked,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function converse(socket: Socket, requested: (asked: SocksAsked) => void): void {
  let stage = 0
  let login = { username: '', password: '' }
  socket.on('data', (bytes: Buffer) => {
    if (stage === 0) socket.write(Uint8Array.of(5, 2))
    if (stage === 1) {
      const split = 2 + bytes[1]!
      login = { username: `${bytes.subarray(2, split)}`, password: `${bytes.subarray(split + 1)}` }
      socket.write(Uint8Array.of(1, 0))
    }
    if (stage === 2) {
      const end = 5 + bytes[4]!
      requested({ ...login, host: `${bytes.subarray(5, end)}`, port: bytes.readUInt16BE(end) })
    }
    stage++
  })
}
