// SPDX-License-Identifier: GPL-3.0-or-later
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Something at the place of tor's control socket: `answer` writes what it likes to each line it is sent. */
export interface FakeControl extends AsyncDisposable {
  readonly path: string
  readonly cookieFile: string
  readonly cookie: Uint8Array
  /** Every line received. */
  readonly lines: readonly string[]
  readonly sockets: ReadonlySet<Socket>
}

export type Answer = (line: string, socket: Socket, fake: FakeControl) => void

export async function fakeControl(
  answer: Answer,
  onConnect?: (socket: Socket) => void,
): Promise<FakeControl> {
  const directory = await mkdtemp(join(tmpdir(), 'fake-'))
  const cookie = Uint8Array.from(randomBytes(32))
  const cookieFile = join(directory, 'cookie')
  await writeFile(cookieFile, cookie)
  const lines: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnect?.(socket)
    let held = ''
    socket.on('data', (bytes) => {
      held += bytes
      for (let end = held.indexOf('\r\n'); end >= 0; end = held.indexOf('\r\n')) {
        const line = held.slice(0, end)
        held = held.slice(end + 2)
        lines.push(line)
        answer(line, socket, fake)
      }
    })
  })
  const path = join(directory, 'control')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const fake: FakeControl = {
    path,
    cookieFile,
    cookie,
    lines,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
  return fake
}

/** Answers the login as tor does, and leaves every other line to `then`. */
export function loggingIn(then: Answer): Answer {
  let message = new Uint8Array(0)
  return (line, socket, fake) => {
    if (line === 'PROTOCOLINFO 1') {
      const login = `250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="${fake.cookieFile}"`
      socket.write(`250-PROTOCOLINFO 1\r\n${login}\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK\r\n`)
    } else if (line.startsWith('AUTHCHALLENGE SAFECOOKIE ')) {
      const nonce = randomBytes(32)
      message = Uint8Array.from(Buffer.concat([fake.cookie, Buffer.from(line.slice(25), 'hex'), nonce]))
      const hash = mac('Tor safe cookie authentication server-to-controller hash', message)
      socket.write(`250 AUTHCHALLENGE SERVERHASH=${hash} SERVERNONCE=${nonce.toString('hex')}\r\n`)
    } else if (line.startsWith('AUTHENTICATE ')) {
      const proof = mac('Tor safe cookie authentication controller-to-server hash', message)
      socket.write(line.slice(13) === proof ? '250 OK\r\n' : '515 Authentication failed\r\n')
    } else then(line, socket, fake)
  }
}

function mac(key: string, message: Uint8Array): string {
  return createHmac('sha256', key).update(message).digest('hex')
}
