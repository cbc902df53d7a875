// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type DataSchema,
  type Device,
  type Form,
  type PartyId,
  thingOf,
} from '../../../daemon/core/model/index.ts'
import { CAPABILITIES } from '../../../schemas/gen/ts/capabilities.ts'

const id = 'A'.repeat(43) as PartyId
const device = (affordances: readonly number[], more: Partial<Device> = {}): Device => ({
  id,
  name: 'porch-light',
  board: 'esp8266',
  firmware: 'light 1',
  affordances,
  enrolledAt: 0,
  presence: { connected: true, since: 0 },
  lost: 0,
  ...more,
})
const everything = CAPABILITIES.map(({ number }) => number)
const thing = thingOf(device(everything), 'https://hub.local:8443/')
const forms: readonly Form[] = [
  ...thing.forms,
  ...Object.values(thing.properties).flatMap((each) => each.forms),
  ...Object.values(thing.actions).flatMap((each) => each.forms),
  ...thing.events.reading.forms,
]

/** TD 1.1 §5.3.4.2, table of operation types, by where a form may stand. */
const OPERATIONS = {
  thing: ['readallproperties', 'writeallproperties', 'readmultipleproperties', 'queryallactions'],
  property: ['readproperty', 'writeproperty', 'observeproperty', 'unobserveproperty'],
  action: ['invokeaction', 'queryaction', 'cancelaction'],
  event: ['subscribeevent', 'unsubscribeevent'],
}
const operations = (list: readonly Form[]) => list.flatMap(({ op }) => op)

describe('Thing Descriptions [SPEC 8, WoT TD 1.1]', () => {
  it('have every member that TD 1.1 makes mandatory', () => {
    assert.equal(thing['@context'][0], 'https://www.w3.org/2022/wot/td/v1.1')
    assert.equal(typeof thing.title, 'string')
    assert.ok(thing.security.length > 0)
    for (const form of forms) assert.equal(typeof form.href, 'string')
  })

  it('declare every prefix that their terms use', () => {
    const declared = Object.keys(thing['@context'].at(-1)!)
    const used = new Set<string>()
    JSON.stringify(thing, (key, value) => {
      if (key.includes(':')) used.add(key.split(':')[0]!)
      return value
    })
    assert.deepEqual([...used].sort(), declared.sort())
  })

  it('name only security definitions that exist; `auto` says how at the door', () => {
    for (const name of thing.security) assert.equal(thing.securityDefinitions[name]?.scheme, 'auto')
  })

  it('are identified by the device’s key, and named as people name it', () => {
    assert.equal(thing.id, `urn:shallot:${id}`)
    assert.match(thing.id, /^urn:[a-z0-9][a-z0-9-]{0,31}:[\w-]+$/i)
    assert.equal(thing.title, 'porch-light')
  })

  it('have forms whose addresses are relative to the base and stay on it', () => {
    for (const { href } of forms) {
      const url = new URL(href, thing.base)
      assert.equal(url.origin, 'https://hub.local:8443')
      assert.ok(!href.startsWith('/') && !href.includes('..'))
    }
    const on = thing.properties.on!.forms[0]!
    assert.equal(new URL(on.href, thing.base).href, `https://hub.local:8443/things/${id}/properties/on`)
  })

  it('use in each place only the operations that TD 1.1 allows there', () => {
    const allowed = (list: readonly Form[], place: keyof typeof OPERATIONS) => {
      for (const op of operations(list)) assert.ok(OPERATIONS[place].includes(op), `${op} in a ${place}`)
    }
    allowed(thing.forms, 'thing')
    for (const each of Object.values(thing.properties)) allowed(each.forms, 'property')
    for (const each of Object.values(thing.actions)) allowed(each.forms, 'action')
    allowed(thing.events.reading.forms, 'event')
  })

  it('refer only to schema definitions that exist', () => {
    for (const { additionalResponses = [] } of forms) {
      for (const { schema } of additionalResponses) assert.ok(schema in thing.schemaDefinitions)
    }
  })

  it('offer writing exactly where the capability is writable, and readOnly agrees', () => {
    for (const { name, kind, writable } of CAPABILITIES.filter((each) => each.kind === 'property')) {
      const property = thing.properties[name]!
      assert.equal(kind, 'property')
      assert.equal(operations(property.forms).includes('writeproperty'), writable, name)
      assert.equal(property.readOnly, !writable, name)
      assert.ok(!(property.readOnly && property.writeOnly), name)
      assert.ok(operations(property.forms).includes('readproperty'), name)
    }
  })

  it('give ranges and steps as people read them', () => {
    const { title, unit, type, minimum, maximum, multipleOf } = thing.properties.temperature!
    assert.deepEqual(
      { title, unit, type, minimum, maximum, multipleOf },
      { title: 'Temperature', unit: 'Cel', type: 'number', minimum: -55, maximum: 125, multipleOf: 0.01 },
    )
    const { type: whole, maximum: most, multipleOf: step } = thing.properties.level!
    assert.deepEqual([whole, most, step], ['integer', 100, undefined])
    assert.equal(thing.properties.on!.minimum, undefined)
  })

  it('have data schemas of JSON Schema’s types, with a range only on numbers and least below most', () => {
    const walk = (schema: DataSchema): void => {
      if (schema.type) assert.match(schema.type, /^(boolean|integer|number|string|object|array)$/)
      if (schema.minimum !== undefined) assert.match(schema.type!, /integer|number/)
      if (schema.minimum !== undefined) assert.ok(schema.minimum < schema.maximum!)
      for (const each of [...Object.values(schema.properties ?? {}), ...(schema.oneOf ?? [])]) walk(each)
      if (schema.items) walk(schema.items)
    }
    for (const each of Object.values(thing.properties)) walk(each)
    for (const each of Object.values(thing.actions)) if (each.input) walk(each.input)
    for (const each of Object.values(thing.schemaDefinitions)) walk(each)
    walk(thing.events.reading.data)
  })

  it('give an action an input exactly when it takes a value', () => {
    assert.equal(thing.actions.toggle!.input, undefined)
    assert.deepEqual(thing.actions.identify!.input, { type: 'integer', unit: 's', minimum: 1, maximum: 60 })
  })

  it('number later instances from 2, and leave out what this daemon’s list does not know', () => {
    const { properties, actions } = thingOf(device([1, 257, 250, 5 + 512]), 'http://localhost/')
    assert.deepEqual(Object.keys(properties), ['on', 'on2'])
    assert.deepEqual(Object.keys(actions), ['toggle3'])
  })

  it('say whether the device is connected, and whether an owner confirmed it', () => {
    assert.deepEqual([thing['shallot:connected'], thing['shallot:confirmed']], [true, false])
    const away = thingOf(
      device([1], { record: Uint8Array.of(1), presence: { connected: false, since: 0 } }),
      'http://localhost/',
    )
    assert.deepEqual([away['shallot:connected'], away['shallot:confirmed']], [false, true])
  })

  it('survive JSON unchanged', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(thing)), thing)
  })
})
