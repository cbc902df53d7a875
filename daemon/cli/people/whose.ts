// SPDX-License-Identifier: GPL-3.0-or-later
import type { House, KnownGrant, KnownPerson } from './house.ts'

/** Every grant of somebody that was not taken back and ends after `nowS`, once by its id: for their keys, and their codes. */
export function grantsOf(house: House, person: KnownPerson, nowS: number): ReadonlyMap<string, KnownGrant> {
  const keys = new Set<string>(person.holders.map(({ id }) => id))
  const found = new Map<string, KnownGrant>()
  for (const grant of house.grants) {
    const { key, pin, expiresAt } = grant.message.body
    const own = key ? keys.has(idText(key)) : pin !== undefined && isCodeOf(grant, person)
    if (own && !grant.revoked && (expiresAt === undefined || expiresAt > nowS)) found.set(grant.id, grant)
  }
  return found
}

/** A code has no key that says whose it is: the hub says so, or its name does. */
export function isCodeOf({ person, message }: KnownGrant, { id, name }: KnownPerson): boolean {
  return person === undefined ? message.body.name === name : person === id
}

/** The person whose key or code this is. */
export function ownerOf(house: House, grant: KnownGrant): KnownPerson | undefined {
  const { key, pin } = grant.message.body
  return house.people.find((person) =>
    key ? person.holders.some(({ id }) => id === idText(key)) : pin !== undefined && isCodeOf(grant, person),
  )
}

function idText(key: Uint8Array): string {
  return key.toBase64({ alphabet: 'base64url', omitPadding: true })
}
