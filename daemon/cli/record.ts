// SPDX-License-Identifier: GPL-3.0-or-later
import type { Enrolment } from '../core/envelope/index.ts'
import type { Unsealed } from './person.ts'

type Told = Pick<Enrolment, 'name' | 'key' | 'permit' | 'groups' | 'release' | 'hub'>
type Change = { readonly [M in 'name' | 'groups' | 'release' | 'hub']?: Told[M] | undefined }

/**
 * What an owner seals of a device that has a record already (SPEC 4.4): all that the one before said, but for the change. A new
 * record takes the place of the whole, so what it left out would be lost. A member that is changed to undefined goes.
 */
export function recordAnew(before: Told, change: Change): Unsealed<Enrolment> {
  const { name, key, permit, groups, release, hub } = { ...before, ...change }
  return {
    type: 'enrolment',
    ...{ name: name ?? before.name, key, permit },
    ...(groups && groups.length > 0 && { groups }),
    ...(release && { release }),
    ...(hub && { hub }),
  }
}
