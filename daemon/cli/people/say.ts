// SPDX-License-Identifier: GPL-3.0-or-later
/** A grant as a person reads it, and as a script does. */
import { affordanceOf } from '../../core/model/index.ts'
import { sayTime } from '../time.ts'
import { sayHours } from './hours.ts'
import type { House, KnownGrant } from './house.ts'
import { sayDevices } from './scope.ts'
import { sayTerms, type Terms } from './terms.ts'

/** For `--json`: stable. */
export function termsObject(
  house: House,
  terms: Terms,
): Readonly<Record<string, unknown>> & { readonly says: string } {
  return {
    devices: terms.devices.map((each) =>
      typeof each === 'string'
        ? { group: each }
        : {
            id: each.toBase64({ alphabet: 'base64url', omitPadding: true }),
            name: house.things.find(({ record }) => record?.body.key.toHex() === each.toHex())?.name ?? null,
          },
    ),
    what: terms.what.map(({ affordance, methods }) => ({
      name: affordanceOf(affordance)?.name ?? null,
      affordance,
      methods,
    })),
    says: sayGrant(house, terms),
    lease: terms.leaseS,
    ...(terms.hours && { hours: terms.hours, hoursSay: sayHours(terms.hours) }),
    ...(terms.notBefore !== undefined && { from: sayTime(terms.notBefore * 1000) }),
    ...(terms.expiresAt !== undefined && { until: sayTime(terms.expiresAt * 1000) }),
    ...(terms.uses !== undefined && { uses: terms.uses }),
    ...(terms.share !== undefined && { share: terms.share }),
  }
}

export function sayGrant(house: House, terms: Terms): string {
  return sayTerms(terms, sayDevices(house, terms.devices), house.zone)
}

/** How a grant is taken back: by owners alone. */
export function sayReturn(id: string, parent: Uint8Array | undefined): string {
  return parent
    ? `grant ${id}; it goes with yours, or an owner takes it back with: shallot revoke ${id}`
    : `grant ${id}; take it back with: shallot revoke ${id}`
}

export type Standing = 'holds' | 'later' | 'ended' | 'revoked'

export function standingOf({ revoked, message }: KnownGrant, nowS: number): Standing {
  const { expiresAt, notBefore } = message.body
  if (revoked) return 'revoked'
  if (expiresAt !== undefined && expiresAt <= nowS) return 'ended'
  return notBefore !== undefined && notBefore > nowS ? 'later' : 'holds'
}
