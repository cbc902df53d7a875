// SPDX-License-Identifier: GPL-3.0-or-later

import { CODES, type Code, codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { equal, toHex } from '../../base/bytes.ts'
import { type Clock, deadline, type Instant } from '../../base/clock.ts'
import { codeOf, no, sentenceOf, type Verdict, yes } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import { decodeCbor, encodeCbor, type Frame } from '../envelope/index.ts'
import { type MeshCode, onionAddress, readMeshCode, writeMeshCode } from '../identity/index.ts'
import { idOf, keyOf, type PartyId } from '../model/index.ts'
import type { Journal } from '../ports.ts'
import type { By, Services } from '../services.ts'
import type { BeaconSealer } from './beacons.ts'
import type { Papers } from './papers.ts'
import type { LogShelf, MeshRoom, OnionKeys } from './ports.ts'
import type { Talk } from './talk.ts'
import { shortCode, type TicketKeys, ticketKeys, ticketProof } from './ticket.ts'
import { decodeTalk, encodeTalk } from './words.ts'

export interface InvitationDeps {
  readonly clock: Clock
  readonly random: Random
  readonly own: PartyId
  readonly papers: Papers
  readonly shelf: LogShelf
  readonly beacons: BeaconSealer
  readonly talk: Talk
  readonly services: () => Services
  readonly keys: OnionKeys
  readonly room: () => Promise<MeshRoom>
  readonly root: Uint8Array
  readonly journal: Journal
  /** Brings addresses in line with membership. */
  readonly settle: () => Promise<void>
}

export interface OpenInvitation {
  readonly ticket: string
  readonly expiresAt: Instant
  /** Who took it up, and what both sides show. */
  readonly guest?: { readonly id: PartyId; readonly name: string; readonly shortCode: string }
}

interface Held {
  readonly keys: TicketKeys
  readonly expiresAt: Instant
  /** When its address goes, for ever: at the latest when it expires. */
  withdrawAt: Instant
  guest?: OpenInvitation['guest']
}

const TICKETS_MAX = 4
/** From the code to the other daemon's answer; a new onion address may need a minute to be found. */
const JOIN_MS_MAX = 240_000
const AGAIN_MS = 3000

/** Invitations of one daemon by another (SPEC 14.1): in memory only, for a quarter of an hour, once. */
export class Invitations {
  readonly #deps: InvitationDeps
  readonly #held = new Map<string, Held>()

  constructor(deps: InvitationDeps) {
    this.#deps = deps
  }

  get isOpen(): boolean {
    return this.#held.size > 0
  }

  get(ticket: string): OpenInvitation | undefined {
    const held = this.#held.get(ticket)
    return held && { ticket, expiresAt: held.expiresAt, ...(held.guest && { guest: held.guest }) }
  }

  async invite(by: By): Promise<Verdict<{ code: Secret<string> } & OpenInvitation, Code>> {
    const { clock, random, own, services, root, room } = this.#deps
    await this.tick()
    if (this.#held.size >= TICKETS_MAX) return no('too-many-requests', 'too many invitations are open')
    const secret = new Secret(random.bytes(wire.MESH_SECRET_BYTES))
    const keys = ticketKeys(secret)
    const ticket = toHex(keys.ticket)
    const expiresAt = clock.now() + wire.MESH_INVITATION_LIFETIME_S * 1000
    this.#held.set(ticket, { keys, expiresAt, withdrawAt: expiresAt })
    await room()
    const { key, clientKey } = await services().open(serviceOf(ticket), by)
    const code = writeMeshCode({ root, daemon: keyOf(own), onion: key, clientKey, secret })
    return yes({ code, ticket, expiresAt })
  }

  /** Withdraws what is stale; those that were taken up keep answering who took them until then. */
  async tick(): Promise<void> {
    const { clock, services } = this.#deps
    const now = clock.now()
    for (const [ticket, held] of this.#held) {
      if (held.expiresAt <= now) this.#held.delete(ticket)
      if (held.withdrawAt > now) continue
      held.withdrawAt = Number.POSITIVE_INFINITY
      await services().withdraw(serviceOf(ticket), { origin: 'mesh' })
    }
  }

  /** The guest's one question: its papers, and the proof that it holds the code. */
  async answer(peer: PartyId, question: Uint8Array): Promise<Uint8Array> {
    const { own } = this.#deps
    const asked = readAsk(question)
    if (!asked) return refusal('bad-request')
    for (const held of this.#held.values()) {
      if (!equal(asked.proof, ticketProof(held.keys.guest, own, peer))) continue
      return await this.#admit(peer, held, asked)
    }
    return refusal('permit-unknown')
  }

  async #admit(peer: PartyId, held: Held, asked: Ask): Promise<Uint8Array> {
    const { clock, own, papers, shelf, beacons, talk } = this.#deps
    if (held.guest && held.guest.id !== peer) return refusal('permit-used')
    if (held.expiresAt <= clock.now()) return refusal('permit-expired')
    await talk.tell({ members: [asked.member], beacons: [asked.beacon] }, clock.now())
    const member = papers.member(peer)
    if (!member) return refusal(papers.isRemoved(peer) ? 'forbidden' : 'not-permitted')
    const first = held.guest === undefined
    held.guest = { id: peer, name: member.name, shortCode: shortCode(held.keys, own, peer) }
    const proof = ticketProof(held.keys.host, own, peer)
    // With the address that is made for the guest, or it could not find us again.
    await this.#deps.settle()
    const frames = papers.frames()
    const said = encodeTalk({
      word: 'papers',
      ...frames,
      // They follow when the two are connected; they may be many.
      others: [],
      beacons: [...frames.beacons, beacons.seal(shelf.head(own)).frame],
    })
    if (first) {
      // After the answer has left by it.
      held.withdrawAt = clock.now() + AGAIN_MS
      await this.#record(asked.member, member.name, { signer: peer, origin: 'mesh' })
    }
    return encodeCbor([proof, said])
  }

  /** Whether a code is an invitation that could be taken up here at all. */
  read(text: string): Verdict<MeshCode, Code> {
    const { own, root } = this.#deps
    const code = readMeshCode(text)
    if (!code.ok) return code
    if (!equal(code.value.root, root)) return no('wrong-audience', 'the invitation is of another home')
    return idOf(code.value.daemon) === own ? no('conflict', 'this is the daemon that invites') : code
  }

  /** The other side: takes an invitation up. `member` is an owner's envelope that makes us a daemon of the home. */
  async join(
    code: MeshCode,
    member: Frame,
    by: By,
  ): Promise<Verdict<{ readonly host: string; readonly shortCode: string }, Code>> {
    const { clock, own, papers, talk } = this.#deps
    const host = idOf(code.daemon)
    const taken = await papers.takeMember(member)
    if (!taken.ok) return taken
    if (!papers.isMember(own)) return no('forbidden', 'this daemon was removed from the home')
    const keys = ticketKeys(code.secret)
    using limit = deadline(clock, JOIN_MS_MAX)
    const answer = await this.#ask(code, host, keys, member, limit.signal)
    if (!answer.ok) return answer
    if (!equal(answer.value.proof, ticketProof(keys.host, host, own))) return no('bad-proof')
    const said = decodeTalk(answer.value.papers)
    if (said?.word !== 'papers') return no('bad-request', 'the other daemon answered something else')
    await talk.tell(said, clock.now())
    await this.#record(member, papers.nameOf(own), by)
    return yes({ host: papers.nameOf(host), shortCode: shortCode(keys, host, own) })
  }

  async #record(frame: Frame, note: string, by: By): Promise<void> {
    await this.#deps.journal.append({ kind: 'joined', at: this.#deps.clock.now(), frame, note, ...by })
  }

  async #ask(
    code: MeshCode,
    host: PartyId,
    keys: TicketKeys,
    member: Frame,
    signal: AbortSignal,
  ): Promise<Verdict<Answer, Code>> {
    const { own, shelf, beacons, room, clock } = this.#deps
    const address = onionAddress(code.onion)
    const proof = ticketProof(keys.guest, host, own)
    const question = encodeCbor([proof, member, beacons.seal(shelf.head(own)).frame])
    const carrier = await room()
    this.#deps.keys.unlock(address, code.clientKey)
    try {
      for (;;) {
        try {
          return readAnswer(await carrier.ask(host, address, question, signal))
        } catch (error) {
          // A new address takes a while to be found; whoever answers wrongly will not do better.
          if (signal.aborted || codeOf(error) !== 'unreachable') return no('unreachable', sentenceOf(error))
          await clock.sleep(AGAIN_MS, signal).catch(() => {})
        }
      }
    } finally {
      this.#deps.keys.lock(address)
    }
  }
}

function serviceOf(ticket: string): string {
  return `join:${ticket}`
}

interface Ask {
  readonly proof: Uint8Array
  readonly member: Frame
  readonly beacon: Frame
}

interface Answer {
  readonly proof: Uint8Array
  readonly papers: Uint8Array
}

function readAsk(bytes: Uint8Array): Ask | undefined {
  const [proof, member, beacon, ...more] = bytesOf(bytes) ?? []
  return proof && member && beacon && more.length === 0 ? { proof, member, beacon } : undefined
}

function readAnswer(bytes: Uint8Array): Verdict<Answer, Code> {
  const item = decodeCbor(bytes)
  const [code] = item.ok && Array.isArray(item.value) ? item.value : []
  if (typeof code === 'number') return no(codeByNumber(code) ?? 'internal')
  const [proof, papers] = bytesOf(bytes) ?? []
  return proof && papers ? yes({ proof, papers }) : no('bad-request')
}

function bytesOf(bytes: Uint8Array): Uint8Array[] | undefined {
  const item = decodeCbor(bytes)
  if (!item.ok || !Array.isArray(item.value)) return undefined
  const all = item.value.filter((each) => each instanceof Uint8Array)
  return all.length === item.value.length ? all.map((each) => Uint8Array.from(each)) : undefined
}

function refusal(code: Code): Uint8Array {
  return encodeCbor([CODES[code]])
}
