// SPDX-License-Identifier: GPL-3.0-or-later
import { ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal } from '../base/bytes.ts'
import { type Ed25519, type Enrolment, type Frame, type Message, openEnvelope } from './envelope/index.ts'
import { type Device, keyOf } from './model/index.ts'
import type { Trust } from './policy/index.ts'

/** Which groups a device belongs to: those of the enrolment that it holds (SPEC 12.3), opened once. */
export class Groups {
  readonly #trust: Trust
  readonly #ed25519: Ed25519
  readonly #known = new WeakMap<Frame, Message<Enrolment>>()

  constructor(trust: Trust, ed25519: Ed25519) {
    this.#trust = trust
    this.#ed25519 = ed25519
  }

  /** None for a device without a record. */
  of({ id, record }: Pick<Device, 'id' | 'record'>): readonly string[] {
    const enrolment = record && this.enrolment(record)
    return enrolment && equal(enrolment.body.key, keyOf(id)) ? (enrolment.body.groups ?? []) : []
  }

  /** The record, verified; undefined when its seal does not hold. Who sealed it may be an owner no longer: the device keeps it. */
  enrolment(record: Frame): Message<Enrolment> | undefined {
    const known = this.#known.get(record)
    if (known) return known
    const opened = openEnvelope(
      record,
      {
        sizeMax: ENVELOPE_BYTES_MAX,
        accepts: (body) => body.type === 'enrolment',
        isAudience: (body) => body.audience === this.#trust.home,
      },
      this.#ed25519,
    )
    if (!opened.ok) return undefined
    const enrolment = opened.value as Message<Enrolment>
    this.#known.set(record, enrolment)
    return enrolment
  }
}
