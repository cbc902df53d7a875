// SPDX-License-Identifier: GPL-3.0-or-later
/** What a device is to a person, from what it can do; and its values in a person's words. */
import { CAPABILITIES, type Capability } from '../../schemas/gen/ts/capabilities.ts'
import type { Thing, Value } from './answers.ts'
import type { Words } from './words/words.ts'

export type ThingKind = 'light' | 'lock' | 'blind' | 'heating' | 'sensor' | 'switch' | 'camera' | 'other'

export function kindOf({ affordances }: Pick<Thing, 'affordances'>): ThingKind {
  if (affordances.has('still') || affordances.has('look')) return 'camera'
  if (affordances.has('locked') || affordances.has('unlock')) return 'lock'
  if (affordances.has('level') || affordances.has('color')) return 'light'
  if (affordances.has('position')) return 'blind'
  if (affordances.has('setpoint')) return 'heating'
  if (affordances.has('on')) return 'switch'
  const all = [...affordances.values()]
  const readsOnly = all.every(({ kind, name }) => kind === 'property' && !capabilityOf(name)?.writable)
  return all.length > 0 && readsOnly ? 'sensor' : 'other'
}

const BY_NAME = new Map(CAPABILITIES.map((capability) => [capability.name, capability]))

/** Of `temperature2`, too; undefined for one that is newer than this page. */
export function capabilityOf(name: string): Capability | undefined {
  return BY_NAME.get(baseOf(name))
}

function baseOf(name: string): string {
  return name.replace(/\d+$/, '')
}

/** `Temperature 2`; a name that is newer than this page stands as it is. */
export function titleOf(name: string, words: Words): string {
  const [, base, instance] = /^(.*?)(\d*)$/.exec(name)!
  const title = Object.hasOwn(words.capability, base!) ? words.capability[base!]! : base!
  return instance === '' ? title : `${title} ${instance}`
}

/** SenML's unit (RFC 8428) as people write it. */
const SIGNS: Readonly<Record<string, string>> = { Cel: '°C', '%RH': '%' }

/** `21.5 °C`, `an`. */
export function sayValue(name: string, value: Value, words: Words, language: string): string {
  if (typeof value === 'boolean')
    return words.state[baseOf(name)]?.[value ? 1 : 0] ?? words.value[value ? 'on' : 'off']
  const base = baseOf(name)
  if (base === 'fault') return words.faults[value] ?? String(value)
  if (base === 'pressure')
    return `${(value / 100).toLocaleString(language, { maximumFractionDigits: 1 })} hPa`
  const capability = capabilityOf(name)
  const digits = Math.min(capability?.scale ?? 2, 1)
  const figure = value.toLocaleString(language, {
    minimumFractionDigits: capability ? digits : 0,
    maximumFractionDigits: capability ? digits : 2,
  })
  const unit = capability?.unit ?? ''
  return unit === '' ? figure : `${figure} ${SIGNS[unit] ?? unit}`
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `3 minutes ago`, or the date when that says more. */
export function sayWhen(at: number, now: number, language: string): string {
  const ago = now - at
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  if (ago < MINUTE) return relative.format(0, 'second')
  if (ago < HOUR) return relative.format(-Math.floor(ago / MINUTE), 'minute')
  if (ago < DAY) return relative.format(-Math.floor(ago / HOUR), 'hour')
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(at)
}

/** With the home that it is in, so that two of one name are told apart. */
export function sayName({ name, home }: Pick<Thing, 'name' | 'home'>): string {
  return home === undefined ? name : `${home}/${name}`
}
