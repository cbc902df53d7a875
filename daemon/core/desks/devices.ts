// SPDX-License-Identifier: GPL-3.0-or-later
/** Devices come, get their names and groups, and go: an owner's papers about them (SPEC 4.3, 4.4, 7). */
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX, PERMIT_LIFETIME_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { type Verdict, yes } from '../../base/error.ts'
import type { Caller } from '../callers.ts'
import { admit, type Body, type BodyOf, type Frame, type Message, openEnvelope } from '../envelope/index.ts'
import { type Device, idOf, isDeviceName, keyOf, type PartyId } from '../model/index.ts'
import type { DeskDeps } from './deps.ts'

export interface DevicesDesk {
  permit(frame: Frame, proofKey: Uint8Array, caller: Caller): Promise<Verdict<Uint8Array, Code>>
  /** The owner's record of a device that enrolled (SPEC 7.3), or one that takes its place: other groups, another name. */
  confirm(frame: Frame, caller: Caller): Promise<Verdict<Device, Code>>
  rename(device: PartyId, name: string, caller: Caller): Promise<Verdict<Device, Code>>
  forget(device: PartyId, caller: Caller): Promise<Verdict<Device, Code>>
}

export function openDevicesDesk(deps: DeskDeps): DevicesDesk {
  const { clock, ed25519, authority, devices, journal, permits, router, carrier, feed, diary, generations } =
    deps
  const { trust, groups } = authority

  const openFromOwner = <T extends Body['type']>(
    frame: Frame,
    type: T,
  ): Verdict<Message<BodyOf<T>>, Code> => {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === type && trust.isOwner(signer),
        isAudience: (body) => body.audience === trust.home,
      },
      ed25519,
    )
    if (!opened.ok) return opened
    const admitted = admit(opened.value, { now: authority.now() })
    return admitted.ok ? yes(opened.value as Message<BodyOf<T>>) : admitted
  }

  /** A record takes the place of another one if it is for the same key and not older (SPEC 12.3). */
  const isOlder = (device: PartyId, sequence: number): boolean => {
    const held = devices.get(device)?.record
    const enrolment = held && groups.enrolment(held)
    return (
      enrolment !== undefined &&
      equal(enrolment.body.key, keyOf(device)) &&
      sequence < enrolment.body.sequence
    )
  }

  /** Who watches has an old picture: what devices there are, or what they are called, is another. */
  const changed = (): void => feed.publish({ event: 'rights', at: clock.now() })

  return {
    async permit(frame, proofKey, caller) {
      const refused = (why: Code, detail?: string) => diary.refuse(frame, caller, undefined, why, detail)
      const opened = openFromOwner(frame, 'permit')
      if (!opened.ok) return refused(opened.why)
      const { body } = opened.value
      if (body.expiresAt > authority.now() + PERMIT_LIFETIME_S_MAX) return refused('bad-claims')
      if (!isDeviceName(body.name)) return refused('bad-claims', 'a device cannot have this name')
      if (devices.named(body.name)) return refused('name-taken', `a device is called ${body.name} already`)
      if (permits.get(body.permit)) return refused('conflict', 'this permit was handed in already')
      const { permit, name } = body
      await Promise.all([
        permits.open({ permit, name, expiresAt: body.expiresAt * 1000, proofKey, frame }),
        journal.append(diary.by(caller, { kind: 'permit', frame, note: name })),
      ])
      return yes(permit)
    },

    async confirm(frame, caller) {
      const opened = openFromOwner(frame, 'enrolment')
      if (!opened.ok) return diary.refuse(frame, caller, undefined, opened.why)
      const { body } = opened.value
      const id = idOf(body.key)
      const refused = (why: Code, detail?: string) => diary.refuse(frame, caller, id, why, detail)
      if (!isDeviceName(body.name)) return refused('bad-claims', 'a device cannot have this name')
      if (isOlder(id, body.sequence)) return refused('replayed', 'a newer record of this device is held')
      const confirmed = await devices.confirm(id, body.name, frame)
      if (!confirmed.ok) return refused(confirmed.why, confirmed.detail)
      await journal.append(diary.by(caller, { kind: 'confirmed', device: id, frame, note: body.name }))
      carrier.send(id, frame)
      changed()
      return confirmed
    },

    async rename(device, name, caller) {
      const renamed = await devices.rename(device, name)
      if (!renamed.ok) return renamed
      await journal.append(diary.by(caller, { kind: 'renamed', device, note: name }))
      changed()
      return renamed
    },

    async forget(device, caller) {
      const forgotten = await devices.forget(device, clock.now())
      if (!forgotten.ok) return forgotten
      carrier.drop(device, 'forgotten')
      router.forgotten(device)
      generations.reconsider()
      await journal.append(diary.by(caller, { kind: 'forgotten', device, note: forgotten.value.name }))
      changed()
      return forgotten
    },
  }
}
