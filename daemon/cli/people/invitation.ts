// SPDX-License-Identifier: GPL-3.0-or-later
/** The onion address that is one phone's, or one script's, and goes with it. */
import { toHex } from '../../base/bytes.ts'
import { isCode } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import type { Api } from '../api.ts'
import type { KnownHolder } from './house.ts'

/** A name that no invitation had before: an address that was withdrawn never comes back. */
export function invitationName(random: Random, name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 20)
  return `${plain === '' ? 'phone' : plain.toLowerCase()}-${toHex(random.bytes(4))}`
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
