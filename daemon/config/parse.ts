// SPDX-License-Identifier: GPL-3.0-or-later
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { no, type Verdict, yes } from '../base/error.ts'
import type { LogLevel } from '../base/log.ts'
import { Secret } from '../base/secret.ts'
import { zoneNamed } from '../core/zone.ts'
import { defaults, type Environment } from './defaults.ts'
import type { ConfigFile } from './file.ts'
import { nearest } from './nearest.ts'
import { readPlaces } from './places.ts'
import { KEYS, type Key, type Kind, SETTINGS } from './settings.ts'

/** Frozen, all the way down. */
export interface Config {
  readonly data: string
  readonly owner: string
  /** A key file to use instead of the owner's. */
  readonly identity?: string
  readonly home?: Secret<string>
  readonly client: { readonly torSocks?: string; readonly torrcExtra?: string }
  readonly link: {
    readonly host: string
    readonly port: number
    readonly discovery: boolean
    readonly places?: string
  }
  readonly lan: { readonly enabled: boolean; readonly host: string; readonly port: number }
  readonly tor: {
    readonly kind: 'child' | 'existing' | 'off'
    readonly binary: string
    readonly controlSocket?: string
    readonly socksSocket?: string
    readonly torrcExtra?: string
  }
  /** A name of the IANA database; absent: the system's. */
  readonly zone?: string
  /** Days; 0: for ever. */
  readonly retention: number
  readonly past: number
  readonly mesh: {
    /** Seconds; 0: every reading of other homes is kept. */
    readonly resolution: number
    /** Onion addresses that are offered to guests of other homes. */
    readonly guests: number
  }
  readonly log: { readonly level: LogLevel }
}

export interface Configured {
  readonly config: Config
  /** For each key that has a value: in words, where it was said last. */
  readonly origins: ReadonlyMap<Key, string>
}

export interface Sources {
  readonly file?: ConfigFile | undefined
  readonly environment: Environment
  readonly flags: ReadonlyMap<Key, unknown>
  /** What relative paths of the environment and of flags are relative to. */
  readonly workingDirectory: string
  readonly homeDirectory: string
}

export type ConfigFault = 'bad-config' | 'unknown-key'

interface Said {
  readonly value: unknown
  readonly origin: string
}
type Values = Map<Key, Said>

/** Reads all sources once: defaults < file < environment < flags. The first fault is the answer, by key and source. */
export function parseConfig(sources: Sources): Verdict<Configured, ConfigFault> {
  const values: Values = new Map()
  for (const [key, value] of defaults(sources.environment, sources.homeDirectory)) {
    values.set(key, { value, origin: 'default' })
  }
  const faults =
    (sources.file && readFileInto(values, sources.file)) ??
    readEnvironmentInto(values, sources) ??
    readFlagsInto(values, sources) ??
    judgeTogether(values)
  return faults ?? yes(settle(values))
}

function readFileInto(values: Values, file: ConfigFile) {
  let root: unknown
  try {
    root = JSON.parse(file.text)
  } catch {
    return no('bad-config', `${file.path} is not valid JSON`)
  }
  if (!isRecord(root)) return no('bad-config', `${file.path} must hold one JSON object`)
  for (const [name, value] of leavesOf(root)) {
    const key = keyNamed(name)
    if (!key) return unknownKey(name, file.path, KEYS)
    if (!SETTINGS[key].inFile) {
      const { env, flag } = SETTINGS[key]
      return no('bad-config', `${file.path}: ${name} cannot be set in the file; use --${flag} or ${env}`)
    }
    const refused = take(values, key, value, file.path, undefined)
    if (refused) return refused
  }
  return undefined
}

/** The values of nested objects by dotted name; an object that is no level of ours is a leaf, to be refused by name. */
function* leavesOf(record: Record<string, unknown>, prefix = ''): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(record)) {
    const path = prefix + name
    const isLevel = KEYS.some((key) => key.startsWith(`${path}.`))
    if (isLevel && isRecord(value)) yield* leavesOf(value, `${path}.`)
    else yield [path, value]
  }
}

const ENVIRONMENT_PREFIX = 'SHALLOT_'

function readEnvironmentInto(values: Values, { environment, workingDirectory }: Sources) {
  const names = KEYS.map((key) => SETTINGS[key].env)
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || text === undefined || text === '') continue
    const key = KEYS.find((candidate) => SETTINGS[candidate].env === name)
    if (!key) return unknownKey(name, 'the environment', names)
    const refused = take(
      values,
      key,
      fromText(SETTINGS[key].kind, text),
      `environment ${name}`,
      workingDirectory,
    )
    if (refused) return refused
  }
  return undefined
}

function readFlagsInto(values: Values, { flags, workingDirectory }: Sources) {
  for (const [key, value] of flags) {
    const { kind, flag } = SETTINGS[key]
    const said = typeof value === 'string' ? fromText(kind, value) : value
    const refused = take(values, key, said, `flag --${flag}`, workingDirectory)
    if (refused) return refused
  }
  return undefined
}

/** Text as the file would have it: numbers and true or false as themselves, anything else as it stands. */
function fromText(kind: Kind, text: string): unknown {
  if (kind.is === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (kind.is === 'flag' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

function take(values: Values, key: Key, value: unknown, origin: string, base: string | undefined) {
  const { kind } = SETTINGS[key]
  const fault = faultOf(kind, value, base)
  if (fault) return no('bad-config' as const, `${key} (${origin}) ${fault}`)
  const kept = kind.is === 'path' && base ? resolve(base, value as string) : value
  values.set(key, { value: kind.is === 'secret' ? new Secret(kept as string) : kept, origin })
  return undefined
}

/** Why a value does not fit, as the rest of a sentence, or undefined. A secret's value is never repeated. */
function faultOf(kind: Kind, value: unknown, base: string | undefined): string | undefined {
  switch (kind.is) {
    case 'flag':
      return typeof value === 'boolean' ? undefined : `must be true or false, not ${shown(value)}`
    case 'integer':
      return Number.isInteger(value) && (value as number) >= kind.min && (value as number) <= kind.max
        ? undefined
        : `must be a whole number from ${kind.min} to ${kind.max}, not ${shown(value)}`
    case 'choice':
      return kind.of.includes(value as string)
        ? undefined
        : `must be one of ${kind.of.join(', ')}, not ${shown(value)}`
    case 'path':
      return pathFault(value, base)
    case 'host':
      return isHost(value) ? undefined : `must be an IP address or a host name, not ${shown(value)}`
    case 'zone':
      return isZone(value) ? undefined : `must be a time zone such as Europe/Berlin, not ${shown(value)}`
    case 'places':
      return typeof value === 'string' && readPlaces(value)
        ? undefined
        : `must be up to four of address:port with commas between, and no names, not ${shown(value)}`
    case 'secret':
      return isPlainText(value, kind.charsMax)
        ? undefined
        : `must be text of 1 to ${kind.charsMax} characters`
    case 'text':
      return isPlainText(value, kind.charsMax)
        ? undefined
        : `must be text of 1 to ${kind.charsMax} characters, not ${shown(value)}`
  }
}

function pathFault(value: unknown, base: string | undefined): string | undefined {
  if (!isPlainText(value, 1024)) return `must be a path, not ${shown(value)}`
  return base || value.startsWith('/') ? undefined : `must be an absolute path, not ${shown(value)}`
}

function isPlainText(value: unknown, charsMax: number): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= charsMax &&
    !/[\x00-\x1f\x7f]/.test(value)
  )
}

function isHost(value: unknown): boolean {
  if (!isPlainText(value, 64)) return false
  return isIP(value) !== 0 || /^(?!-)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/.test(value)
}

function isZone(value: unknown): boolean {
  return isPlainText(value, 64) && zoneNamed(value) !== undefined
}

/** A value in an error text: short, on one line. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}

/** Rules that more than one key makes. */
function judgeTogether(values: Values) {
  const value = (key: Key) => values.get(key)?.value
  if (value('tor.kind') === 'existing') {
    for (const key of ['tor.controlSocket', 'tor.socksSocket'] as const) {
      if (value(key) === undefined)
        return no('bad-config' as const, `${key} must be said when tor.kind is existing`)
    }
  }
  return undefined
}

function unknownKey(name: string, source: string, known: readonly string[]) {
  const near = nearest(name, known)
  const hint = near ? `; did you mean ${near}?` : ''
  return no('unknown-key' as const, `${shown(name)} in ${source} is no setting${hint}`)
}

function keyNamed(name: string): Key | undefined {
  return Object.hasOwn(SETTINGS, name) ? (name as Key) : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The table guarantees the kinds; this gives the values their places. */
function settle(values: Values): Configured {
  const config: Record<string, unknown> = { client: {}, link: {}, lan: {}, tor: {}, mesh: {}, log: {} }
  for (const [key, { value }] of values) {
    const [first, second] = key.split('.') as [string, string?]
    if (second === undefined) config[first] = value
    else (config[first] as Record<string, unknown>)[second] = value
  }
  for (const part of Object.values(config)) if (isRecord(part)) Object.freeze(part)
  return {
    config: Object.freeze(config) as unknown as Config,
    origins: new Map([...values].map(([key, { origin }]) => [key, origin])),
  }
}
