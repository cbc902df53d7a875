// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { AFFORDANCE_ALL } from '../../../schemas/gen/ts/wire.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Command, Message } from '../envelope/message.ts'
import { affordanceOf, type Device } from '../model/index.ts'
import type { HeldGrant } from './held.ts'
import { UTC } from './hours.ts'
import { type Circumstances, type LinkCode, listed, METHODS, refusalOf } from './links.ts'
import { sayRefusal } from './sentences.ts'

declare const permitted: unique symbol

/** A message that was judged and allowed; `by` is the grant that allowed it, none for an owner. */
export type Permitted<M> = M & { readonly [permitted]: true; readonly by?: HeldGrant }

export type PolicyCode =
  | LinkCode
  | Extract<
      Code,
      | 'not-permitted'
      | 'unknown-grant'
      | 'unknown-signer'
      | 'grant-revoked'
      | 'no-such-affordance'
      | 'read-only'
      | 'bad-value'
    >

/** An affordance that stands in no table. */
const NOWHERE = -1

type Right = Verdict<HeldGrant | undefined, PolicyCode>

/**
 * Whether the signer may have this done on this device, and whether the device can do it at all (SPEC 12.3, 4.14).
 * Counts no use: whoever has it done spends `by` first.
 */
export function judge(
  message: Message<Command>,
  device: Device,
  by: Circumstances,
): Verdict<Permitted<Message<Command>>, PolicyCode> {
  const right = rightOf(message, device, by)
  if (!right.ok) return right
  const impossible = whyNot(message.body, device)
  if (impossible) return no(impossible.why, impossible.detail)
  const grant = right.value
  return yes({ ...message, ...(grant && { by: grant }) } as Permitted<Message<Command>>)
}

function rightOf({ body, signer }: Message<Command>, device: Device, by: Circumstances): Right {
  const { grants } = by
  grants.believe(by.now)
  grants.witnessCommand(body.sealedAt)
  if (!body.grant) {
    if (grants.trust.isOwner(signer)) return yes(undefined)
    return no('not-permitted', 'only an owner may command this device without a grant')
  }
  const named = grants.named(body.grant, signer)
  if (!named.ok) return named
  const grant = named.value
  if (by.among && !by.among(grant)) return no('not-permitted', 'this grant was given for something else')
  const method = METHODS[body.operation]
  const affordance = isReadOfAll(body)
    ? (listed(grant, propertiesOf(device), method)[0] ?? NOWHERE)
    : body.affordance
  const refused = refusalOf(grant, { device: device.id, affordance, method }, by)
  return refused ? no(refused.why, sayRefusal(refused, by.zone ?? UTC)) : yes(grant)
}

type Asked = Pick<Command, 'operation' | 'affordance' | 'value'>

/** What the device could not do for anybody. */
function whyNot(
  { operation, affordance: number, value }: Asked,
  device: Device,
): { readonly why: PolicyCode; readonly detail: string } | undefined {
  const affordance = device.affordances.includes(number) ? affordanceOf(number) : undefined
  const kind = operation === 'invoke' ? 'action' : 'property'
  if (affordance?.capability.kind !== kind && !isReadOfAll({ operation, affordance: number }))
    return { why: 'no-such-affordance', detail: `${device.name} has no such ${kind}` }
  if (operation === 'read' || !affordance)
    return value === undefined ? undefined : { why: 'bad-value', detail: 'a read takes no value' }
  const { capability } = affordance
  if (kind === 'property' && !capability.writable)
    return { why: 'read-only', detail: `${affordance.name} can be read but not set` }
  if (fits(capability, value)) return undefined
  const range = capability.type === 'integer' ? `, ${capability.min} to ${capability.max}` : ''
  return { why: 'bad-value', detail: `${affordance.name} takes ${capability.type}${range}` }
}

function isReadOfAll({ operation, affordance }: Asked): boolean {
  return operation === 'read' && affordance === AFFORDANCE_ALL
}

function propertiesOf(device: Device): readonly number[] {
  return device.affordances.filter((number) => affordanceOf(number)?.capability.kind === 'property')
}

function fits(
  capability: { readonly type: string; readonly min: number; readonly max: number },
  value: number | boolean | undefined,
): boolean {
  if (capability.type === 'none') return value === undefined
  if (capability.type === 'boolean') return typeof value === 'boolean'
  return typeof value === 'number' && value >= capability.min && value <= capability.max
}
