// SPDX-License-Identifier: GPL-3.0-or-later

import { equal } from '../../base/bytes.ts'
import { idOf } from '../../core/model/index.ts'
import { CliError } from '../error.ts'
import type { Desk, KnownThing } from '../people/index.ts'
import { recordAnew } from '../record.ts'
import { thingPath } from '../things.ts'
import { typedLast } from '../typed.ts'

/** One device by name or id, or all of a group. @throws CliError not-found | unconfirmed */
export function devicesNamed({ house }: Desk, named: string): readonly KnownThing[] {
  const one = house.things.filter(({ id, name }) => id === named || name === named)
  const found = one.length > 0 ? one : house.things.filter(({ groups }) => groups.includes(named))
  if (found.length === 0) {
    throw new CliError(
      'not-found',
      `no device and no group is called ${JSON.stringify(named.slice(0, 64))}`,
      {
        next: 'see `shallot device list` and `shallot group list`',
      },
    )
  }
  const unconfirmed = found.find(({ record }) => !record)
  if (!unconfirmed) return found
  throw new CliError('unconfirmed', `no owner has confirmed ${unconfirmed.name}`, {
    next: `shallot enrol --confirm ${typedLast(unconfirmed.name)}`,
  })
}

/** Seals the device's record anew, with this release key in it or with none. */
export async function nameRelease(
  { api, owner }: Desk,
  thing: KnownThing,
  release: Uint8Array | undefined,
): Promise<void> {
  const frame = await owner.seal(owner.home, recordAnew(thing.record!.body, { release }))
  await api.sendSealed('PUT', `${thingPath(thing.id)}/record`, frame)
}

/** @throws CliError no-release-key | unknown-signer, with what to do about it */
export function requireTrust(things: readonly KnownThing[], release: Uint8Array): void {
  for (const { name, record } of things) {
    const trusted = record?.body.release
    if (trusted && equal(trusted, release)) continue
    const next = `if it should: shallot firmware trust ${typedLast(name)} ${idOf(release)}`
    if (!trusted) throw new CliError('no-release-key', `${name} believes no release key yet`, { next })
    throw new CliError('unknown-signer', `${name} believes another release key than the one of this image`, {
      next,
    })
  }
}
