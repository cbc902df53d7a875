// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Command, Message } from '../envelope/message.ts'
import { affordanceOf, type Device } from '../model/index.ts'
import type { Trust } from './trust.ts'

declare const permitted: unique symbol

/** A message that was judged and allowed. */
export type Permitted<M> = M & { readonly [permitted]: true }

export type PolicyCode = Extract<
  Code,
  'not-permitted' | 'no-such-affordance' | 'read-only' | 'bad-value' | 'stale-nonce'
>

/** Whether the signer may have this done on this device, and whether the device can do it at all (SPEC 4.14). */
export function judge(
  message: Message<Command>,
  device: Device,
  trust: Trust,
): Verdict<Permitted<Message<Command>>, PolicyCode> {
  if (!trust.isOwner(message.signer)) return no('not-permitted', 'only an owner may command this device')
  const { operation, affordance: number, value } = message.body
  const affordance = device.affordances.includes(number) ? affordanceOf(number) : undefined
  const kind = operation === 'write' ? 'property' : 'action'
  if (affordance?.capability.kind !== kind)
    return no('no-such-affordance', `${device.name} has no such ${kind}`)
  const { capability } = affordance
  if (kind === 'property' && !capability.writable)
    return no('read-only', `${affordance.name} can be read but not set`)
  if (!fits(capability, value)) {
    const range = capability.type === 'integer' ? `, ${capability.min} to ${capability.max}` : ''
    return no('bad-value', `${affordance.name} takes ${capability.type}${range}`)
  }
  return yes(message as Permitted<Message<Command>>)
}

function fits(
  capability: { readonly type: string; readonly min: number; readonly max: number },
  value: number | boolean | undefined,
): boolean {
  if (capability.type === 'none') return value === undefined
  if (capability.type === 'boolean') return typeof value === 'boolean'
  return typeof value === 'number' && value >= capability.min && value <= capability.max
}
