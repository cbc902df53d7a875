// SPDX-License-Identifier: GPL-3.0-or-later
/** Somebody who has a daemon's keys and none of its manners, on a tor of its own: what a hub that was broken into can do. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import type { Secret } from '../../daemon/base/secret.ts'
import { loadHub } from '../../daemon/config/keyring.ts'
import { meshClientKey } from '../../daemon/core/identity/index.ts'
import { encodeLog, encodeTalk } from '../../daemon/core/mesh/index.ts'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { type Mesh, type MeshHear, type MeshStream, openMesh } from '../../daemon/edge/mesh/index.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { onionOn, type TestOnion } from './private-tor.ts'

const FLOOD_MESSAGES = 30_000
const FLOOD_STEP = 1000
const FLOOD_REST_MS = 20
const WANTS = 60

async function patiently(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (holds()) return
    await sleep(100)
  }
  assert.fail(`not within two minutes: ${what}`)
}

export interface Victim {
  readonly id: PartyId
  /** Of the onion service that is offered to the one whose keys the rogue has. */
  readonly address: string
}

export class Rogue implements AsyncDisposable {
  readonly #victim: Victim
  readonly #onion: TestOnion
  /** What the victim said. */
  readonly #heard: { readonly stream: MeshStream; readonly message: Uint8Array }[] = []
  #mesh!: Mesh
  #connections = 0
  #isDeaf = false

  private constructor(victim: Victim, onion: TestOnion) {
    this.#victim = victim
    this.#onion = onion
  }

  /** @param data  the directory of the daemon whose keys these are; it must not run */
  static async open(network: PrivateTor, victim: Victim, data: string): Promise<Rogue> {
    const { hubSeed } = loadHub(data)
    const onion = await onionOn(network)
    const rogue = new Rogue(victim, onion)
    await onion.unlock(victim.address, meshClientKey(hubSeed))
    await rogue.#call(hubSeed)
    return rogue
  }

  async #call(seed: Secret): Promise<void> {
    const hear: MeshHear = {
      mayEnter: () => true,
      connected: () => {
        this.#connections++
      },
      gone: () => {},
      heard: (_peer, stream, message) => {
        if (this.#isDeaf) return new Promise(() => {})
        this.#heard.push({ stream, message: Uint8Array.from(message) })
        return Promise.resolve(true)
      },
      asked: async () => new Uint8Array(),
    }
    const deps = { clock: systemClock, random: systemRandom, log: new Log(systemClock, silent), hear }
    const dial = this.#onion.dial.bind(this.#onion)
    this.#mesh = await openMesh({ ...deps, dial, stalled: () => {} }, { seed }, new AbortController().signal)
    this.#mesh.reach(this.#victim.id, this.#victim.address, false)
  }

  #send(stream: MeshStream, message: Uint8Array): void {
    this.#mesh.send(this.#victim.id, stream, message)
  }

  /** Waits for a connection after so many. */
  async connected(after = 0): Promise<number> {
    await patiently('the rogue is connected', () => this.#connections > after)
    return this.#connections
  }

  /** Everything that the victim said, back to it, and its own log as if it were ours to tell. */
  async replay(): Promise<void> {
    const { id } = this.#victim
    this.#send('log', encodeLog({ word: 'want', author: id, from: 1 }))
    await patiently('it has told of its log', () => this.#heard.some(({ stream }) => stream === 'log'))
    for (const { stream, message } of [...this.#heard]) this.#send(stream, message)
  }

  /** Words that are well made and say nothing, each another. */
  async flood(): Promise<void> {
    for (let sent = 0; sent < FLOOD_MESSAGES; sent += FLOOD_STEP) {
      for (let at = 0; at < FLOOD_STEP; at++) {
        this.#send('talk', encodeTalk({ word: 'heads', papers: systemRandom.bytes(8), heads: new Map() }))
      }
      await sleep(FLOOD_REST_MS)
    }
  }

  wantAndNeverRead(): void {
    this.#isDeaf = true
    for (let at = 0; at < WANTS; at++) {
      this.#send('log', encodeLog({ word: 'want', author: this.#victim.id, from: 1 }))
    }
  }

  sayGarbage(): void {
    this.#isDeaf = false
    this.#send('talk', systemRandom.bytes(200))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mesh[Symbol.asyncDispose]()
    await this.#onion[Symbol.asyncDispose]()
  }
}
