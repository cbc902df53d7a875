// SPDX-License-Identifier: GPL-3.0-or-later
import { toHex } from '../../daemon/base/bytes.ts'
import type { Zone } from '../../daemon/core/envelope/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'

/** What a receiver is and knows; a step may change `now` and `nonce`. */
export interface Context {
  readonly home?: string
  readonly audience?: string
  readonly now?: number
  readonly nonce?: Uint8Array
  readonly limit?: number
  readonly root?: Uint8Array
  readonly owner?: readonly Uint8Array[]
  readonly hub?: Uint8Array
  readonly device?: readonly Uint8Array[]
  /** The groups of the receiving device, what it has, and how many grants it holds at once. */
  readonly group?: readonly string[]
  readonly affordance?: readonly number[]
  readonly zone?: Zone
  readonly slots?: number
  /** What the image that runs says of itself: vendor, class, sequence; the highest that ran or was tried; bytes of the other slot. */
  readonly image?: readonly [vendor: string, imageClass: string, sequence: number]
  readonly floor?: number
  readonly slot?: number
  /** Bytes of the picture that the device has; 0: it has no camera. */
  readonly picture?: number
}

export interface Step {
  /** The device starts anew with this boot nonce: it does not know the time, and has what it keeps on flash. */
  readonly restart?: Uint8Array
  readonly frame?: Uint8Array
  readonly bytes?: Uint8Array
  readonly code?: string
  readonly now?: number
  readonly nonce?: Uint8Array
  readonly zone?: Zone
  readonly expect: Code
}

/** One file: a context, then steps in order; what a step leaves behind (the replay window) the next one meets. */
export interface Case {
  readonly name: string
  readonly comment: string
  readonly section: string
  readonly context: Context
  readonly steps: readonly Step[]
}

/** The text form that the runners of both languages read: `field: value`, a line each. */
export function textOf(room: string, one: Case): string {
  const lines = [
    `comment: ${one.comment}`,
    `section: ${one.section}`,
    'made-by: scripts/vectors.ts',
    `room: ${room}`,
    ...contextLines(one.context),
  ]
  for (const step of one.steps) lines.push(...stepLines(step))
  return `${lines.join('\n')}\n`
}

export function contextLines(context: Context): string[] {
  const { home, audience, now, nonce, limit, root, owner, hub, device } = context
  const lines: string[] = []
  if (home !== undefined) lines.push(`home: ${home}`)
  if (audience !== undefined) lines.push(`audience: ${audience}`)
  if (now !== undefined) lines.push(`now: ${now}`)
  if (nonce) lines.push(`nonce: ${toHex(nonce)}`)
  if (limit !== undefined) lines.push(`limit: ${limit}`)
  if (root) lines.push(`root: ${toHex(root)}`)
  for (const key of owner ?? []) lines.push(`owner: ${toHex(key)}`)
  if (hub) lines.push(`hub: ${toHex(hub)}`)
  for (const key of device ?? []) lines.push(`device: ${toHex(key)}`)
  for (const name of context.group ?? []) lines.push(`group: ${name}`)
  for (const number of context.affordance ?? []) lines.push(`affordance: ${number}`)
  if (context.zone) lines.push(zoneLine(context.zone))
  if (context.slots !== undefined) lines.push(`slots: ${context.slots}`)
  if (context.image) lines.push(`image: ${context.image.join(' ')}`)
  if (context.floor !== undefined) lines.push(`floor: ${context.floor}`)
  if (context.slot !== undefined) lines.push(`slot: ${context.slot}`)
  if (context.picture) lines.push(`picture: ${context.picture}`)
  return lines
}

function zoneLine({ offset, changesAt, thereafter }: Zone): string {
  return `zone: ${offset} ${changesAt} ${thereafter}`
}

function stepLines({ frame, bytes, code, restart, now, nonce, zone, expect }: Step): string[] {
  const lines: string[] = []
  if (restart) lines.push(`restart: ${toHex(restart)}`)
  if (zone) lines.push(zoneLine(zone))
  if (now !== undefined) lines.push(`now: ${now}`)
  if (nonce) lines.push(`nonce: ${toHex(nonce)}`)
  if (frame) lines.push(`frame: ${toHex(frame)}`)
  if (bytes) lines.push(`bytes: ${toHex(bytes)}`)
  if (code !== undefined) lines.push(`code: ${code}`)
  lines.push(`expect: ${expect}`)
  return lines
}
