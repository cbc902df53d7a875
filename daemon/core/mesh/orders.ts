// SPDX-License-Identifier: GPL-3.0-or-later
import { hash } from 'node:crypto'
import { CODES, type Code, codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import { DEVICE_ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { Channel } from '../../base/channel.ts'
import type { Clock, Instant } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { type Ed25519, type Frame, type Message, openEnvelope, type Receipt } from '../envelope/index.ts'
import { idOf, type PartyId } from '../model/index.ts'
import type { Delivery, Stage } from '../router/index.ts'
import type { OrderStage, TalkWord } from './words.ts'

type StageWord = TalkWord & { readonly word: 'stage' }
type OrderWord = TalkWord & { readonly word: 'order' }

export interface OrderDeps {
  readonly clock: Clock
  readonly ed25519: Ed25519
  readonly home: PartyId
  readonly say: (peer: PartyId, word: TalkWord) => void
  /** Has a command of another daemon's client carried out here; judged as any other. */
  readonly carryOut: (device: PartyId, command: Frame, from: PartyId) => Promise<Verdict<Delivery, Code>>
}

interface Sent {
  readonly peer: PartyId
  readonly device: PartyId
  readonly command: Frame
  readonly digest: Uint8Array
  readonly expiresAt: Instant
  readonly taken: (verdict: Verdict<Delivery, Code>) => void
  readonly stages: Channel<Stage>
  readonly passed: Set<OrderStage>
}

interface Taken {
  readonly said: StageWord[]
  /** How many of them who asked was told. */
  told: number
  /** When it may be forgotten; never before it has ended. */
  expiresAt: Instant
  /** Who asked, under which number; the latest connection counts. */
  asker: { readonly peer: PartyId; readonly number: number }
}

/** As many commands wait for answers from other homes, and of one other home here. */
export const ORDERS_MAX = 64
const STAGES_MAX = 8
const NOTHING = new Uint8Array()
/**
 * A stage waits so long for the next, so that a command which is done at once is told in one piece: through Tor each further
 * piece would wait at every relay until the one before it is acknowledged (RFC 896), 40 ms for none.
 */
const GATHER_MS = 20
/** How long the answer to a command is kept for who lost the way before it came. */
const KEPT_MS = 60_000
/** Answers that are kept at once. */
const KEPT_MAX = 4096

/**
 * Commands for devices of other homes (SPEC 14.4): the envelope goes there as it is, its stages come back. When the connection
 * breaks in between, the same command is given again to the same home for as long as it is in time, and answered from memory
 * there; it is carried out once.
 */
export class Orders {
  readonly #deps: OrderDeps
  readonly #sent = new Map<number, Sent>()
  readonly #taken = new Map<string, Taken>()
  #number = 0

  constructor(deps: OrderDeps) {
    this.#deps = deps
  }

  /** @returns its stages once the other home has taken it, or that home's refusal */
  send(peer: PartyId, device: PartyId, command: Frame, expiresAt: Instant): Promise<Verdict<Delivery, Code>> {
    if (this.#sent.size >= ORDERS_MAX) return Promise.resolve(no('queue-full'))
    const number = ++this.#number
    return new Promise((resolve) => {
      const stages = new Channel<Stage>(STAGES_MAX)
      const digest = sha256(command)
      const sent = { peer, device, command, digest, expiresAt, taken: resolve, stages, passed: new Set() }
      this.#sent.set(number, sent as Sent)
      this.#deps.say(peer, { word: 'order', number, device, command })
    })
  }

  /** The way stands again: what is not answered is given once more. */
  connected(peer: PartyId): void {
    for (const [number, { peer: to, device, command }] of this.#sent) {
      if (to === peer) this.#deps.say(peer, { word: 'order', number, device, command })
    }
  }

  async heardOrder(peer: PartyId, order: OrderWord): Promise<void> {
    const key = sha256(order.command).toHex()
    const known = this.#taken.get(key)
    const asker = { peer, number: order.number }
    if (known) {
      known.asker = asker
      known.told = 0
      return this.#tellGathered(known)
    }
    const taken: Taken = { said: [], told: 0, asker, expiresAt: Number.POSITIVE_INFINITY }
    const underWay = [...this.#taken.values()].filter(
      ({ expiresAt }) => expiresAt === Number.POSITIVE_INFINITY,
    )
    if (underWay.length >= ORDERS_MAX || this.#taken.size >= KEPT_MAX)
      return this.#end(taken, 'not-taken', CODES['queue-full'])
    this.#taken.set(key, taken)
    const delivery = await this.#deps.carryOut(order.device, order.command, peer)
    if (delivery.ok) await this.#follow(taken, delivery.value)
    else this.#end(taken, 'not-taken', CODES[delivery.why])
    taken.expiresAt = this.#deps.clock.now() + KEPT_MS
  }

  async #follow(taken: Taken, delivery: Delivery): Promise<void> {
    for await (const stage of delivery) {
      if (stage.stage === 'done') this.#end(taken, 'done', 0, stage.receipt.frame)
      else if (stage.stage === 'refused') {
        this.#end(taken, 'refused', CODES[stage.code], stage.receipt.frame)
      } else if (stage.stage === 'expired') {
        this.#end(taken, stage.reached ? 'expired-reached' : 'expired')
      } else this.#tellSoon(taken, stage.stage)
    }
  }

  #tellSoon(taken: Taken, stage: OrderStage): void {
    if (taken.told === taken.said.length) {
      void this.#deps.clock.sleep(GATHER_MS).then(() => this.#tellGathered(taken))
    }
    taken.said.push({ word: 'stage', number: taken.asker.number, stage, code: 0, receipt: NOTHING })
  }

  #end(taken: Taken, stage: OrderStage, code = 0, receipt: Frame = NOTHING): void {
    taken.said.push({ word: 'stage', number: taken.asker.number, stage, code, receipt })
    this.#tellGathered(taken)
  }

  /** What was not told yet, to who asked last. */
  #tellGathered(taken: Taken): void {
    const { peer, number } = taken.asker
    for (const said of taken.said.slice(taken.told)) this.#deps.say(peer, { ...said, number })
    taken.told = taken.said.length
  }

  heardStage(peer: PartyId, said: StageWord): void {
    const sent = this.#sent.get(said.number)
    if (!sent || sent.peer !== peer || sent.passed.has(said.stage)) return
    if (said.stage === 'not-taken') {
      this.#sent.delete(said.number)
      sent.stages.close()
      sent.taken(no(codeByNumber(said.code) ?? 'internal'))
      return
    }
    sent.taken(yes(sent.stages))
    const stage = this.#stageOf(sent, said)
    // What is not proved has not happened: the true word may still come.
    if (!stage) return
    sent.passed.add(said.stage)
    sent.stages.push(stage)
    if (stage.stage === 'at-hub' || stage.stage === 'at-device') return
    this.#sent.delete(said.number)
    sent.stages.close()
  }

  /** Ends what is out of time. */
  tick(): void {
    const now = this.#deps.clock.now()
    for (const [number, sent] of this.#sent) {
      if (sent.expiresAt > now) continue
      this.#sent.delete(number)
      sent.taken(yes(sent.stages))
      sent.stages.push({ stage: 'expired', at: now, reached: sent.passed.has('at-hub') })
      sent.stages.close()
    }
    for (const [key, { expiresAt }] of this.#taken) if (expiresAt <= now) this.#taken.delete(key)
  }

  #stageOf(sent: Sent, { stage, code, receipt }: StageWord): Stage | undefined {
    const at = this.#deps.clock.now()
    switch (stage) {
      case 'at-hub':
      case 'at-device':
        return { stage, at }
      case 'expired':
      case 'expired-reached':
        return { stage: 'expired', at, reached: stage === 'expired-reached' }
      case 'done':
      case 'refused': {
        const opened = this.#openReceipt(sent, receipt)
        if (!opened) return undefined
        const refusal = codeByNumber(code) ?? 'device-fault'
        return stage === 'done'
          ? { stage, at, receipt: opened }
          : { stage, at, code: refusal, receipt: opened }
      }
    }
    return undefined
  }

  /** Only the device's own word for exactly this command ends it. */
  #openReceipt({ device, digest }: Sent, frame: Frame): Message<Receipt> | undefined {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === 'receipt' && idOf(signer) === device,
        isAudience: (body) => body.audience === this.#deps.home,
      },
      this.#deps.ed25519,
    )
    const receipt = opened.ok ? (opened.value as Message<Receipt>) : undefined
    return receipt && equal(receipt.body.command, digest) ? receipt : undefined
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(hash('sha256', bytes, 'buffer'))
}
