// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What devices say: the link has opened it with the key of their certificate; here it is judged, recorded and told.
 *
 * Always true: the link hears `stored` only of what is on disk; a receipt is told to who asked after it is recorded; a use
 * that a device refused is given back.
 */
import { equal } from '../base/bytes.ts'
import type { Instant } from '../base/clock.ts'
import { no } from '../base/error.ts'
import type { DeskDeps } from './desks/index.ts'
import type { Act, Frame, Sample } from './envelope/index.ts'
import { affordanceOf, idOf, type PartyId } from './model/index.ts'
import { countedLinks, type HeldGrant, linksOf } from './policy/index.ts'
import type { DeviceBook, DeviceDesk } from './ports.ts'

export function openDeviceDesk(deps: DeskDeps): DeviceDesk {
  const {
    clock,
    authority,
    devices,
    readings,
    journal,
    permits,
    router,
    courier,
    rollouts,
    stills,
    feed,
    diary,
    generations,
  } = deps
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

    turnedAway(why, address) {
      diary.stranger(why, { origin: 'link', note: `a device that would enrol, from ${address}: ${why}` })
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
      await rollouts.hello(device, hello.body.image)
      announce(device, true, 'connected')
    },

    welcomed(device) {
      router.connected(device)
      rollouts.welcomed(device)
    },

    async reading(device, reading) {
      const at = clock.now()
      const kept = await readings.append(device, reading, at)
      if (kept === 'new')
        feed.publish({ event: 'reading', device, at, values: reading.body.values, frame: reading.frame })
    },

    async receipt(device, receipt) {
      const at = clock.now()
      const { command, code, values } = receipt.body
      const pins = generations.answered(device, receipt)
      const manifest = rollouts.answered(device, receipt)
      const paper = manifest
        ? ({ kind: 'manifest', first: true } as const)
        : pins
          ? { kind: 'pins', first: pins.first }
          : courier.answered(device, receipt)
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
      const isOld = paper && !paper.first && (code === 0 || pins !== undefined)
      await Promise.all([readings.append(device, receipt, at, isOld ? undefined : entry), pins?.kept])
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
      const { source, affordance, code, values, grant, command } = act.body
      const signer = act.body.signer && idOf(act.body.signer)
      const copies = grant ? grants.withId(grant) : []
      // Of a code at a keypad any copy tells whose it is; a command came by the copy of its own signer.
      const held = act.body.signer
        ? copies.filter(({ body }) => body.key && equal(body.key, act.body.signer!))
        : copies
      const person = signer
        ? people.holder(signer)?.person
        : held.map(({ body }) => people.personOf(body)).find(Boolean)
      const appended = readings.append(device, act, at, {
        kind: 'act',
        at,
        device,
        signer: signer ?? device,
        frame: act.frame,
        code,
        origin: source,
        person,
        command,
        chain: held[0] ? chainOf(held[0]) : grant && [grant],
        note: held[0]?.body.name,
      })
      // In one transaction: what is told twice is taken once, and would not be wished for the second time.
      const [kept] = await Promise.all([appended, desireOf(devices, device, act.body, at)])
      if (kept === 'known') return
      if (signer && code === 0 && held[0]) await uses.spend(countedLinks(held[0]).map(({ body }) => body.id))
      const who = { grant, person, command, by: signer }
      feed.publish({ event: 'act', device, at: act.body.at || at, source, affordance, code, ...who })
      tell(device, at, values, act.frame)
    },

    got: (device, digest) => router.got(device, digest),
    wanted: (device, wanted) => rollouts.wanted(device, wanted),
    still: (device, still) => stills.said(device, still),
    piece: (device, piece) => stills.piece(device, piece),

    gone(device, why) {
      courier.gone(device)
      rollouts.gone(device)
      stills.gone(device)
      devices.sessionClosed(device, clock.now())
      announce(device, false, why)
    },

    papers(device) {
      const record = devices.get(device)?.record
      const owners = trust.owners.map(({ frame }) => frame)
      return [
        ...owners,
        ...(record ? [record] : []),
        ...courier.papers(device),
        ...generations.papers(device),
      ]
    },
  }
}

/** A write that came directly and was done is what was last asked of its property, unless something was asked later (SPEC 18.5). */
function desireOf(
  devices: DeviceBook,
  device: PartyId,
  act: Act,
  receivedAt: Instant,
): Promise<void> | undefined {
  const { source, code, affordance, command } = act
  const at = act.at || receivedAt
  const value = act.values.find((sample) => sample.affordance === affordance)?.value
  const isWrite = affordanceOf(affordance)?.capability.kind === 'property'
  if (source !== 'direct' || code !== 0 || !isWrite || !command || value === undefined) return undefined
  const before = devices.twin(device).desired.find((each) => each.affordance === affordance)
  return before && before.at >= at ? undefined : devices.desire(device, affordance, value, command, at)
}

/** The ids of a chain, from the owner's end to the grant that was named. */
export function chainOf(grant: HeldGrant | undefined): readonly Uint8Array[] | undefined {
  return grant && linksOf(grant).map(({ body }) => body.id)
}
