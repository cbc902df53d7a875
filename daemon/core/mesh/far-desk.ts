// SPDX-License-Identifier: GPL-3.0-or-later
import { hash } from 'node:crypto'
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import type { Clock } from '../../base/clock.ts'
import { no, type Verdict } from '../../base/error.ts'
import type { Authority } from '../authority.ts'
import { admit, type Command, type Frame, type Message } from '../envelope/index.ts'
import { idOf, type PartyId } from '../model/index.ts'
import { judge } from '../policy/index.ts'
import type { DeviceBook, Journal } from '../ports.ts'
import type { Caller, Desk } from '../receive.ts'
import type { Delivery } from '../router/index.ts'
import type { FarThing } from './far.ts'
import type { MeshHome } from './home.ts'

export interface FarDeskDeps {
  readonly clock: Clock
  readonly authority: Authority
  readonly journal: Journal
  /** Our own, to tell what is here. */
  readonly devices: DeviceBook
  readonly mesh: MeshHome
}

type Target = Parameters<Desk['command']>[1]

/** The desk, for devices of other homes too: judged and recorded here, carried out there, where all is judged again. */
export function withFarDesk(desk: Desk, deps: FarDeskDeps): Desk {
  const { devices, mesh } = deps
  const isFar = (id: PartyId) => devices.get(id) === undefined && mesh.far.get(id) !== undefined
  return {
    ...desk,
    async command(sealed, target, caller) {
      const there = devices.get(target.device.id) ? undefined : mesh.far.get(target.device.id)
      if (!there) return desk.command(sealed, target, caller)
      const opened =
        sealed instanceof Uint8Array
          ? desk.sealer(sealed, caller.origin)
          : { ok: true as const, value: { command: sealed } }
      return opened.ok ? commandFar(deps, opened.value.command, there, target, caller) : opened
    },
    async rename(device, name, caller) {
      return isFar(device) ? elsewhere() : desk.rename(device, name, caller)
    },
    async forget(device, caller) {
      return isFar(device) ? elsewhere() : desk.forget(device, caller)
    },
  }
}

/** How a command that another daemon passed on is carried out here: like any other, known by where it came from. */
export function carryOutHere(
  desk: Desk,
  devices: DeviceBook,
  nameOf: (member: PartyId) => string,
): (device: PartyId, command: Frame, from: PartyId) => Promise<Verdict<Delivery, Code>> {
  return async (id, frame, from) => {
    const opened = desk.sealer(frame, `mesh:${nameOf(from)}`)
    if (!opened.ok) return opened
    const device = devices.get(id)
    if (!device) return no('not-found', 'the device is not here any more')
    const { caller, command } = opened.value
    const { affordance, operation } = command.body
    if (operation === 'read') return no('bad-request', 'what a device says, its home tells by itself')
    return desk.command(command, { device, affordance, operation }, caller)
  }
}

function elsewhere() {
  return no('forbidden', 'the device is in another home: ask the daemon there')
}

async function commandFar(
  deps: FarDeskDeps,
  command: Message<Command>,
  { member, device }: FarThing,
  target: Target,
  caller: Caller,
): Promise<Verdict<Delivery, Code>> {
  const { clock, authority, journal, mesh } = deps
  const { body, signer, frame } = command
  const at = clock.now()
  const act = { at, device: device.id, signer: idOf(signer), frame, origin: caller.origin }
  const refuse = async (why: Code, detail?: string) => {
    await journal.append({ kind: 'refused', ...act, code: CODES[why] })
    return no(why, detail)
  }
  if (body.audience !== device.id) return refuse('wrong-audience')
  if (body.affordance !== target.affordance || body.operation !== target.operation) {
    return refuse('bad-request', 'the sealed command is for another property or action')
  }
  // Replays are the other daemon's to know: it keeps the window of its device.
  const admitted = admit(command, { now: Math.floor(at / 1000), nonce: device.presence.nonce })
  if (!admitted.ok) return refuse(admitted.why)
  const judged = judge(command, device, authority.about(device))
  if (!judged.ok) return refuse(judged.why, judged.detail)
  const away = mesh.unreachable(member)
  if (away !== undefined) return refuse('unreachable', away)
  const digest = Uint8Array.from(hash('sha256', frame, 'buffer'))
  await journal.append({ kind: 'command', ...act, command: digest, note: mesh.papers.nameOf(member) })
  return mesh.orders.send(member, device.id, frame, body.expiresAt * 1000)
}
