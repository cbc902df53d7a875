// SPDX-License-Identifier: GPL-3.0-or-later
/** Mesh rooms that reach each other by unix sockets under onion addresses, without tor. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, type LogLine } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { onionAddress } from '../../daemon/core/identity/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { type Mesh, type MeshDeps, type MeshHear, openMesh } from '../../daemon/edge/mesh/index.ts'

const made: string[] = []
process.once('exit', () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

/** Where each onion address leads; what is not in it cannot be reached. */
export class Onions {
  readonly directory = mkdtempSync(join(tmpdir(), 'mesh-'))
  readonly paths = new Map<string, string>()
  readonly dialled: string[] = []
  readonly open = new Set<Socket>()

  constructor() {
    made.push(this.directory)
  }

  /** A door's onion, made up from its name. */
  offer(name: string): { readonly address: string; readonly path: string } {
    const seed = new Uint8Array(32)
    seed.set(new TextEncoder().encode(name).subarray(0, 32))
    const address = onionAddress(nativeEd25519().signer(seed).key)
    const path = join(this.directory, `${this.paths.size}.sock`)
    this.paths.set(address, path)
    return { address, path }
  }

  dial = (address: string): Promise<Socket> =>
    new Promise((resolve, reject) => {
      this.dialled.push(address)
      const path = this.paths.get(address)
      if (!path) return reject(new Error(`nobody offers ${address}`))
      const socket = connect(path)
      socket.once('connect', () => {
        this.open.add(socket)
        socket.once('close', () => this.open.delete(socket))
        resolve(socket)
      })
      socket.once('error', reject)
    })
}

export interface TestRoom extends Mesh {
  readonly id: PartyId
  readonly log: LogLine[]
  readonly heard: string[]
  readonly up: PartyId[]
  readonly down: PartyId[]
}

export function idNumber(number: number): PartyId {
  return idOf(nativeEd25519().signer(new Uint8Array(32).fill(number)).key)
}

export async function openRoom(
  t: TestContext,
  onions: Onions,
  number: number,
  hear: Partial<MeshHear> = {},
  more: Partial<MeshDeps> = {},
): Promise<TestRoom> {
  const log: LogLine[] = []
  const heard: string[] = []
  const up: PartyId[] = []
  const down: PartyId[] = []
  const mesh = await openMesh(
    {
      clock: systemClock,
      random: systemRandom,
      log: new Log(systemClock, (line) => void log.push(line)),
      dial: onions.dial,
      stalled: () => {},
      ...more,
      hear: {
        mayEnter: () => true,
        connected: (peer) => void up.push(peer),
        gone: (peer) => void down.push(peer),
        heard: async (peer, stream, message) => {
          heard.push(`${peer.slice(0, 4)} ${stream} ${Buffer.from(message).toString('latin1', 0, 40)}`)
          return true
        },
        asked: async (_peer, question) => question,
        ...hear,
      },
    },
    { seed: new Secret(new Uint8Array(32).fill(number)) },
    new AbortController().signal,
  )
  t.after(() => mesh[Symbol.asyncDispose]())
  return Object.assign(mesh, { id: idNumber(number), log, heard, up, down })
}
