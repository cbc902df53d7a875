// SPDX-License-Identifier: GPL-3.0-or-later
import { type Code, codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import { COMMANDS_WAITING_MAX, GOT_DIGEST_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { toHex } from '../../base/bytes.ts'
import { Channel } from '../../base/channel.ts'
import type { Clock, Instant } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Command, Message, Receipt } from '../envelope/message.ts'
import type { PartyId } from '../model/index.ts'
import type { Permitted } from '../policy/index.ts'
import type { Carrier } from '../ports.ts'

/** Where a command is on its way; the last is `done`, `refused` or `expired`. */
export type Stage =
  | { readonly stage: 'at-hub'; readonly at: Instant }
  | { readonly stage: 'at-device'; readonly at: Instant }
  | { readonly stage: 'done'; readonly at: Instant; readonly receipt: Message<Receipt> }
  | {
      readonly stage: 'refused'
      readonly at: Instant
      readonly code: Code
      readonly receipt: Message<Receipt>
    }
  | { readonly stage: 'expired'; readonly at: Instant; readonly reached: boolean }

export type Delivery = AsyncIterable<Stage>

export interface Router extends Disposable {
  /** @param digest SHA-256 of the command's bytes */
  deliver(
    command: Permitted<Message<Command>>,
    device: PartyId,
    digest: Uint8Array,
  ): Verdict<Delivery, 'queue-full'>
  /** The device said hello: what waits for it goes out, oldest first. */
  connected(device: PartyId): void
  got(device: PartyId, digestStart: Uint8Array): void
  answered(device: PartyId, receipt: Message<Receipt>): void
  /** Nothing more will be asked of this device. */
  forgotten(device: PartyId): void
  waiting(device: PartyId): number
  /** Whether `deliver` would take another command for this device. */
  hasRoom(device: PartyId): boolean
}

interface Waiting {
  readonly command: Permitted<Message<Command>>
  readonly digest: Uint8Array
  readonly stages: Channel<Stage>
  reached: boolean
}

export interface RouterDeps {
  readonly clock: Clock
  readonly carrier: Carrier
  /** Told of every command that ran out of time. */
  readonly onExpired: (device: PartyId, digest: Uint8Array, at: Instant) => void
}

/** How late an expiry may be noticed. */
const SWEEP_MS = 250
/** A delivery has at most five stages. */
const STAGES_MAX = 8

export function openRouter({ clock, carrier, onExpired }: RouterDeps): Router {
  const queues = new Map<PartyId, Map<string, Waiting>>()

  const finish = (device: PartyId, key: string, stage: Stage): void => {
    const queue = queues.get(device)
    const waiting = queue?.get(key)
    if (!queue || !waiting) return
    queue.delete(key)
    if (queue.size === 0) queues.delete(device)
    waiting.stages.push(stage)
    waiting.stages.close()
  }

  const sweep = clock.every(SWEEP_MS, () => {
    const now = clock.now()
    for (const [device, queue] of queues) {
      for (const [key, { command, digest, reached }] of queue) {
        if (command.body.expiresAt * 1000 > now) continue
        finish(device, key, { stage: 'expired', at: now, reached })
        onExpired(device, digest, now)
      }
    }
  })

  const waiting = (device: PartyId): number => queues.get(device)?.size ?? 0
  const hasRoom = (device: PartyId): boolean => waiting(device) < COMMANDS_WAITING_MAX

  return {
    waiting,
    hasRoom,
    deliver(command, device, digest) {
      if (!hasRoom(device)) return no('queue-full')
      const queue = queues.get(device) ?? new Map<string, Waiting>()
      const stages = new Channel<Stage>(STAGES_MAX)
      stages.push({ stage: 'at-hub', at: clock.now() })
      queue.set(toHex(digest), { command, digest, stages, reached: false })
      queues.set(device, queue)
      carrier.send(device, command.frame)
      return yes(stages)
    },
    connected(device) {
      for (const { command } of queues.get(device)?.values() ?? []) carrier.send(device, command.frame)
    },
    got(device, digestStart) {
      const start = toHex(digestStart.subarray(0, GOT_DIGEST_BYTES))
      for (const [key, waiting] of queues.get(device) ?? []) {
        if (!key.startsWith(start) || waiting.reached) continue
        waiting.reached = true
        waiting.stages.push({ stage: 'at-device', at: clock.now() })
      }
    },
    answered(device, receipt) {
      const at = clock.now()
      const { code, command } = receipt.body
      const name = codeByNumber(code) ?? 'device-fault'
      const stage: Stage =
        code === 0 ? { stage: 'done', at, receipt } : { stage: 'refused', at, code: name, receipt }
      finish(device, toHex(command), stage)
    },
    forgotten(device) {
      const at = clock.now()
      for (const [key, { reached }] of queues.get(device) ?? [])
        finish(device, key, { stage: 'expired', at, reached })
    },
    [Symbol.dispose]: () => sweep[Symbol.dispose](),
  }
}
