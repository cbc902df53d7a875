// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The trust path on one screen: open → judge → record → deliver, for what people send and for what devices say.
 *
 * Always true: nothing is delivered that is not recorded, nothing recorded that was not judged, nothing judged that was
 * not opened. A refusal is an answer with a code. What a proved caller hands in sealed and is refused leaves an entry in
 * the journal; strangers, and requests that do not even name their caller, leave none, or they could fill it.
 */
import { createHash } from 'node:crypto'
import { CODES, type Code } from '../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX, PERMIT_LIFETIME_S_MAX, REQUEST_WINDOW } from '../../schemas/gen/ts/wire.ts'
import { equal } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { no, type Verdict, yes } from '../base/error.ts'
import {
  admit,
  type Body,
  type BodyOf,
  type Command,
  type Ed25519,
  type Frame,
  type Message,
  openEnvelope,
} from './envelope/index.ts'
import type { Feed } from './feed.ts'
import { affordanceOf, type Device, idOf, isDeviceName, type PartyId } from './model/index.ts'
import { type Grants, judge, type Trust, type UseBook } from './policy/index.ts'
import type { Carrier, DeviceBook, DeviceDesk, Journal, PermitBook, ReadingBook } from './ports.ts'
import type { Delivery, Router } from './router/index.ts'
import { Windows } from './windows.ts'

/** Who asked, proved by a sealed request. */
export interface Caller {
  readonly id: PartyId
  readonly name: string
  /** Where the request came in: `unix`, `lan`, `onion:<name>`. */
  readonly origin: string
}

/** The request as the HTTP face saw it, to be held against what was sealed (SPEC 9.2). */
export interface Asked {
  readonly method: string
  /** With query. */
  readonly path: string
  /** SHA-256 of the body. */
  readonly digest: Uint8Array
  readonly origin: string
}

/** What a person can have done; every answer is a value with a code of schemas/codes.csv. */
export interface Desk {
  identify(frame: Frame, asked: Asked): Verdict<Caller, Code>
  /** Who sealed this command, for a request that carries nothing else: only that is proved here (SPEC 9.2). */
  sealer(
    frame: Frame,
    origin: string,
  ): Verdict<{ readonly caller: Caller; readonly command: Message<Command> }, Code>
  /**
   * @param sealed  a command as it came, or as `sealer` opened it, so that no signature is checked twice
   * @param target  the device and affordance that the route named; the sealed command must say the same
   */
  command(
    sealed: Frame | Message<Command>,
    target: { readonly device: Device; readonly affordance: number; readonly operation: 'write' | 'invoke' },
    caller: Caller,
  ): Promise<Verdict<Delivery, Code>>
  permit(frame: Frame, proofKey: Uint8Array, caller: Caller): Promise<Verdict<Uint8Array, Code>>
  /** The owner's record of a device that enrolled (SPEC 7.3). */
  confirm(frame: Frame, caller: Caller): Promise<Verdict<Device, Code>>
  rename(device: PartyId, name: string, caller: Caller): Promise<Verdict<Device, Code>>
  forget(device: PartyId, caller: Caller): Promise<Verdict<Device, Code>>
}

export interface ReceiveDeps {
  readonly clock: Clock
  readonly ed25519: Ed25519
  readonly trust: Trust
  readonly grants: Grants
  readonly uses: UseBook
  readonly devices: DeviceBook
  readonly readings: ReadingBook
  readonly journal: Journal
  readonly permits: PermitBook
  readonly router: Router
  readonly carrier: Carrier
  readonly feed: Feed
}

export function openDesk(deps: ReceiveDeps): Desk {
  const { clock, trust, grants, uses, devices, journal, permits, router, carrier } = deps
  const windows = new Windows()
  /** What was asked of us before we started we no longer know: such a request may be a replay (SPEC 3.3). */
  const openedAt = clock.now()
  const seconds = (): number => Math.floor(clock.now() / 1000)

  /** Opens an envelope that an owner must have sealed for the home, of one type. */
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
      deps.ed25519,
    )
    return opened.ok ? yes(opened.value as Message<BodyOf<T>>) : opened
  }

  const openCommand = (frame: Frame, isAudience: (audience: string) => boolean) =>
    openEnvelope(
      frame,
      {
        sizeMax: ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === 'command' && trust.isOwner(signer),
        isAudience: (body) => isAudience(body.audience),
      },
      deps.ed25519,
    ) as Verdict<Message<Command>, Code>

  const refuse = async <Why extends Code>(
    frame: Frame,
    caller: Caller,
    device: PartyId | undefined,
    why: Why,
    detail?: string,
  ) => {
    const at = clock.now()
    await journal.append({
      kind: 'refused',
      at,
      device,
      signer: caller.id,
      frame,
      origin: caller.origin,
      code: CODES[why],
    })
    return no(why, detail)
  }

  return {
    identify(frame, asked) {
      const opened = openFromOwner(frame, 'request')
      if (!opened.ok) return opened
      const { body, signer } = opened.value
      if (body.method !== asked.method || body.path !== asked.path || !equal(body.digest, asked.digest)) {
        return no('unauthorized', 'the sealed request is for something else')
      }
      const admitted = admit(opened.value, {
        now: seconds(),
        window: windows.of(`request:${idOf(signer)}`, REQUEST_WINDOW, openedAt),
      })
      if (!admitted.ok) return admitted
      const owner = trust.owner(signer)!
      return yes({ id: owner.id, name: owner.name, origin: asked.origin })
    },

    sealer(frame, origin) {
      const opened = openCommand(frame, () => true)
      if (!opened.ok) return opened
      const owner = trust.owner(opened.value.signer)!
      return yes({ caller: { id: owner.id, name: owner.name, origin }, command: opened.value })
    },

    async command(sealed, target, caller) {
      const { device } = target
      const isOpen = !(sealed instanceof Uint8Array)
      const frame = isOpen ? sealed.frame : sealed
      const opened = isOpen ? yes(sealed) : openCommand(sealed, (audience) => audience === device.id)
      if (!opened.ok) return refuse(frame, caller, device.id, opened.why)
      const message = opened.value
      const { body, signer } = message
      if (body.audience !== device.id) return refuse(frame, caller, device.id, 'wrong-audience')
      if (body.affordance !== target.affordance || body.operation !== target.operation) {
        return refuse(
          frame,
          caller,
          device.id,
          'bad-request',
          'the sealed command is for another property or action',
        )
      }
      const admitted = admit(message, {
        now: seconds(),
        nonce: device.presence.nonce,
        window: windows.of(`command:${device.id}:${idOf(signer)}`),
      })
      if (!admitted.ok) return refuse(frame, caller, device.id, admitted.why)
      const judged = judge(message, device, { grants, uses, groups: [], now: seconds() })
      if (!judged.ok) return refuse(frame, caller, device.id, judged.why, judged.detail)
      // Before it is recorded, so that what was never sent is not what was last desired.
      if (!router.hasRoom(device.id)) return refuse(frame, caller, device.id, 'queue-full')
      const digest = sha256(frame)
      const at = clock.now()
      const recorded = journal.append({
        kind: 'command',
        at,
        device: device.id,
        signer: idOf(signer),
        frame,
        command: digest,
        origin: caller.origin,
      })
      const desired =
        body.operation === 'write'
          ? devices.desire(device.id, body.affordance, body.value!, digest, at)
          : undefined
      await Promise.all([recorded, desired])
      const delivery = router.deliver(judged.value, device.id, digest)
      return delivery.ok ? delivery : refuse(frame, caller, device.id, delivery.why)
    },

    async permit(frame, proofKey, caller) {
      const refused = (why: Code, detail?: string) => refuse(frame, caller, undefined, why, detail)
      const opened = openFromOwner(frame, 'permit')
      if (!opened.ok) return refused(opened.why)
      const { body, signer } = opened.value
      const admitted = admit(opened.value, { now: seconds() })
      if (!admitted.ok) return refused(admitted.why)
      if (body.expiresAt > seconds() + PERMIT_LIFETIME_S_MAX) return refused('bad-claims')
      if (!isDeviceName(body.name)) return refused('bad-claims', 'a device cannot have this name')
      if (devices.named(body.name)) return refused('name-taken', `a device is called ${body.name} already`)
      if (permits.get(body.permit)) return refused('conflict', 'this permit was handed in already')
      const at = clock.now()
      await Promise.all([
        permits.open({
          permit: body.permit,
          name: body.name,
          expiresAt: body.expiresAt * 1000,
          proofKey,
          frame,
        }),
        journal.append({
          kind: 'permit',
          at,
          signer: idOf(signer),
          frame,
          origin: caller.origin,
          note: body.name,
        }),
      ])
      return yes(body.permit)
    },

    async confirm(frame, caller) {
      const opened = openFromOwner(frame, 'enrolment')
      if (!opened.ok) return refuse(frame, caller, undefined, opened.why)
      const { body, signer } = opened.value
      const id = idOf(body.key)
      if (!isDeviceName(body.name))
        return refuse(frame, caller, id, 'bad-claims', 'a device cannot have this name')
      const admitted = admit(opened.value, { now: seconds() })
      if (!admitted.ok) return refuse(frame, caller, id, admitted.why)
      const confirmed = await devices.confirm(id, body.name, frame)
      if (!confirmed.ok) return refuse(frame, caller, id, confirmed.why, confirmed.detail)
      await journal.append({
        kind: 'confirmed',
        at: clock.now(),
        device: id,
        signer: idOf(signer),
        frame,
        origin: caller.origin,
        note: body.name,
      })
      carrier.send(id, frame)
      return confirmed
    },

    async rename(device, name, caller) {
      const renamed = await devices.rename(device, name)
      if (!renamed.ok) return renamed
      await journal.append({
        kind: 'renamed',
        at: clock.now(),
        device,
        signer: caller.id,
        origin: caller.origin,
        note: name,
      })
      return renamed
    },

    async forget(device, caller) {
      const at = clock.now()
      const forgotten = await devices.forget(device, at)
      if (!forgotten.ok) return forgotten
      carrier.drop(device, 'forgotten')
      router.forgotten(device)
      await journal.append({
        kind: 'forgotten',
        at,
        device,
        signer: caller.id,
        origin: caller.origin,
        note: forgotten.value.name,
      })
      return forgotten
    },
  }
}

/** The same path for what devices say; the link has opened their envelopes with the key of their certificate. */
export function openDeviceDesk(deps: ReceiveDeps): DeviceDesk {
  const { clock, trust, devices, readings, journal, permits, router, feed } = deps

  const announce = (device: PartyId, connected: boolean, why: string): void =>
    feed.publish({ event: 'presence', device, at: clock.now(), connected, why })

  return {
    standing: (id) => (devices.isForgotten(id) ? 'forgotten' : devices.get(id) ? 'known' : 'unknown'),
    nameOf: (id) => (devices.isForgotten(id) ? undefined : devices.get(id)?.name),
    permit: (permit) => permits.get(permit),

    async enrolled(device) {
      const at = clock.now()
      const permit = device.permit!
      // Before anything is written: a refusal must not spend the permit.
      if (devices.isForgotten(device.id)) return no('forgotten')
      const holder = devices.named(device.name)
      if (holder && holder.id !== device.id) return no('name-taken')
      // In one turn, so in one transaction: a used permit without its device would strand the device.
      const [added] = await Promise.all([
        devices.enrol(device, at),
        permits.use(permit, device.id, device.enrol, device.enrolled),
        journal.append({
          kind: 'enrolled',
          at,
          device: device.id,
          signer: device.id,
          frame: device.enrol,
          origin: 'link',
          note: device.name,
        }),
      ])
      if (!added.ok) return added
      feed.publish({ event: 'enrolment', device: device.id, at, permit })
      return added
    },

    async readmit(hello, record) {
      const opened = openEnvelope(
        record,
        {
          sizeMax: ENVELOPE_BYTES_MAX,
          accepts: (body, signer) => body.type === 'enrolment' && trust.isOwner(signer),
          isAudience: (body) => body.audience === trust.home,
        },
        deps.ed25519,
      )
      const body = opened.ok ? opened.value.body : undefined
      if (body?.type !== 'enrolment' || !equal(body.key, hello.signer)) return no('unknown-device')
      const at = clock.now()
      const { board, firmware, affordances } = hello.body
      const id = idOf(body.key)
      // Two devices may have had one name at different times; the later comer keeps a name that says which it is.
      const name = devices.named(body.name) ? `${body.name}-${id.slice(0, 6)}` : body.name
      const added = await devices.enrol({ id, name, board, firmware, affordances, record }, at)
      if (!added.ok) return no(added.why === 'forgotten' ? 'forgotten' : 'unknown-device')
      await journal.append({
        kind: 'enrolled',
        at,
        device: id,
        signer: idOf(opened.ok ? opened.value.signer : body.key),
        frame: record,
        origin: 'link',
        note: name,
      })
      return added
    },

    async hello(device, hello) {
      await devices.sessionOpened(device, hello, clock.now())
      announce(device, true, 'connected')
    },

    welcomed: (device) => router.connected(device),

    async reading(device, reading) {
      const at = clock.now()
      const kept = await readings.append(device, reading, at)
      if (kept === 'new')
        feed.publish({ event: 'reading', device, at, values: reading.body.values, frame: reading.frame })
    },

    async receipt(device, receipt) {
      const at = clock.now()
      const { command, code, values } = receipt.body
      await readings.append(device, receipt, at, {
        kind: 'receipt',
        at,
        device,
        signer: device,
        frame: receipt.frame,
        command,
        code,
        origin: 'link',
      })
      router.answered(device, receipt)
      feed.publish({ event: 'receipt', device, at, code, command })
      const known = values.filter((sample) => affordanceOf(sample.affordance))
      if (known.length > 0)
        feed.publish({ event: 'reading', device, at, values: known, frame: receipt.frame })
    },

    got: (device, digest) => router.got(device, digest),

    gone(device, why) {
      devices.sessionClosed(device, clock.now())
      announce(device, false, why)
    },

    papers(device) {
      const record = devices.get(device)?.record
      return [...trust.owners.map((owner) => owner.frame), ...(record ? [record] : [])]
    },
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
