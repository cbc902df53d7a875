// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The trust path on one screen: open → judge → record → deliver, for what people want done.
 *
 * Always true: nothing is delivered that is not recorded, nothing recorded that was not judged, nothing judged that was
 * not opened. A refusal is an answer with a code. What a proved caller hands in sealed and is refused leaves an entry in
 * the journal. What devices say takes the same path in receive-device.ts; papers about people, pairings and tokens have
 * desks of their own (desks/).
 */
import { createHash } from 'node:crypto'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
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
import { admit, type Command, type Frame, type Message, openEnvelope } from './envelope/index.ts'
import { type Device, idOf, type PartyId } from './model/index.ts'
import { countedLinks, judge, type Permitted } from './policy/index.ts'
import { chainOf } from './receive-device.ts'
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
  const pairings = openPairingsDesk(deps)
  const desk: Desk = {
    ...openCallers(deps),
    ...openDevicesDesk(deps),
    people: openPeopleDesk({ ...deps, tidy: () => pairings.tidy() }),
    pairings,
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

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
