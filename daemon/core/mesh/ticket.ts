// SPDX-License-Identifier: GPL-3.0-or-later
/** How one daemon is invited by another (SPEC 14.1): a secret that a person carries proves each to the other. */
import { createHmac, hkdfSync } from 'node:crypto'
import { concat } from '../../base/bytes.ts'
import { Secret } from '../../base/secret.ts'
import { keyOf, type PartyId } from '../model/index.ts'

export interface TicketKeys {
  /** Names the invitation; tells nothing of the secret. */
  readonly ticket: Uint8Array
  readonly guest: Secret
  readonly host: Secret
  readonly words: Secret
}

const SALT = 'shallot-mesh/1'
const TICKET_BYTES = 8

export function ticketKeys(secret: Secret): TicketKeys {
  const expand = (info: string, bytes: number) =>
    new Uint8Array(hkdfSync('sha256', secret.reveal(), SALT, info, bytes))
  return {
    ticket: expand('id', TICKET_BYTES),
    guest: new Secret(expand('guest', 32)),
    host: new Secret(expand('host', 32)),
    words: new Secret(expand('words', 32)),
  }
}

/** HMAC-SHA-256 over both keys, the inviting one first. */
export function ticketProof(key: Secret, host: PartyId, guest: PartyId): Uint8Array {
  const both = concat(keyOf(host), keyOf(guest))
  return Uint8Array.from(createHmac('sha256', key.reveal()).update(both).digest())
}

/** Six digits that both sides show: the same for the same secret and the same two daemons. */
export function shortCode(keys: TicketKeys, host: PartyId, guest: PartyId): string {
  const digest = ticketProof(keys.words, host, guest)
  const number = new DataView(digest.buffer).getUint32(0) % 1_000_000
  const digits = String(number).padStart(6, '0')
  return `${digits.slice(0, 3)} ${digits.slice(3)}`
}
