// SPDX-License-Identifier: GPL-3.0-or-later
/** The people's side of a fake home (SPEC 9.3 to 9.7): keeps what it is handed, as the hub would, and shows it again; its seals are real. */
import { fromBase64url, toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import {
  type Body,
  type BodyOf,
  type Message,
  openEnvelope,
  type Signer,
  sealEnvelope,
} from '../../../daemon/core/envelope/index.ts'
import { affordanceOf, idOf } from '../../../daemon/core/model/index.ts'
import {
  type Asked,
  ed25519,
  empty,
  type FakeDevice,
  type FakeHome,
  json,
  problem,
  stateOf,
} from './fake-home.ts'

/** Of a hub that is another key than any other here. */
export const HUB: Signer = ed25519.signer(systemRandom.bytes(32))

export class FakePeople {
  readonly home: FakeHome
  readonly people: Message<BodyOf<'person'>>[] = []
  readonly holders: Message<BodyOf<'holder'>>[] = []
  readonly grants: Message<BodyOf<'grant'>>[] = []
  readonly revocations: Message<BodyOf<'revocation'>>[] = []
  readonly records = new Map<string, Message<BodyOf<'enrolment'>>>()
  readonly owners: Uint8Array[] = []
  readonly tokens = new Map<string, { digest: string; grants: string[] }>()
  readonly invited = new Set<string>()
  readonly withdrawn: string[] = []
  pairing: { frame: Uint8Array; proof: Uint8Array; invitation: string } | undefined
  pair: Uint8Array | undefined
  declined = false
  moved: object | undefined
  others: unknown
  zone = 'Europe/Berlin'
  /** Whether who asks may pass anything on. */
  share = true
  /** By which grant the caller may do what, by the name of an affordance; what is not in it is not shown. */
  may: Record<string, object> | undefined
  /** What is answered, whoever asks. */
  why: object = { allowed: true, tried: [] }
  asks: string[] = []

  constructor(home: FakeHome) {
    this.home = home
    this.owner('owner', home.owner)
  }

  /** Somebody whom the root made an owner. */
  owner(name: string, signer: Signer = ed25519.signer(systemRandom.bytes(32))): Signer {
    const said = { audience: this.home.id, sealedAt: 1, epoch: new Uint8Array(8), sequence: 0 }
    this.owners.push(sealEnvelope({ type: 'owner', ...said, name, key: signer.key }, this.home.root))
    return signer
  }

  /** The home's answers to what is about people; false leaves it to the home itself. */
  twist = (asked: Asked): boolean => {
    const [path, query = ''] = asked.path.split('?') as [string, string?]
    const parts = path.split('/').slice(1).map(decodeURIComponent)
    const route =
      this.#routes[
        `${asked.method} ${parts.length > 1 && parts[0] === 'things' ? `things/*/${parts[2]}` : parts[0]}`
      ]
    if (!route) return false
    route(asked, parts, query)
    return true
  }

  readonly #routes: Record<string, (asked: Asked, parts: string[], query: string) => void> = {
    'GET home': ({ answer }) => json(answer, this.#picture()),
    'GET people': ({ answer }) => json(answer, { people: this.people.map((each) => this.#tellPerson(each)) }),
    'PUT people': (asked) => this.#keep(asked, 'person', this.people),
    'DELETE people': ({ answer }, [, id]) => {
      const at = this.people.findIndex(({ body }) => toBase64url(body.person) === id)
      if (at >= 0) this.people.splice(at, 1)
      empty(answer)
    },
    'PUT holders': (asked) => this.#keep(asked, 'holder', this.holders),
    'POST grants': (asked) => {
      const { body, signer } = open(asked.body, 'grant')
      // Copies of one grant are for different keys and come from one hand, or from owners.
      const others = this.grants.filter((other) => toBase64url(other.body.id) === toBase64url(body.id))
      const isCopy = others.every(
        (other) =>
          (!(other.body.parent || body.parent) || idOf(other.signer) === idOf(signer)) &&
          idOf(other.body.key!) !== idOf(body.key!),
      )
      if (isCopy) this.#keep(asked, 'grant', this.grants)
      else problem(asked.answer, 409, 'conflict')
    },
    'PUT revocations': (asked) => this.#keep(asked, 'revocation', this.revocations, { told: 2 }),
    'GET owners': ({ answer }) => json(answer, { owners: this.#tellOwners() }),
    'PUT owners': ({ body, answer }) => {
      this.owners.push(body)
      json(answer, {})
    },
    'GET why': ({ answer }, _parts, query) => {
      this.asks.push(query)
      json(answer, this.why)
    },
    'PUT things/*/record': ({ body, answer }, [, id]) => {
      this.records.set(id!, open(body, 'enrolment'))
      json(answer, {})
    },
    'PUT invitations': ({ answer }, [, name]) => {
      this.invited.add(name!)
      json(answer, { name, address: ADDRESS })
    },
    'DELETE invitations': ({ answer }, [, name]) => {
      if (!this.invited.delete(name!)) return problem(answer, 404, 'not-found')
      this.withdrawn.push(name!)
      empty(answer)
    },
    'POST pairings': ({ body, answer }) => {
      const said = JSON.parse(Buffer.from(body).toString())
      const [frame, proof] = [fromBase64url(said.pairing)!, fromBase64url(said.proof)!]
      const own = said.address ? { invitation: 'made-by-the-hub', address: ADDRESS } : undefined
      this.pairing = { frame, proof, invitation: own?.invitation ?? said.invitation }
      if (own) this.invited.add(own.invitation)
      json(answer, { pairing: toBase64url(open(frame, 'pairing').body.pairing), ...own })
    },
    'GET pairings': ({ answer }) => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' })
      const said = { state: this.pair ? 'asked' : 'open', ...(this.pair && { pair: toBase64url(this.pair) }) }
      answer.write(`event: pairing\ndata: ${JSON.stringify(said)}\n\n`)
      if (!this.pair) answer.end()
    },
    'DELETE pairings': ({ answer }) => {
      this.declined = true
      empty(answer)
    },
    'GET tokens': ({ answer }) =>
      json(answer, {
        tokens: [...this.tokens].map(([name, { grants }]) => ({
          name,
          by: idOf(this.home.owner.key),
          at: 1,
          form: false,
          grants: grants.map((frame) => toBase64url(open(fromBase64url(frame)!, 'grant').body.id)),
        })),
      }),
    'PUT tokens': ({ body, answer }, [, name]) => {
      const said = JSON.parse(Buffer.from(body).toString())
      this.tokens.set(name!, said)
      for (const frame of said.grants) this.grants.push(open(fromBase64url(frame)!, 'grant'))
      json(answer, {})
    },
    'DELETE tokens': ({ answer }, [, name]) => {
      this.tokens.delete(name!)
      empty(answer)
    },
  }

  #keep<T extends Body['type']>(
    { body, answer }: Asked,
    type: T,
    list: Message<BodyOf<T>>[],
    said: object = {},
  ): void {
    list.push(open(body, type))
    json(answer, said)
  }

  #picture(): object {
    return {
      me: { kind: 'owner', key: idOf(this.home.owner.key), name: 'owner', share: this.share },
      home: this.home.id,
      hub: idOf(HUB.key),
      ...(this.moved && { moved: this.moved }),
      here: 'town',
      others: this.others ?? [],
      zone: { name: this.zone, offset: 60, changesAt: 0, thereafter: 60 },
      owners: this.#tellOwners(),
      revocations: this.revocations.map(({ frame }) => ({ frame: toBase64url(frame) })),
      grants: this.grants.map(({ frame }) => ({ frame: toBase64url(frame), revoked: false, used: 0 })),
      things: this.home.devices.map((device) => this.#tellThing(device)),
    }
  }

  #tellThing(device: FakeDevice): object {
    const { properties: _properties, ...state } = stateOf(device)
    const record = this.records.get(device.id)
    return {
      ...state,
      ...(record && { record: toBase64url(record.frame) }),
      affordances: device.affordances
        .map((number) => ({
          number,
          name: affordanceOf(number)!.name,
          may: this.may?.[affordanceOf(number)!.name],
        }))
        .filter(({ may }) => this.may === undefined || may !== undefined),
    }
  }

  #tellOwners(): object[] {
    const byRoot = this.revocations.filter(({ signer }) => idOf(signer) === this.home.id)
    return this.owners.map((frame) => {
      const { body } = open(frame, 'owner')
      const revoked = byRoot.some((list) =>
        list.body.entries.some((entry) => toBase64url(entry) === idOf(body.key)),
      )
      return { key: idOf(body.key), name: body.name, frame: toBase64url(frame), revoked }
    })
  }

  #tellPerson({ body, frame }: Message<BodyOf<'person'>>): object {
    const own = this.holders.filter((holder) => toBase64url(holder.body.person) === toBase64url(body.person))
    return {
      id: toBase64url(body.person),
      name: body.name,
      frame: toBase64url(frame),
      holders: own.map((holder) => ({
        frame: toBase64url(holder.frame),
        at: 1_700_000_000_000,
        revoked: this.#isRevoked(holder.body.key),
        ...(this.pairing && { invitation: `invitation:${this.pairing.invitation}` }),
      })),
    }
  }

  #isRevoked(key: Uint8Array): boolean {
    const last = this.revocations.at(-1)
    return last?.body.entries.some((entry) => toBase64url(entry) === toBase64url(key)) === true
  }

  /** The id of the person with this name. */
  idOf(name: string): Uint8Array {
    return this.people.find(({ body }) => body.name === name)!.body.person
  }

  /** A phone of somebody, let in by this key. */
  phone(name: string, person: string, sealer: Signer = this.home.owner): Signer {
    const phone = ed25519.signer(systemRandom.bytes(32))
    const body = { type: 'holder', name, key: phone.key, person: this.idOf(person), kind: 'phone' }
    this.holders.push(open(this.seal(body, sealer), 'holder'))
    return phone
  }

  seal(body: object, signer: Signer): Uint8Array {
    return sealEnvelope(
      {
        audience: this.home.id,
        sealedAt: Math.floor(Date.now() / 1000),
        epoch: systemRandom.bytes(8),
        sequence: ++this.#sequence,
        ...body,
      } as unknown as Body,
      signer,
    )
  }

  #sequence = 0
}

export const ADDRESS = 'pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion'

export function open<T extends Body['type']>(frame: Uint8Array, type: T): Message<BodyOf<T>> {
  const opened = openEnvelope(
    frame,
    { sizeMax: 65_536, accepts: (body) => body.type === type, isAudience: () => true },
    ed25519,
  )
  if (!opened.ok) throw new Error(`no ${type}: ${opened.why}`)
  return opened.value as Message<BodyOf<T>>
}
