// SPDX-License-Identifier: GPL-3.0-or-later
import { ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Ed25519 } from '../envelope/ed25519.ts'
import type { Body, Frame, Message, Owner } from '../envelope/message.ts'
import { type EnvelopeCode, openEnvelope } from '../envelope/open.ts'
import { idOf, type PartyId } from '../model/index.ts'

export interface KnownOwner {
  readonly id: PartyId
  readonly name: string
  /** The root's envelope that makes this key an owner. */
  readonly frame: Frame
}

/** The home's root, and whom it made an owner. */
export interface Trust {
  readonly home: PartyId
  readonly root: Uint8Array
  readonly owners: readonly KnownOwner[]
  owner(key: Uint8Array): KnownOwner | undefined
  isOwner(key: Uint8Array): boolean
}

/** Verifies the owners' envelopes against the root; one that does not verify is the verdict, not a smaller trust. */
export function openTrust(
  root: Uint8Array,
  ownerFrames: readonly Frame[],
  ed25519: Ed25519,
): Verdict<Trust, EnvelopeCode> {
  const home = idOf(root)
  const owners = new Map<PartyId, KnownOwner>()
  for (const frame of ownerFrames) {
    const opened = openOwner(frame, root, home, ed25519)
    if (!opened.ok) return opened
    const { key, name } = opened.value.body
    owners.set(idOf(key), { id: idOf(key), name, frame })
  }
  return yes({
    home,
    root,
    owners: [...owners.values()],
    owner: (key) => owners.get(idOf(key)),
    isOwner: (key) => owners.has(idOf(key)),
  })
}

function openOwner(
  frame: Frame,
  root: Uint8Array,
  home: PartyId,
  ed25519: Ed25519,
): Verdict<Message<Owner>, EnvelopeCode> {
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body: Body, signer) => body.type === 'owner' && equal(signer, root),
      isAudience: (body) => body.audience === home,
    },
    ed25519,
  )
  if (!opened.ok) return opened
  const { body } = opened.value
  return body.type === 'owner' ? yes(opened.value as Message<Owner>) : no('unknown-signer')
}
