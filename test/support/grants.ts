// SPDX-License-Identifier: GPL-3.0-or-later
/** A book of grants of the home that the vectors know, with people to seal for it. */
import assert from 'node:assert/strict'
import { type Command, type Ed25519, type Message, nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { type Device, idOf } from '../../daemon/core/model/index.ts'
import {
  type Circumstances,
  Grants,
  type GroupsOf,
  type HeldGrant,
  openTrust,
  Uses,
} from '../../daemon/core/policy/index.ts'
import { atLock, Scene } from '../../scripts/vectors/grants/scene.ts'
import { device, NOW, root, secondOwner } from '../../scripts/vectors/parties.ts'

export const FRONT_DOOR: Device = {
  id: idOf(device.key),
  name: 'front-door',
  board: 'host',
  firmware: '0.1.0',
  affordances: atLock.affordance!,
  enrolledAt: 0,
  presence: { connected: true, since: 0 },
  lost: 0,
}

/** Ed25519 that counts how many signatures it was asked to verify. */
export class CountingEd25519 implements Ed25519 {
  readonly #true = nativeEd25519()
  verified = 0

  signer(seed: Uint8Array) {
    return this.#true.signer(seed)
  }

  verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    this.verified++
    return this.#true.verify(key, message, signature)
  }
}

export class GrantHome {
  readonly scene = new Scene()
  readonly ed25519 = new CountingEd25519()
  readonly uses = new Uses()
  readonly grants: Grants

  /** Two owners. @param refuseWider as a hub does, by these groups of devices */
  constructor(
    options: { readonly refuseWider?: GroupsOf; readonly grantsMax?: number; readonly latest?: number } = {},
  ) {
    const owners = [this.scene.owner(), this.scene.owner(secondOwner)]
    const trusted = openTrust(root.key, owners, this.ed25519)
    assert(trusted.ok)
    this.grants = new Grants(trusted.value, this.ed25519, { grantsMax: 100, ...options })
  }

  get trust() {
    return this.grants.trust
  }

  admit(frame: Uint8Array, now = NOW): HeldGrant {
    const held = this.grants.admit(frame, now)
    assert(held.ok, held.ok ? '' : held.why)
    return held.value
  }

  /** What became of it: the code, or ok. */
  tried(frame: Uint8Array, now = NOW): string {
    const held = this.grants.admit(frame, now)
    return held.ok ? 'ok' : held.why
  }

  by(changes: Partial<Circumstances> = {}): Circumstances {
    return { grants: this.grants, groups: ['doors'], now: NOW, uses: this.uses, ...changes }
  }
}

/** A command as `openEnvelope` would hand it on; nothing here looks at its signature. */
export function unsealed(body: Partial<Command>, signer: Uint8Array): Message<Command> {
  return { body: { type: 'command', ...body }, signer } as Message<Command>
}
