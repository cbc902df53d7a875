// SPDX-License-Identifier: GPL-3.0-or-later
import { connect, type Socket } from 'node:net'
import { ignore } from '../../base/error.ts'
import { Turns } from '../../base/lifetime.ts'
import type { Secret } from '../../base/secret.ts'
import { CliError } from '../error.ts'

/** A conversation with a tor of ours, which ends when the conversation does. */
export interface TorControl extends Disposable {
  /** Gives tor the X25519 key that opens one address; it stays in tor's memory (control-spec, ONION_CLIENT_AUTH_ADD). */
  authorise(address: string, key: Secret): Promise<void>
  /** New circuits for what comes, and addresses that were not found are looked for again. tor obeys once in ten seconds. */
  renew(): Promise<void>
}

const REPLY_CHARS_MAX = 4096

/** Takes over a tor whose control socket only this account can reach, so that nobody has to log in. */
export async function openTorControl(path: string): Promise<TorControl> {
  const socket = connect({ path })
  const replies = readReplies(socket)
  const turns = new Turns()
  const ask = (line: string) =>
    turns.take(async () => {
      socket.write(`${line}\r\n`)
      const { value } = await replies.next()
      if (value?.startsWith('25')) return
      // The line itself may hold a key.
      throw new CliError('unreachable', `our tor refused ${line.split(' ')[0]}: ${value ?? 'it ended'}`)
    })
  try {
    await ask('AUTHENTICATE')
    // From here on tor ends with this connection, thus with this process, however that ends.
    await ask('TAKEOWNERSHIP')
  } catch (error) {
    socket.destroy()
    throw error
  }
  return {
    authorise: (address, key) =>
      ask(`ONION_CLIENT_AUTH_ADD ${address} x25519:${Buffer.from(key.reveal()).toString('base64')}`),
    renew: () => ask('SIGNAL NEWNYM'),
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

/** One line for each command: what is asked here has no longer answers. Ends when tor hangs up. */
async function* readReplies(socket: Socket): AsyncGenerator<string, undefined> {
  socket.setEncoding('utf8')
  let held = ''
  try {
    for await (const chunk of socket as AsyncIterable<string>) {
      const lines = (held + chunk).split('\r\n')
      held = lines.pop()!
      if (held.length > REPLY_CHARS_MAX) return
      yield* lines
    }
  } catch (error) {
    ignore(error, 'whoever waits for a reply is told that tor ended')
  }
}
