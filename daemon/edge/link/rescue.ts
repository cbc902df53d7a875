// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { DEVICE_ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { type Body, type Frame, openEnvelope, type Receiver } from '../../core/envelope/index.ts'
import { idOf, type PartyId } from '../../core/model/index.ts'
import type { Line, Outcome, Talk } from './connection.ts'
import { isEnvelope } from './notes.ts'
import { nextPapers } from './renewal.ts'
import type { LinkRoom } from './room.ts'

/**
 * What a certificate that has ended is still good for (SPEC 6.7): the hello of a device that is known and not forgotten,
 * sealed by the key that TLS has just proven, is answered with its next certificate, and nothing else is heard.
 */
export class Rescue implements Talk, Receiver {
  readonly device: PartyId
  readonly sizeMax = DEVICE_ENVELOPE_BYTES_MAX
  readonly #room: LinkRoom
  readonly #line: Line
  readonly #key: Uint8Array
  #answered = false

  constructor(room: LinkRoom, line: Line, key: Uint8Array) {
    this.#room = room
    this.#line = line
    this.#key = key
    this.device = idOf(key)
  }

  accepts(body: Body, signer: Uint8Array): boolean {
    return body.type === 'hello' && equal(signer, this.#key)
  }

  isAudience(body: Body): boolean {
    return body.audience === this.#room.homeId
  }

  take(frame: Frame): Outcome {
    if (!isEnvelope(frame)) return 'bad-note'
    const opened = openEnvelope(frame, this, this.#room.ed25519)
    if (!opened.ok) return opened.why
    if (this.#answered) return 'unexpected-message'
    this.#answered = true
    // Asked now and not when the connection began: somebody may have been forgotten in between.
    const standing = this.#room.desk.standing(this.device)
    if (standing === 'forgotten') return 'forgotten'
    if (standing === 'elsewhere') return 'hub-elsewhere'
    const papers = nextPapers(this.#room, this.#key, opened.value.body.epoch)
    if (!papers) return 'expired'
    this.#room.diary.deviceRenewed(this.device, true)
    this.#line.expect(this.#room.limits.helloMsMax, 'expired')
    this.#line.send(papers)
    return undefined
  }

  ended(why: Code): void {
    if (why === 'hub-elsewhere') this.#room.turnedAway.note(this.#line.address)
  }
}
