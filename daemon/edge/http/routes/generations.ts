// SPDX-License-Identifier: GPL-3.0-or-later
import {
  CERTIFICATE_BYTES_MAX,
  ENVELOPE_BYTES_MAX,
  GENERATION_MAX,
  KEY_BYTES,
} from '../../../../schemas/gen/ts/wire.ts'
import { toBase64url } from '../../../base/bytes.ts'
import { no, type Verdict, yes } from '../../../base/error.ts'
import { Secret } from '../../../base/secret.ts'
import type { DeviceStanding } from '../../../core/generations.ts'
import type { Announced, Generation } from '../../../core/ports-generations.ts'
import { json, type Reply, refused } from '../answer.ts'
import { readBytes, readObject } from '../fields.ts'
import type { Asking, Route, RouteDeps } from '../route.ts'

/** The hub's authorities: who is behind, what is announced, and that it come in force or not (SPEC 16.6). */
export function generationRoutes(deps: RouteDeps): Route[] {
  const { generations } = deps.home
  const owners = { who: 'owner', ofThing: false } as const
  const done = (verdict: Awaited<ReturnType<typeof generations.enforce>>): Reply =>
    verdict.ok ? json({ generation: verdict.value }) : refused(verdict)
  return [
    { ...owners, method: 'GET', path: '/ca', run: () => json(tellGenerations(deps)) },
    {
      ...owners,
      method: 'PUT',
      path: '/ca',
      takes: { type: 'application/json' },
      async run({ body, caller }: Asking) {
        const read = readAnnounced(body)
        return read.ok ? done(await generations.announce(read.value, caller)) : refused(read)
      },
    },
    {
      ...owners,
      method: 'DELETE',
      path: '/ca',
      run: async ({ caller }: Asking) => done(await generations.abandon(caller)),
    },
    {
      ...owners,
      method: 'POST',
      path: '/ca/force',
      run: async ({ caller }: Asking) => done(await generations.enforce(caller)),
    },
  ]
}

function tellGenerations({ home }: RouteDeps): object {
  const { present, pins, announced, devices, kept } = home.generations.report()
  return {
    hub: home.hub,
    member: toBase64url(home.member),
    generation: present,
    pins: pins && toBase64url(pins),
    announced,
    devices: devices.map(tellStanding),
    kept,
  }
}

function tellStanding({ device, standing, confirmation }: DeviceStanding): object {
  const { id, name, presence } = device
  const { inForce = 0, announced = 0, code, at } = confirmation ?? {}
  return { id, name, connected: presence.connected, standing, inForce, announced, code, at }
}

function readAnnounced(body: Uint8Array): Verdict<Announced, 'bad-request'> {
  const object = readObject(body, ['steps', 'deviceCa'])
  if (!object.ok) return object
  const { steps, deviceCa } = object.value
  const seed = readBytes(deviceCa, KEY_BYTES, KEY_BYTES)
  const read = Array.isArray(steps) ? steps.map(readStep) : []
  if (!seed || read.some((step) => step === undefined))
    return no('bad-request', 'steps is a list of generations, deviceCa the seed of the last one’s')
  return yes({ steps: read as Generation[], deviceCaSeed: new Secret(seed) })
}

function readStep(value: unknown): Generation | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { generation, pins, hubLeaf, deviceCa, ...more } = value as Record<string, unknown>
  const read = {
    pins: readBytes(pins, 1, ENVELOPE_BYTES_MAX),
    hubLeaf: readBytes(hubLeaf, 1, CERTIFICATE_BYTES_MAX),
    deviceCa: readBytes(deviceCa, KEY_BYTES, KEY_BYTES),
  }
  const isNumber =
    Number.isInteger(generation) && Number(generation) >= 0 && Number(generation) <= GENERATION_MAX
  if (!isNumber || !read.pins || !read.hubLeaf || !read.deviceCa || Object.keys(more).length > 0)
    return undefined
  return { generation: Number(generation), pins: read.pins, hubLeaf: read.hubLeaf, deviceCa: read.deviceCa }
}
