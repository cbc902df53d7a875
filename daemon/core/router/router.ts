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
  /** What was asked with this digest, while it waits. */
  asked(device: PartyId, digest: Uint8Array): Permitted<Message<Command>> | undefined
  /** Tells who asked; a device that does not know the grant is asked once more. False: nobody waits for this, or not yet. */
  answered(device: PartyId, receipt: Message<Receipt>): boolean
  /** The device said hello: what waits for it goes out, oldest first. */
  connected(device: PartyId): void
  got(device: PartyId, digestStart: Uint8Array): void
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
  /** Handed to a connection, so that the device may have it. */
  sent: boolean
  repeated: boolean
}

export interface Expired {
  readonly command: Permitted<Message<Command>>
  readonly digest: Uint8Array
  readonly at: Instant
  /** The device may have got it. */
  readonly sent: boolean
}

export interface RouterDeps {
  readonly clock: Clock
  readonly carrier: Carrier
  /** Told of every command that ran out of time. */
  readonly onExpired: (device: PartyId, expired: Expired) => void
  /** Called before a command is sent: what it hangs from must be there first. `again`: the device does not know it. */
  readonly accompany?: (device: PartyId, command: Message<Command>, again: boolean) => void
}

/** How late an expiry may be noticed. */
const SWEEP_MS = 250
/** A delivery has at most five stages. */
const STAGES_MAX = 8

export function openRouter({ clock, carrier, onExpired, accompany }: RouterDeps): Router {
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

  const send = (device: PartyId, waiting: Waiting, again = false): void => {
    accompany?.(device, waiting.command, again)
    if (carrier.send(device, waiting.command.frame) === 'sent') waiting.sent = true
  }

  const sweep = clock.every(SWEEP_MS, () => {
    const now = clock.now()
    for (const [device, queue] of queues) {
      for (const [key, { command, digest, reached, sent }] of queue) {
        if (command.body.expiresAt * 1000 > now) continue
        finish(device, key, { stage: 'expired', at: now, reached })
        onExpired(device, { command, digest, at: now, sent })
      }
    }
  })

  const waiting = (device: PartyId): number => queues.get(device)?.size ?? 0
  const hasRoom = (device: PartyId): boolean => waiting(device) < COMMANDS_WAITING_MAX

  return {
    waiting,
    hasRoom,
    asked: (device, digest) => queues.get(device)?.get(toHex(digest))?.command,
    deliver(command, device, digest) {
      if (!hasRoom(device)) return no('queue-full')
      const queue = queues.get(device) ?? new Map<string, Waiting>()
      const stages = new Channel<Stage>(STAGES_MAX)
      stages.push({ stage: 'at-hub', at: clock.now() })
      const waiting = { command, digest, stages, reached: false, sent: false, repeated: false }
      queue.set(toHex(digest), waiting)
      queues.set(device, queue)
      send(device, waiting)
      return yes(stages)
    },
    connected(device) {
      for (const waiting of queues.get(device)?.values() ?? []) send(device, waiting)
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
      const key = toHex(command)
      const waiting = queues.get(device)?.get(key)
      if (waiting && name === 'unknown-grant' && !waiting.repeated) {
        waiting.repeated = true
        send(device, waiting, true)
        return false
      }
      const stage: Stage =
        code === 0 ? { stage: 'done', at, receipt } : { stage: 'refused', at, code: name, receipt }
      finish(device, key, stage)
      return waiting !== undefined
    },
    forgotten(device) {
      const at = clock.now()
      for (const [key, { reached }] of queues.get(device) ?? [])
        finish(device, key, { stage: 'expired', at, reached })
    },
    [Symbol.dispose]: () => sweep[Symbol.dispose](),
  }
}
