// SPDX-License-Identifier: GPL-3.0-or-later
/** What is wrong, for people: each a sentence with the cause, and one that says what to do. */
import type { WayTrouble } from './ports.ts'

/** A clock that is off by more makes commands between two homes expire, or not yet valid. */
export const SKEW_MS_MAX = 60_000

const NO_ANSWER =
  'See that its machine is on, has a network and runs `shallot daemon`; it is called again by itself.'
const NO_TOR = 'Tor does not carry us: see `shallot status`. It is tried again by itself.'
const OTHER_HANDS =
  'Bring both machines to the same version of Shallot; if it goes on, look at that machine, and if it may be in other hands: `shallot mesh remove`.'

/** What to do, by what the room or the dialer says is wrong. */
const NEXT: Readonly<Record<string, string>> = {
  'network-unreachable': NO_TOR,
  'not-allowed': NO_TOR,
  'not-supported': NO_TOR,
  'socks-closed': NO_TOR,
  'socks-malformed': NO_TOR,
  'tor-unreachable': NO_TOR,
  closed: NO_TOR,
  'authorisation-missing': 'If it was removed from the home, or this one was: `shallot mesh list` there.',
  'authorisation-wrong': 'If it was removed from the home, or this one was: `shallot mesh list` there.',
  stalled: 'The way through Tor to it stalled, and another is being made; nothing has to be done.',
  'dial-timeout': `The way through Tor to it stalls. ${NO_ANSWER}`,
  'frame-too-large': `It was cut off, and is let in again ever later. ${OTHER_HANDS}`,
  'bad-note': `It was cut off, and is let in again ever later. ${OTHER_HANDS}`,
  'too-slow': 'It was cut off, and is let in again ever later. See whether its machine is overloaded.',
  'too-much': `It is heard slowly. ${OTHER_HANDS}`,
}

export function sayWay({ code, detail }: WayTrouble): string {
  return `${sentence(detail)} ${NEXT[code] ?? NO_ANSWER}`
}

/** A log that is not taken. */
export function sayFault(why: string): string {
  return `Its log is not taken from where it stands here: ${sentence(why)} See \`shallot log verify\` there; its disk may have been put back to an older state.`
}

/** This daemon's own disk. */
export function sayUnkept(why: string): string {
  return `What other daemons say cannot be kept: ${sentence(why)} Make room on the disk of this machine; it goes on by itself, and nothing is lost.`
}

export function sayUntaken(ms: number): string {
  return `It has acknowledged nothing of what it was sent for ${sayLong(ms)}. Its disk may be full: see \`shallot mesh status\` there.`
}

/** @param ms  how far its clock is ahead of ours; negative: behind */
export function saySkew(ms: number): string {
  const which = ms > 0 ? 'ahead of' : 'behind'
  return `Its clock is ${sayLong(Math.abs(ms))} ${which} the one here, so that commands between the two expire or come too early. Set the clock that is wrong.`
}

function sentence(text: string): string {
  const trimmed = text.trim()
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`
}

function sayLong(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`
}
