// SPDX-License-Identifier: GPL-3.0-or-later
/** A home with people in it, asked over its HTTP API: what a client of each kind does, in as few words as a test needs. */
import { toBase64url } from '../../daemon/base/bytes.ts'
import { Latch } from '../../daemon/base/lifetime.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import type { Grant } from '../../daemon/core/envelope/index.ts'
import {
  type Answer,
  ask,
  askCommand,
  begin,
  lines,
  newSigner,
  openTestHome,
  type TestHome,
} from './http-home.ts'
import {
  grantFrame,
  holderFrame,
  newId,
  pairFrame,
  pairingFrame,
  pairingKeys,
  personFrame,
  revocationFrame,
} from './papers.ts'
import { Sealer } from './request.ts'

export class PeopleHome implements AsyncDisposable {
  readonly home: TestHome
  readonly socketPath: string

  constructor(home: TestHome, socketPath: string) {
    this.home = home
    this.socketPath = socketPath
  }

  get owner(): Sealer {
    return this.home.owner
  }

  newSealer(): Sealer {
    return new Sealer(newSigner(), this.home.home.home)
  }

  get(path: string, as?: Sealer, headers: Record<string, string> = {}): Promise<Answer> {
    return ask({ socketPath: this.socketPath, path, as, headers })
  }

  delete(path: string, as?: Sealer): Promise<Answer> {
    return ask({ socketPath: this.socketPath, method: 'DELETE', path, as })
  }

  /** One envelope. */
  send(method: 'PUT' | 'POST', path: string, body: Uint8Array, as?: Sealer): Promise<Answer> {
    const headers = { 'content-type': 'application/cose' }
    return ask({ socketPath: this.socketPath, method, path, body, headers, as })
  }

  json(
    method: 'PUT' | 'POST' | 'PATCH',
    path: string,
    value: unknown,
    as?: Sealer,
    headers = {},
  ): Promise<Answer> {
    return ask({
      socketPath: this.socketPath,
      method,
      path,
      body: JSON.stringify(value),
      headers: { 'content-type': 'application/json', ...headers },
      as,
    })
  }

  async person(name: string, by: Sealer = this.owner): Promise<Uint8Array> {
    const person = newId()
    const answer = await this.send(
      'PUT',
      `/people/${toBase64url(person)}`,
      personFrame(by, { name, person }),
      by,
    )
    if (answer.status !== 200) throw new Error(answer.text)
    return person
  }

  /** A phone that an owner, or whoever may, confirmed without a pairing. */
  async phone(person: Uint8Array, by: Sealer = this.owner, name = 'phone'): Promise<Sealer> {
    const phone = this.newSealer()
    const frame = holderFrame(by, { key: phone.signer.key, person, name })
    const answer = await this.send('PUT', `/holders/${phone.id}`, frame, by)
    if (answer.status !== 200) throw new Error(answer.text)
    return phone
  }

  async grant(to: Sealer, said: Partial<Grant> = {}, by: Sealer = this.owner): Promise<Uint8Array> {
    const id = said.id ?? newId()
    const answer = await this.send('POST', '/grants', grantFrame(by, { key: to.signer.key, ...said, id }), by)
    if (answer.status !== 201) throw new Error(answer.text)
    return id
  }

  revoke(...entries: readonly Uint8Array[]): Promise<Answer> {
    return this.send('PUT', '/revocations', revocationFrame(this.owner, entries))
  }

  /** The last stage of a command to the light's `on`, or the refusal. */
  async turnOn(as: Sealer, grant?: Uint8Array, said: object = {}): Promise<string> {
    const { light } = this.home
    const body = as.command({
      device: light.id,
      nonce: light.nonce,
      affordance: 1,
      value: true,
      ...(grant && { grant }),
      ...said,
    })
    const path = '/things/porch-light/properties/on'
    const answer = await askCommand({ socketPath: this.socketPath, path, body })
    return answer.status === 200
      ? lines(answer.text).at(-1)!.stage!
      : (answer.json.reason ?? answer.json.code!)
  }

  /** Opens a pairing; the keys are those of its secret. */
  async pairing(person: Uint8Array, by: Sealer = this.owner, invitation?: string) {
    const keys = pairingKeys(systemRandom.bytes(16))
    const frame = pairingFrame(by, { pairing: keys.pairing, person })
    const body = { pairing: toBase64url(frame), proof: toBase64url(keys.hub), invitation }
    return {
      keys,
      path: `/pairings/${toBase64url(keys.pairing)}`,
      answer: await this.json('POST', '/pairings', body, by),
    }
  }

  pair(
    path: string,
    phone: Sealer,
    keys: ReturnType<typeof pairingKeys>,
    query = '',
    said = {},
  ): Promise<Answer> {
    return this.send('POST', `${path}/pair${query}`, pairFrame(phone, keys, said))
  }

  /** A stream of events; `ended` resolves when the hub ends it. */
  async watch(as: Sealer, path = '/events', headers: Record<string, string> = {}): Promise<Watching> {
    const { sent, answer } = await begin({ socketPath: this.socketPath, path, as, headers })
    const watching = new Watching(() => sent.destroy())
    answer.on('error', () => {})
    answer.on('data', (part: Buffer) => watching.take(part.toString()))
    answer.once('close', () => watching.over())
    return watching
  }

  async log(query = ''): Promise<readonly Record<string, unknown>[]> {
    const answer = await this.get(`/log${query}`, this.owner)
    return (answer.json as unknown as { entries: Record<string, unknown>[] }).entries
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]()
  }
}

export class Watching {
  readonly close: () => void
  readonly ended: Promise<void>
  isOpen = true
  text = ''
  readonly #over = new Latch<void>()

  constructor(close: () => void) {
    this.close = close
    this.ended = this.#over.promise
  }

  /** The data of every event of this name so far. */
  events(name: string): readonly Record<string, unknown>[] {
    const found = this.text.matchAll(/event: (.*)\ndata: (.*)\n/g)
    return [...found].filter(([, event]) => event === name).map(([, , data]) => JSON.parse(data!))
  }

  take(text: string): void {
    this.text += text
  }

  over(): void {
    this.isOpen = false
    this.#over.open()
  }
}

export async function openPeopleHome(...args: Parameters<typeof openTestHome>): Promise<PeopleHome> {
  const home = await openTestHome(...args)
  const { socketPath } = await home.unix()
  return new PeopleHome(home, socketPath)
}
