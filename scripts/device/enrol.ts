// SPDX-License-Identifier: GPL-3.0-or-later
import { createHmac } from 'node:crypto'
import { systemRandom } from '../../daemon/base/random.ts'
import { type Body, type Enrolled, type Frame, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { writeCsr } from '../../daemon/core/identity/certificates.ts'
import { ALPN_ENROL } from '../../schemas/gen/ts/wire.ts'
import { type DeviceKeys, type Hub, type Kind, LAMP, permitOf } from './keys.ts'
import { dial, Refused, type Wire } from './wire.ts'

/** The enrol envelope of SPEC 7.2; `change` spoils it for hostile tests. */
export function sealEnrol(
  hub: Hub,
  keys: DeviceKeys,
  secret: Uint8Array,
  kind: Kind,
  change: Partial<Extract<Body, { type: 'enrol' }>> = {},
): Frame {
  const { permit, hubKey, ownerKey } = permitOf(secret)
  const prove = (key: Uint8Array) =>
    Uint8Array.from(createHmac('sha256', key).update(keys.signer.key).digest())
  return sealEnvelope(
    {
      type: 'enrol',
      audience: hub.homeId,
      sealedAt: 0,
      epoch: systemRandom.bytes(8),
      sequence: 0,
      permit,
      csr: writeCsr(keys.signer),
      proofForHub: prove(hubKey),
      proofForOwner: prove(ownerKey),
      ...kind,
      ...change,
    },
    keys.signer,
  )
}

export interface Enrolment {
  readonly certificate: Uint8Array
  readonly name: string
  /** The hub's time, seconds. */
  readonly time: number
}

/** Enrols with a code's secret. @throws Refused with the hub's code */
export async function enrolDevice(
  hub: Hub,
  keys: DeviceKeys,
  secret: Uint8Array,
  kind: Kind = LAMP,
): Promise<Enrolment> {
  const wire = await dial(hub, keys, ALPN_ENROL)
  return askEnrolment(wire, keys, sealEnrol(hub, keys, secret, kind))
}

/** Sends this enrol envelope, whatever it holds, and waits for the answer. @throws Refused */
export async function askEnrolment(wire: Wire, keys: DeviceKeys, enrol: Frame): Promise<Enrolment> {
  const answered = new Promise<Frame>((resolve) => {
    wire.onEnvelope = resolve
  })
  wire.send(enrol)
  const first = await Promise.race([answered, wire.closed])
  if (typeof first === 'string') throw new Refused(first)
  const { body } = wire.open<Enrolled>(first, 'enrolled', keys)
  wire.socket.destroy()
  return { certificate: body.certificate, name: body.name, time: body.sealedAt }
}
