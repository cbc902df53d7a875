// SPDX-License-Identifier: GPL-3.0-or-later
import { CAPABILITIES, type Capability } from '../../../schemas/gen/ts/capabilities.ts'

/** One property or action of a device: a capability and which of its instances (SPEC 4.13). */
export interface Affordance {
  readonly number: number
  /** As in JSON and on the command line: `on`, `on2`. */
  readonly name: string
  readonly capability: Capability
}

const BY_NUMBER = new Map(CAPABILITIES.map((capability) => [capability.number, capability]))

/** What the number means, or undefined for a capability this daemon's list does not have. */
export function affordanceOf(number: number): Affordance | undefined {
  const capability = BY_NUMBER.get(number % 256)
  if (!capability) return undefined
  const instance = Math.floor(number / 256)
  return { number, capability, name: instance === 0 ? capability.name : `${capability.name}${instance + 1}` }
}

/** The affordance with this name among a device's. */
export function affordanceNamed(numbers: readonly number[], name: string): Affordance | undefined {
  for (const number of numbers) {
    const affordance = affordanceOf(number)
    if (affordance?.name === name) return affordance
  }
  return undefined
}

/** A value on the wire as a person reads it: 2153 with scale 2 is 21.53. */
export function fromWire(capability: Capability, value: number | boolean): number | boolean {
  return typeof value === 'boolean'
    ? value
    : Number((value / 10 ** capability.scale).toFixed(capability.scale))
}

/** A person's value as the wire has it, or undefined when it is of the wrong kind, too fine or out of range. */
export function toWire(capability: Capability, value: unknown): number | boolean | undefined {
  if (capability.type === 'boolean') return typeof value === 'boolean' ? value : undefined
  if (capability.type !== 'integer' || typeof value !== 'number' || !Number.isFinite(value)) return undefined
  const scaled = Math.round(value * 10 ** capability.scale)
  const exact = Math.abs(scaled - value * 10 ** capability.scale) < 1e-6
  return exact && scaled >= capability.min && scaled <= capability.max ? scaled : undefined
}
