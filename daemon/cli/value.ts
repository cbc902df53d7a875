// SPDX-License-Identifier: GPL-3.0-or-later
import type { Capability } from '../../schemas/gen/ts/capabilities.ts'
import { type Affordance, affordanceNamed, affordanceOf, fromWire, toWire } from '../core/model/index.ts'
import { CliError } from './error.ts'

const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  false: false,
  off: false,
  no: false,
}

/** What a person typed as the wire has it (SPEC 4.13). @throws CliError bad-value with what would do */
export function parseValue(affordance: Affordance, typed: string | undefined): number | boolean | undefined {
  const { capability, name } = affordance
  if (capability.type === 'none') {
    if (typed === undefined) return undefined
    throw new CliError('bad-value', `${name} takes no value`)
  }
  const value = typed === undefined ? undefined : read(capability, typed)
  if (value === undefined) {
    const said = typed === undefined ? 'needs a value' : `cannot be ${JSON.stringify(typed.slice(0, 40))}`
    throw new CliError('bad-value', `${name} ${said}: give ${rangeOf(capability)}`)
  }
  return value
}

function read(capability: Capability, typed: string): number | boolean | undefined {
  const text = typed.trim().toLowerCase()
  if (capability.type === 'boolean') return Object.hasOwn(WORDS, text) ? WORDS[text] : undefined
  return /^-?\d{1,9}(?:\.\d{1,6})?$/.test(text) ? toWire(capability, Number(text)) : undefined
}

function rangeOf(capability: Capability): string {
  if (capability.type === 'boolean') return 'true or false (on or off)'
  const [min, max] = [fromWire(capability, capability.min), fromWire(capability, capability.max)]
  const unit = capability.unit === '' ? '' : ` ${unitSign(capability.unit)}`
  return `a number from ${min} to ${max}${unit}`
}

/** SenML's unit (RFC 8428) as people write it. */
export function unitSign(unit: string): string {
  return { Cel: '°C', '%RH': '%' }[unit] ?? unit
}

/** `21.53 °C`, `on`, `yes`: a person's value with its unit. What is switched is on or off; what is so is yes or no. */
export function sayValue(name: string, value: number | boolean): string {
  const unit = unitOf(name)
  if (typeof value === 'boolean' && /^on\d*$/.test(name)) return value ? 'on' : 'off'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return unit === '' ? String(value) : `${value} ${unit}`
}

function unitOf(name: string): string {
  const affordance = affordanceNamed(ALL_NUMBERS, name.replace(/\d+$/, ''))
  return affordance ? unitSign(affordance.capability.unit) : ''
}

const ALL_NUMBERS = Array.from({ length: 256 }, (_, number) => number).filter((number) =>
  affordanceOf(number),
)

/** The affordance of a device that a person named, of the right kind. @throws CliError no-such-affordance | read-only */
export function findAffordance(
  device: { readonly name: string; readonly affordances: readonly number[] },
  kind: 'property' | 'action',
  name: string,
): Affordance {
  const affordance = affordanceNamed(device.affordances, name)
  if (affordance?.capability.kind === kind) return affordance
  const there = device.affordances
    .map(affordanceOf)
    .filter((each) => each?.capability.kind === kind)
    .map((each) => each!.name)
  const plural = kind === 'property' ? 'properties' : 'actions'
  throw new CliError('no-such-affordance', `${device.name} has no ${kind} ${name}`, {
    next: there.length > 0 ? `its ${plural}: ${there.join(', ')}` : `it has no ${plural}`,
  })
}
