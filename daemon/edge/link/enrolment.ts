// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { DEVICE_ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Turns } from '../../base/lifetime.ts'
import { Secret } from '../../base/secret.ts'
import {
  admit,
  type Body,
  type Enrol,
  type Enrolled,
  type Frame,
  type Message,
  openEnvelope,
  type Receiver,
} from '../../core/envelope/index.ts'
import { deviceLeaf, readCsr } from '../../core/identity/certificates.ts'
import { keyProof } from '../../core/identity/index.ts'
import { idOf, type PartyId } from '../../core/model/index.ts'
import type { OpenPermit } from '../../core/ports.ts'
import type { Line, Outcome, Talk } from './connection.ts'
import { isEnvelope } from './notes.ts'
import type { LinkRoom } from './room.ts'

/**
 * One enrolment (SPEC 7): a stranger shows that it knows the secret of a permit and leaves with a certificate, or hears why not.
 * The refusals come in the order of SPEC 7.4. Enrolments take turns, so that one permit cannot enrol two.
 */
export class Enrolment implements Talk, Receiver {
  readonly sizeMax = DEVICE_ENVELOPE_BYTES_MAX
  readonly #room: LinkRoom
  readonly #line: Line
  readonly #turns: Turns
  #answered = false

  constructor(room: LinkRoom, line: Line, turns: Turns) {
    this.#room = room
    this.#line = line
    this.#turns = turns
  }

  /** Any key may ask. */
  accepts(): boolean {
    return true
  }

  isAudience(body: Body): boolean {
    return body.audience === this.#room.homeId
  }

  take(frame: Frame): Outcome | Promise<Outcome> {
    if (!isEnvelope(frame)) return 'bad-note'
    const opened = openEnvelope(frame, this, this.#room.ed25519)
    if (!opened.ok) return opened.why
    const admitted = admit(opened.value, { now: Math.floor(this.#room.clock.now() / 1000) })
    if (!admitted.ok) return admitted.why
    if (admitted.value.body.type !== 'enrol' || this.#answered) return 'unexpected-message'
    this.#answered = true
    return this.#turns.take(() => this.#answer(admitted.value as Message<Enrol>))
  }

  ended(): void {}

  async #answer(enrol: Message<Enrol>): Promise<Outcome> {
    const device = idOf(enrol.signer)
    try {
      const answer = await this.#judge(enrol, device)
      if (!answer.ok) {
        this.#room.desk.turnedAway(answer.why, this.#line.address)
        return answer.why
      }
      this.#line.send(answer.value)
      return undefined
    } catch (error) {
      this.#room.diary.deskFailed(device, error)
      return 'internal'
    }
  }

  async #judge(enrol: Message<Enrol>, device: PartyId): Promise<Verdict<Frame, Code>> {
    const { clock, desk, tries, diary } = this.#room
    if (tries.exhausted(this.#line.address, clock.monotonic())) return no('too-many-tries')
    const permit = desk.permit(enrol.body.permit)
    if (!permit) return this.#wrong('permit-unknown')
    if (permit.usedBy === device && permit.enrolled) {
      diary.deviceEnrolled(device, permit.name, true)
      return yes(this.#again(permit.enrolled, device, enrol.body.epoch))
    }
    if (permit.usedBy !== undefined) return no('permit-used')
    if (permit.expiresAt <= clock.now()) return no('permit-expired')
    if (!provesSecret(enrol, permit)) return this.#wrong('bad-proof')
    const asked = readCsr(enrol.body.csr, this.#room.ed25519)
    if (!asked.ok || !equal(asked.value, enrol.signer)) return no('bad-csr')
    return this.#admit(enrol, device, permit)
  }

  #wrong(code: 'permit-unknown' | 'bad-proof'): Verdict<Frame, Code> {
    this.#room.tries.wrong(this.#line.address, this.#room.clock.monotonic())
    return no(code)
  }

  async #admit(enrol: Message<Enrol>, device: PartyId, permit: OpenPermit): Promise<Verdict<Frame, Code>> {
    const { issuer, random, clock, voice, desk, diary } = this.#room
    const certificate = deviceLeaf(issuer(), enrol.signer, random.bytes(8), clock.now())
    const enrolled = voice.enrolled(device, enrol.body.epoch, certificate, permit.name)
    const { board, firmware, affordances } = enrol.body
    const verdict = await desk.enrolled({
      id: device,
      name: permit.name,
      board,
      firmware,
      affordances,
      permit: permit.permit,
      enrol: Uint8Array.from(enrol.frame),
      enrolled,
    })
    if (!verdict.ok) return verdict
    diary.deviceEnrolled(device, permit.name, false)
    return yes(enrolled)
  }

  /** The same certificate and name, sealed for the epoch in which the device asks this time (it may have restarted). */
  #again(enrolled: Frame, device: PartyId, nonce: Uint8Array): Frame {
    const { voice, ed25519 } = this.#room
    const opened = openEnvelope(enrolled, { ...ourselves, sizeMax: this.sizeMax }, ed25519)
    if (!opened.ok) throw new Error(`the answer that was kept is damaged: ${opened.why}`)
    const { certificate, name } = opened.value.body as Enrolled
    return voice.enrolled(device, nonce, certificate, name)
  }
}

/** For reading back what this hub, or the one it was restored from, sealed and kept. */
const ourselves = {
  accepts: (body: Body) => body.type === 'enrolled',
  isAudience: () => true,
}

function provesSecret(enrol: Message<Enrol>, permit: OpenPermit): boolean {
  if (!permit.proofKey) return false
  return equal(keyProof(new Secret(permit.proofKey), enrol.signer), enrol.body.proofForHub)
}
