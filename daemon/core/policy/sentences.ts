// SPDX-License-Identifier: GPL-3.0-or-later
/** Refusals as a person is told them: what does not hold, and when or where it would. */
import type { Zone } from '../envelope/message.ts'
import { sayHours, sayTime } from './hours.ts'
import type { LinkRefusal } from './links.ts'

/** @param zone  the home's, for the times of the day in the sentence */
export function sayRefusal({ why, at: { body } }: LinkRefusal, zone: Zone): string {
  const grant = `“${body.name}”`
  switch (why) {
    case 'grant-elsewhere':
      return `${grant} is for other devices`
    case 'not-granted':
      return `${grant} does not hold this property or action`
    case 'no-clock':
      return `${grant} depends on the time, which is not known yet`
    case 'grant-not-yet':
      return `${grant} begins on ${sayTime(body.notBefore!, zone)}`
    case 'grant-expired':
      return `${grant} ended on ${sayTime(body.expiresAt!, zone)}`
    case 'outside-hours':
      return `outside your hours: ${sayHours(body.hours!)}`
    case 'lease-lapsed':
      return `the hub has not said lately that ${grant} still holds`
    case 'uses-spent':
      return body.uses === 1
        ? `${grant} was for one use, and that is made`
        : `all ${body.uses} uses of ${grant} are made`
  }
}
