// SPDX-License-Identifier: GPL-3.0-or-later
import type { Capability } from '../../../schemas/gen/ts/capabilities.ts'
import { type Affordance, affordanceOf, fromWire } from './affordance.ts'
import type { Device } from './device.ts'

/** The part of JSON Schema that WoT TD 1.1 §5.3.2 takes over and we use. */
export interface DataSchema {
  readonly type?: 'boolean' | 'integer' | 'number' | 'string' | 'object' | 'array'
  readonly enum?: readonly string[]
  readonly oneOf?: readonly DataSchema[]
  readonly items?: DataSchema
  readonly unit?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly multipleOf?: number
  readonly readOnly?: boolean
  readonly writeOnly?: boolean
  readonly properties?: Readonly<Record<string, DataSchema>>
}

/** One way to reach an affordance (TD 1.1 §5.3.4.2); `href` is relative to the Thing's `base`. */
export interface Form {
  readonly href: string
  readonly op: string | readonly string[]
  readonly contentType: string
  readonly subprotocol?: 'sse'
  readonly 'htv:methodName'?: 'GET' | 'PUT' | 'POST'
  readonly response?: { readonly contentType: string }
  readonly additionalResponses?: readonly { readonly success: boolean; readonly schema: string }[]
}

export interface PropertyAffordance extends DataSchema {
  readonly title: string
  readonly observable: false
  readonly forms: readonly Form[]
}

export interface ActionAffordance {
  readonly title: string
  readonly input?: DataSchema
  readonly forms: readonly Form[]
}

export interface EventAffordance {
  readonly title: string
  readonly data: DataSchema
  readonly forms: readonly Form[]
}

/** A device as a W3C WoT Thing Description 1.1 (SPEC 8), ready for JSON. */
export interface ThingDescription {
  readonly '@context': readonly (string | Readonly<Record<string, string>>)[]
  readonly '@type': 'Thing'
  readonly id: string
  readonly title: string
  readonly base: string
  readonly securityDefinitions: Readonly<Record<string, { readonly scheme: 'auto' | 'bearer' }>>
  readonly security: readonly [string]
  readonly schemaDefinitions: Readonly<Record<string, DataSchema>>
  readonly version: { readonly instance: string; readonly model: string }
  /** Has a session with the hub now. */
  readonly 'shallot:connected': boolean
  /** An owner sealed a record of it (SPEC 7.3). */
  readonly 'shallot:confirmed': boolean
  /** The name of another home of the owner, when it is there. */
  readonly 'shallot:home'?: string
  readonly properties: Readonly<Record<string, PropertyAffordance>>
  readonly actions: Readonly<Record<string, ActionAffordance>>
  readonly events: { readonly reading: EventAffordance }
  readonly forms: readonly Form[]
}

const CONTEXT = [
  'https://www.w3.org/2022/wot/td/v1.1',
  { htv: 'http://www.w3.org/2011/http#', shallot: 'urn:shallot:vocabulary:' },
] as const

/** What reading a property really answers: the value, and what a client needs to seal a command (SPEC 9.3). */
const REPORTED: DataSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    nonce: { type: 'string' },
    hello: { type: 'string' },
    affordance: { type: 'integer' },
    at: { type: 'integer', unit: 'ms' },
  },
}

/** As whom somebody sees a thing: by seal or by token, and what they hold of it. */
export interface Seen {
  readonly scheme: 'auto' | 'bearer'
  readonly holds: (affordance: number, operation: Operation) => boolean
}

type Operation = 'read' | 'write' | 'invoke'

const WHOLE: Seen = { scheme: 'auto', holds: () => true }
const SEALED = { securityDefinitions: { sealed: { scheme: 'auto' } }, security: ['sealed'] } as const
const BEARER = { securityDefinitions: { token: { scheme: 'bearer' } }, security: ['token'] } as const

/** A sealed command is answered in stages, a token's value with what came of it. */
function bodiesOf({ scheme }: Seen): Pick<Form, 'contentType' | 'response'> {
  return scheme === 'bearer'
    ? { contentType: 'application/json', response: { contentType: 'application/json' } }
    : { contentType: 'application/cose', response: { contentType: 'application/x-ndjson' } }
}

/**
 * Describes a device; affordances that this daemon's list does not know are left out.
 * @param base  absolute URI of the face that was asked, ending in `/`
 */
export function thingOf(device: Device, base: string, seen: Seen = WHOLE): ThingDescription {
  const known = device.affordances.map(affordanceOf).filter((each) => each !== undefined)
  const isSeen = ({ number }: Affordance, ...operations: readonly Operation[]) =>
    operations.some((each) => seen.holds(number, each))
  const properties = known.filter(
    (each) => each.capability.kind === 'property' && isSeen(each, 'read', 'write'),
  )
  const actions = known.filter((each) => each.capability.kind === 'action' && isSeen(each, 'invoke'))
  const home = `things/${device.id}`
  return {
    '@context': CONTEXT,
    '@type': 'Thing',
    id: `urn:shallot:${device.id}`,
    title: device.name,
    base,
    ...(seen.scheme === 'bearer' ? BEARER : SEALED),
    schemaDefinitions: { reported: REPORTED },
    version: { instance: device.firmware, model: device.board },
    'shallot:connected': device.presence.connected,
    'shallot:confirmed': device.record !== undefined,
    ...(device.home !== undefined && { 'shallot:home': device.home }),
    properties: Object.fromEntries(properties.map((each) => [each.name, propertyOf(each, home, seen)])),
    actions: Object.fromEntries(actions.map((each) => [each.name, actionOf(each, home, seen)])),
    events: { reading: readingOf(properties, device) },
    forms: [{ href: `${home}/properties`, op: 'readallproperties', contentType: 'application/json' }],
  }
}

function propertyOf({ number, name, capability }: Affordance, home: string, seen: Seen): PropertyAffordance {
  const href = `${home}/properties/${name}`
  const read: Form = {
    href,
    op: 'readproperty',
    contentType: 'application/json',
    'htv:methodName': 'GET',
    additionalResponses: [{ success: true, schema: 'reported' }],
  }
  const write: Form = {
    href,
    op: 'writeproperty',
    'htv:methodName': 'PUT',
    ...bodiesOf(seen),
  }
  const picture: Form = {
    href: `${home}/stills/latest?property=${name}`,
    op: 'readproperty',
    contentType: 'image/jpeg',
    'htv:methodName': 'GET',
  }
  const pictures = capability.name === 'still' ? [picture] : []
  const readable = seen.holds(number, 'read')
  const writable = capability.writable && seen.holds(number, 'write')
  return {
    title: capability.title,
    ...schemaOf(capability),
    readOnly: !writable,
    writeOnly: !readable,
    observable: false,
    forms: [...(readable ? [read, ...pictures] : []), ...(writable ? [write] : [])],
  }
}

function actionOf({ name, capability }: Affordance, home: string, seen: Seen): ActionAffordance {
  return {
    title: capability.title,
    ...(capability.type !== 'none' && { input: schemaOf(capability) }),
    forms: [
      {
        href: `${home}/actions/${name}`,
        op: 'invokeaction',
        'htv:methodName': 'POST',
        ...bodiesOf(seen),
      },
    ],
  }
}

function readingOf(properties: readonly Affordance[], device: Device): EventAffordance {
  const sample: DataSchema = {
    type: 'object',
    properties: {
      property: { type: 'string', enum: properties.map(({ name }) => name) },
      value: { oneOf: properties.map(({ capability }) => schemaOf(capability)) },
      at: { type: 'integer', unit: 'ms' },
    },
  }
  return {
    title: 'Reading',
    data: {
      type: 'object',
      properties: {
        device: { type: 'string' },
        at: { type: 'integer', unit: 'ms' },
        values: { type: 'array', items: sample },
      },
    },
    forms: [
      {
        href: `events?device=${device.id}`,
        op: ['subscribeevent', 'unsubscribeevent'],
        contentType: 'text/event-stream',
        subprotocol: 'sse',
      },
    ],
  }
}

/** Range and unit as a person reads them: scale 2 and −5500 is −55. */
function schemaOf(capability: Capability): DataSchema {
  if (capability.type === 'boolean') return { type: 'boolean' }
  const scaled = capability.scale > 0
  return {
    type: scaled ? 'number' : 'integer',
    ...(capability.unit !== '' && { unit: capability.unit }),
    minimum: Number(fromWire(capability, capability.min)),
    maximum: Number(fromWire(capability, capability.max)),
    ...(scaled && { multipleOf: Number((10 ** -capability.scale).toFixed(capability.scale)) }),
  }
}
