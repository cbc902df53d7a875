// SPDX-License-Identifier: GPL-3.0-or-later
/** The onion address that is one phone's, or one script's, and goes with it. */
import { toHex } from '../../base/bytes.ts'
import { isCode } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { fieldsOf, optionalBytesIn, textIn } from '../fields.ts'
import type { Desk } from './desk.ts'
import type { KnownHolder } from './house.ts'

/** A name that no invitation had before: an address that was withdrawn never comes back. */
function invitationName(random: Random, name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 20)
  return `${plain === '' ? 'phone' : plain.toLowerCase()}-${toHex(random.bytes(4))}`
}

export interface Way {
  readonly invitation: string
  readonly address: string
  readonly clientKey: Uint8Array | undefined
}

/**
 * An owner has an address made as wanted; for who passes on the hub makes one with the pairing (SPEC 13.6): none yet.
 * @throws CliError usage for what only an owner can have made
 */
export async function inviteFor(
  { tools, api, owner }: Desk,
  { name, auth }: { readonly name: string; readonly auth: boolean },
): Promise<Way | undefined> {
  if (owner.role === 'owner') {
    const invitation = invitationName(tools.random, name)
    const said = await api.send('PUT', `/invitations/${encodeURIComponent(invitation)}`, { authorised: auth })
    return readWay({ ...fieldsOf(said, 'an invitation'), invitation })
  }
  if (!auth) return undefined
  throw new CliError('usage', 'an address that asks for a client key is made by an owner', {
    next: 'leave out --auth, or ask an owner to add the phone',
  })
}

export function readWay(answer: unknown): Way {
  const said = fieldsOf(answer, 'an address')
  return {
    invitation: textIn(said, 'invitation'),
    address: textIn(said, 'address'),
    clientKey: optionalBytesIn(said, 'clientKey'),
  }
}

export async function withdrawInvitation(api: Api, name: string): Promise<void> {
  await api.send('DELETE', `/invitations/${encodeURIComponent(name)}`).catch((error) => {
    if (!isCode(error, 'not-found')) throw error
  })
}

export async function withdrawInvitations(api: Api, holders: readonly KnownHolder[]): Promise<void> {
  for (const { invitation } of holders)
    if (invitation !== undefined) await withdrawInvitation(api, invitation)
}
