// SPDX-License-Identifier: GPL-3.0-or-later
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import {
  GOT_DIGEST_BYTES,
  STILL_SILENCE_S_MAX,
  STILLS_BURST,
  STILLS_UNDERWAY_MAX,
} from '../../../schemas/gen/ts/wire.ts'
import { Allowances } from '../../base/allowance.ts'
import { equal } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { encodeCbor, type Message, type Still } from '../envelope/index.ts'
import type { Feed } from '../feed.ts'
import type { PartyId } from '../model/index.ts'
import type { Carrier, DeviceBook } from '../ports.ts'
import { isNext, judgePicture, judgeStill } from './judge.ts'
import type { Coming, KeptStill, Piece, StillBook, WhichStills } from './ports.ts'

const SILENCE_MS = STILL_SILENCE_S_MAX * 1000
const LOOK_MS = 5000
/** Watchers are told each time so many more bytes are here. */
const TOLD_BYTES = 8192
/** Of how many devices it is remembered what became of a picture that was not kept. */
const REFUSED_MAX = 1024

export interface StillDeps {
  readonly clock: Clock
  readonly devices: DeviceBook
  readonly stills: StillBook
  readonly carrier: Carrier
  readonly feed: Feed
}

/** A picture on its way. It outlives its device's connection, not this hub's life. */
interface Underway {
  readonly message: Message<Still>
  readonly picture: Uint8Array
  got: number
  told: number
  /** When it began or last got further; monotonic. */
  movedAt: number
  isConnected: boolean
}

export interface Stills extends Disposable {
  /** A device says what picture it has; it is told from where on it is wanted, or why not. */
  said(device: PartyId, message: Message<Still>): void
  /** The next bytes of it. A code ends the connection; resolves when what was whole is on disk. */
  piece(device: PartyId, piece: Piece): Promise<'unexpected-message' | 'bad-note' | undefined>
  gone(device: PartyId): void

  list(device: PartyId, limit: number, which?: WhichStills): readonly KeptStill[]
  get(device: PartyId, digest: Uint8Array): KeptStill | undefined
  read(device: PartyId, digest: Uint8Array, at: number, size: number): Uint8Array | undefined
  /** The picture that this device sends now, or what became of its latest that was not kept; with `command`, if it is for that one. */
  coming(device: PartyId, command?: Uint8Array): Coming | undefined
}

export function openStills(deps: StillDeps): Stills {
  const { clock, devices, stills: book, carrier, feed } = deps
  const underway = new Map<PartyId, Underway>()
  const refused = new Map<PartyId, Coming>()
  const allowances = new Allowances(clock, { burst: STILLS_BURST, perS: 1, namesMax: REFUSED_MAX })

  const publish = (device: PartyId, still: Still, got: number, code?: Code): void => {
    const { affordance, command, digest, size } = still
    const what = { affordance, command, digest, size, got, ...(code && { code }) }
    feed.publish({ event: 'still', device, at: clock.now(), ...what })
  }

  const say = (device: PartyId, { digest }: Still, offset: number, code: Code = 'ok'): void => {
    carrier.send(device, encodeCbor([digest.subarray(0, GOT_DIGEST_BYTES), offset, CODES[code]]))
  }

  /** Nothing of it is kept; whoever waits for it hears why. */
  const lose = (device: PartyId, still: Still, code: Code): void => {
    refused.delete(device)
    if (refused.size >= REFUSED_MAX) refused.delete(refused.keys().next().value!)
    refused.set(device, { ...partsOf(still), got: 0, code })
    publish(device, still, 0, code)
  }

  /** So does the device. */
  const refuse = (device: PartyId, still: Still, code: Code): void => {
    say(device, still, 0, code)
    lose(device, still, code)
  }

  const drop = (device: PartyId, code: Code): void => {
    const way = underway.get(device)
    underway.delete(device)
    if (way) refuse(device, way.message.body, code)
  }

  /** A place for one more: that of a device that is away, if all are taken. */
  const hasRoom = (): boolean => {
    if (underway.size < STILLS_UNDERWAY_MAX) return true
    const [away] = [...underway].find(([, { isConnected }]) => !isConnected) ?? []
    if (away) underway.delete(away)
    return away !== undefined
  }

  const begin = (device: PartyId, message: Message<Still>): Underway | undefined => {
    // Without a word to the old one: the device has it no more.
    const before = underway.get(device)
    underway.delete(device)
    if (before) lose(device, before.message.body, 'still-replaced')
    if (!allowances.of(device).draw() || !hasRoom()) return undefined
    const way = {
      message: { ...message, frame: Uint8Array.from(message.frame) },
      picture: new Uint8Array(message.body.size),
      ...{ got: 0, told: 0, movedAt: clock.monotonic(), isConnected: true },
    }
    underway.set(device, way)
    return way
  }

  const finish = async (device: PartyId, { message, picture }: Underway): Promise<void> => {
    const { body, frame } = message
    underway.delete(device)
    const sound = judgePicture(body, picture)
    if (!sound.ok) return refuse(device, body, sound.why)
    const { affordance, command, digest, size, at } = body
    const receivedAt = clock.now()
    await book.put({ device, affordance, command, digest, size, at, receivedAt, frame }, picture)
    refused.delete(device)
    say(device, body, size)
    publish(device, body, size)
  }

  const tidying = clock.every(LOOK_MS, () => {
    const now = clock.monotonic()
    for (const [device, { movedAt }] of [...underway])
      if (now - movedAt >= SILENCE_MS) drop(device, 'still-late')
  })

  return {
    said(device, message) {
      const { body } = message
      const known = devices.get(device)
      const judged = known && judgeStill(known, body)
      if (!judged?.ok) return refuse(device, body, judged?.why ?? 'no-such-affordance')
      if (book.get(device, body.digest)) return say(device, body, body.size)
      const before = underway.get(device)
      const isSame = before && equal(before.message.body.digest, body.digest)
      const way = isSame && before.picture.length === body.size ? before : begin(device, message)
      if (!way) return say(device, body, 0, 'busy')
      way.isConnected = true
      say(device, body, way.got)
    },

    async piece(device, piece) {
      const way = underway.get(device)
      if (!way) return 'unexpected-message'
      if (!isNext(piece, way.got, way.picture.length)) return 'bad-note'
      way.picture.set(piece.bytes, way.got)
      way.got += piece.bytes.length
      way.movedAt = clock.monotonic()
      if (way.got === way.picture.length) {
        await finish(device, way)
        return undefined
      }
      say(device, way.message.body, way.got)
      if (way.got - way.told >= TOLD_BYTES) {
        way.told = way.got
        publish(device, way.message.body, way.got)
      }
      return undefined
    },

    gone(device) {
      const way = underway.get(device)
      if (way) way.isConnected = false
    },

    list: (device, limit, which) => book.list(device, limit, which),
    get: (device, digest) => book.get(device, digest),
    read: (device, digest, at, size) => book.read(device, digest, at, size),
    coming(device, wanted) {
      const way = underway.get(device)
      const now = way && { ...partsOf(way.message.body), got: way.got }
      return [now, refused.get(device)].find((each) => each && (!wanted || equal(each.command, wanted)))
    },
    [Symbol.dispose]: () => tidying[Symbol.dispose](),
  }
}

const partsOf = ({ command, digest, size }: Still) => ({ command, digest, size })
