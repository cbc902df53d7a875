// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The trust path on one screen: open → judge → record → deliver, for what people want done and for what devices say.
 *
 * Always true: nothing is delivered that is not recorded, nothing recorded that was not judged, nothing judged that was
 * not opened. A refusal is an answer with a code. What a proved caller hands in sealed and is refused leaves an entry in
 * the journal. Papers about people, pairings and tokens have desks of their own (desks/).
 */
import { createHash } from 'node:crypto'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal } from '../base/bytes.ts'
import { no, type Verdict, yes } from '../base/error.ts'
import type { Caller } from './callers.ts'
import {
  type CallerDesk,
  type DeskDeps,
  type DevicesDesk,
  openCallers,
  openDevicesDesk,
  openPairingsDesk,
  openPeopleDesk,
  openTokensDesk,
  type PairingsDesk,
  type PeopleDesk,
  type TokensDesk,
} from './desks/index.ts'
import { admit, type Command, type Frame, type Message, openEnvelope, type Sample } from './envelope/index.ts'
import { affordanceOf, type Device, idOf, type PartyId } from './model/index.ts'
import { countedLinks, type HeldGrant, judge, linksOf, type Permitted } from './policy/index.ts'
import type { DeviceDesk } from './ports.ts'
import type { Delivery, Stage } from './router/index.ts'
import { Windows } from './windows.ts'

export type { Asked, Caller } from './callers.ts'
export {
  type DeskDeps,
  Diary,
  type PairAnswer,
  type Place,
  TOKEN_COMMAND_S,
  TOKEN_GRANTS_MAX,
  type TokenView,
} from './desks/index.ts'

type Allowed = Permitted<Message<Command>>

/** The device and affordance that the route named; the sealed command must say the same. */
export interface Target {
  readonly device: Device
  readonly affordance: number
  readonly operation: 'write' | 'invoke'
}

/** What a person can have done; every answer is a value with a code of schemas/codes.csv. */
export interface Desk extends CallerDesk, DevicesDesk {
  readonly people: PeopleDesk
  readonly pairings: PairingsDesk
  readonly tokens: TokensDesk
  /** @param sealed  a command as it came, or as `sealer` opened it, so that no signature is checked twice */
  command(sealed: Frame | Message<Command>, target: Target, caller: Caller): Promise<Verdict<Delivery, Code>>
  /** A command for a token's caller, sealed by the hub by the grant that allows it; resolves when it was done. */
  act(
    target: Target,
    value: number | boolean | undefined,
    caller: Caller,
  ): Promise<Verdict<Extract<Stage, { stage: 'done' }>, Code>>
}

export function openDesk(deps: DeskDeps): Desk {
  const { clock, ed25519, authority, devices, journal, router, diary } = deps
  const { grants, uses } = authority
  const windows = new Windows()

  const openCommand = (frame: Frame, device: PartyId): Verdict<Message<Command>, Code> =>
    openEnvelope(
      frame,
      {
        sizeMax: ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === 'command' && grants.acceptsCommand(body, signer),
        isAudience: (body) => body.audience === device,
      },
      ed25519,
    ) as Verdict<Message<Command>, Code>

  /** Everything but whether there is room (SPEC 2.5, 12.3, 4.14). */
  const judgeCommand = (
    message: Message<Command>,
    { device, affordance, operation }: Target,
  ): Verdict<Allowed, Code> => {
    const { body, signer } = message
    if (body.audience !== device.id) return no('wrong-audience')
    if (body.affordance !== affordance || body.operation !== operation)
      return no('bad-request', 'the sealed command is for another property or action')
    const admitted = admit(message, {
      now: authority.now(),
      nonce: device.presence.nonce,
      window: windows.of(`command:${device.id}:${idOf(signer)}`),
    })
    return admitted.ok ? judge(message, device, authority.about(device)) : admitted
  }

  const tokens = openTokensDesk(deps)
  const desk: Desk = {
    ...openCallers(deps),
    ...openDevicesDesk(deps),
    people: openPeopleDesk(deps),
    pairings: openPairingsDesk(deps),
    tokens,

    async command(sealed, target, caller) {
      const { device } = target
      const isOpen = !(sealed instanceof Uint8Array)
      const frame = isOpen ? sealed.frame : sealed
      const refused = (why: Code, detail?: string) => diary.refuse(frame, caller, device.id, why, detail)
      const opened = isOpen ? yes(sealed) : openCommand(sealed, device.id)
      if (!opened.ok) return refused(opened.why)
      const judged = judgeCommand(opened.value, target)
      if (!judged.ok) return refused(judged.why, judged.detail)
      // Before it is recorded, so that what was never sent is not what was last desired.
      if (!router.hasRoom(device.id)) return refused('queue-full')
      const { body, by } = judged.value
      const command = sha256(frame)
      const entry = diary.by(caller, {
        kind: 'command',
        device: device.id,
        frame,
        command,
        chain: chainOf(by),
      })
      await Promise.all([
        by && uses.spend(countedLinks(by).map(({ body }) => body.id)),
        journal.append(entry),
        body.operation === 'write' &&
          devices.desire(device.id, body.affordance, body.value!, command, clock.now()),
      ])
      const delivery = router.deliver(judged.value, device.id, command)
      return delivery.ok ? delivery : refused(delivery.why)
    },

    async act(target, value, caller) {
      const sealed = tokens.seal(target, value, caller)
      if (!sealed.ok) return diary.refuse(undefined, caller, target.device.id, sealed.why, sealed.detail)
      const delivery = await desk.command(sealed.value, target, caller)
      if (!delivery.ok) return delivery
      for await (const stage of delivery.value) {
        if (stage.stage === 'done') return yes(stage)
        if (stage.stage === 'refused') return no(stage.code)
      }
      return no('expired', 'the device did not answer in time')
    },
  }
  return desk
}

/** The same path for what devices say; the link has opened their envelopes with the key of their certificate. */
export function openDeviceDesk(deps: DeskDeps): DeviceDesk {
  const { clock, authority, devices, readings, journal, permits, router, courier, feed } = deps
  const { trust, groups, grants, people, uses } = authority

  const announce = (device: PartyId, connected: boolean, why: string): void =>
    feed.publish({ event: 'presence', device, at: clock.now(), connected, why })

  const tell = (device: PartyId, at: number, values: readonly Sample[], frame: Frame): void => {
    const known = values.filter((sample) => affordanceOf(sample.affordance))
    if (known.length > 0) feed.publish({ event: 'reading', device, at, values: known, frame })
  }

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
      const enrolment = groups.enrolment(record)
      if (!enrolment || !trust.isOwner(enrolment.signer)) return no('unknown-device')
      const { body, signer } = enrolment
      if (!equal(body.key, hello.signer)) return no('unknown-device')
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
        signer: idOf(signer),
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
      const paper = courier.answered(device, receipt)
      const asked = paper ? undefined : router.asked(device, command)
      const entry = {
        kind: 'receipt',
        at,
        device,
        signer: device,
        frame: receipt.frame,
        command,
        code,
        origin: 'link',
        ...(asked && { chain: chainOf(asked.by), person: people.holder(idOf(asked.signer))?.person }),
        ...(paper && { note: paper.kind }),
      } as const
      // A device says of the same paper in each of its lives that it has it: once is enough.
      await readings.append(device, receipt, at, paper && !paper.first && code === 0 ? undefined : entry)
      if (paper) return
      const isOver = router.answered(device, receipt)
      // The device did nothing, and counts no use either.
      if (isOver && asked?.by && code !== 0)
        await uses.giveBack(countedLinks(asked.by).map(({ body }) => body.id))
      const by = asked && idOf(asked.signer)
      feed.publish({ event: 'receipt', device, at, code, command, by })
      tell(device, at, values, receipt.frame)
    },

    async act(device, act) {
      const at = clock.now()
      const { source, affordance, code, values, grant } = act.body
      const held = grant ? grants.withId(grant) : []
      const person = held.map(({ body }) => people.personOf(body)).find(Boolean)
      const kept = await readings.append(device, act, at, {
        kind: 'act',
        at,
        device,
        signer: device,
        frame: act.frame,
        code,
        origin: source,
        person,
        chain: held[0] ? chainOf(held[0]) : grant && [grant],
        note: held[0]?.body.name,
      })
      if (kept === 'known') return
      feed.publish({ event: 'act', device, at: act.body.at || at, source, affordance, code, grant, person })
      tell(device, at, values, act.frame)
    },

    got: (device, digest) => router.got(device, digest),

    gone(device, why) {
      courier.gone(device)
      devices.sessionClosed(device, clock.now())
      announce(device, false, why)
    },

    papers(device) {
      const record = devices.get(device)?.record
      const owners = trust.owners.map(({ frame }) => frame)
      return [...owners, ...(record ? [record] : []), ...courier.papers(device)]
    },
  }
}

function chainOf(grant: HeldGrant | undefined): readonly Uint8Array[] | undefined {
  return grant && linksOf(grant).map(({ body }) => body.id)
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
