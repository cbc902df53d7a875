// SPDX-License-Identifier: GPL-3.0-or-later
/** A lock, and what its people seal for it. Each case begins with the root's envelope that makes somebody its owner. */
import { type BodyOf, type Signer, sealEnvelope } from '../../../daemon/core/envelope/index.ts'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { DEVICE, device, EPOCH, HOME, hub, NONCE, NOW, owner, root, sitter } from '../parties.ts'
import type { Case, Context, Step } from '../text.ts'

export type GrantBody = BodyOf<'grant'>
export type CommandBody = BodyOf<'command'>

export const UNLOCK = 9
export const LOCK = 10
export const FAIL_SAFE = 11
export const LOCKED = 7

/** A lock of the group `doors`, in UTC. */
export const atLock: Context = {
  home: HOME,
  audience: DEVICE,
  now: NOW,
  nonce: NONCE,
  limit: 1024,
  root: root.key,
  hub: hub.key,
  device: [device.key],
  group: ['doors'],
  affordance: [LOCKED, 8, UNLOCK, LOCK, FAIL_SAFE],
}

export const idOf = (fill: number): Uint8Array => new Uint8Array(8).fill(fill)
export const ID = idOf(0xc1)
export const CHILD = idOf(0xc2)
export const GRANDCHILD = idOf(0xc3)
export const may = (affordance: number, methods: number = wire.METHOD_POST) => ({ affordance, methods })

/** Seals in one case: every message of it has the next sequence. */
export class Scene {
  #sequence = 1000
  #nonce = NONCE

  #said(audience: string = HOME) {
    return { audience, sealedAt: NOW, epoch: EPOCH, sequence: ++this.#sequence }
  }

  owner(made: Signer = owner): Uint8Array {
    return this.ownerBy(root, made)
  }

  /** The device starts anew, and is told the time: for the step that follows on it. */
  restart(now = NOW): Partial<Step> {
    this.#nonce = Uint8Array.from(this.#nonce, (byte) => byte + 1)
    return { restart: this.#nonce, now }
  }

  ownerBy(by: Signer, made: Signer): Uint8Array {
    return sealEnvelope({ type: 'owner', ...this.#said(), name: 'ada', key: made.key }, by)
  }

  /** The sitter may unlock this lock, needing no lease, unless `changes` says otherwise. */
  grant(changes: Partial<GrantBody> = {}, by: Signer = owner): Uint8Array {
    const held = changes.pin ? {} : { key: sitter.key }
    const what = { id: ID, devices: [device.key], what: [may(UNLOCK)], leaseS: 0 }
    return sealEnvelope({ type: 'grant', ...this.#said(), name: 'sitter', ...held, ...what, ...changes }, by)
  }

  /** The sitter unlocks for five seconds, by the sitter's grant, unless `changes` says otherwise. */
  command(changes: Partial<CommandBody> = {}, by: Signer = sitter): Uint8Array {
    const { value, ...body } = { ...this.#unlock(), ...changes }
    const takesOne = 'value' in changes || (body.affordance === UNLOCK && body.operation !== 'read')
    return sealEnvelope({ ...body, ...(takesOne && { value: value! }) }, by)
  }

  /** The same, naming no grant; a read has no value unless `changes` brings one. */
  bare(by: Signer, changes: Partial<CommandBody> = {}): Uint8Array {
    const { grant: _, value, ...body } = { ...this.#unlock(), ...changes }
    const takesOne = body.operation !== 'read' || changes.value !== undefined
    return sealEnvelope({ ...body, ...(takesOne && { value: value! }) }, by)
  }

  #unlock(): CommandBody {
    return {
      type: 'command',
      ...this.#said(DEVICE),
      expiresAt: NOW + wire.COMMAND_LIFETIME_S_MAX,
      nonce: this.#nonce,
      operation: 'invoke',
      affordance: UNLOCK,
      value: 5,
      grant: ID,
    }
  }

  lease(changes: Partial<BodyOf<'lease'>> = {}, by: Signer = hub): Uint8Array {
    const body = { expiresAt: NOW + 3600, grants: [ID] }
    return sealEnvelope({ type: 'lease', ...this.#said(DEVICE), ...body, ...changes }, by)
  }

  revocation(
    entries: readonly Uint8Array[],
    by: Signer = owner,
    changes: Partial<BodyOf<'revocation'>> = {},
  ): Uint8Array {
    return sealEnvelope({ type: 'revocation', ...this.#said(), entries, ...changes }, by)
  }

  enrolment(groups: readonly string[], changes: Partial<BodyOf<'enrolment'>> = {}, by: Signer = owner) {
    const body = { name: 'front-door', key: device.key, permit: ID, groups }
    return sealEnvelope({ type: 'enrolment', ...this.#said(), ...body, ...changes }, by)
  }
}

export const step = (frame: Uint8Array, expect: Code, changes: Partial<Step> = {}): Step => ({
  frame,
  expect,
  ...changes,
})

/** One case whose steps follow on the owner's envelope. */
export function scene(
  name: string,
  section: string,
  comment: string,
  steps: (scene: Scene) => readonly Step[],
  context: Context = {},
): Case {
  const told = new Scene()
  const made = step(told.owner(), 'ok')
  return { name, section, comment, context: { ...atLock, ...context }, steps: [made, ...steps(told)] }
}
