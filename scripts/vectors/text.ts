// SPDX-License-Identifier: GPL-3.0-or-later
import { toHex } from '../../daemon/base/bytes.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'

/** What a receiver is and knows; a step may change `now` and `nonce`. */
export interface Context {
  readonly audience?: string
  readonly now?: number
  readonly nonce?: Uint8Array
  readonly limit?: number
  readonly root?: Uint8Array
  readonly owner?: readonly Uint8Array[]
  readonly hub?: Uint8Array
  readonly device?: readonly Uint8Array[]
}

export interface Step {
  readonly frame?: Uint8Array
  readonly bytes?: Uint8Array
  readonly code?: string
  readonly now?: number
  readonly nonce?: Uint8Array
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

function contextLines({ audience, now, nonce, limit, root, owner, hub, device }: Context): string[] {
  const lines: string[] = []
  if (audience !== undefined) lines.push(`audience: ${audience}`)
  if (now !== undefined) lines.push(`now: ${now}`)
  if (nonce) lines.push(`nonce: ${toHex(nonce)}`)
  if (limit !== undefined) lines.push(`limit: ${limit}`)
  if (root) lines.push(`root: ${toHex(root)}`)
  for (const key of owner ?? []) lines.push(`owner: ${toHex(key)}`)
  if (hub) lines.push(`hub: ${toHex(hub)}`)
  for (const key of device ?? []) lines.push(`device: ${toHex(key)}`)
  return lines
}

function stepLines({ frame, bytes, code, now, nonce, expect }: Step): string[] {
  const lines: string[] = []
  if (now !== undefined) lines.push(`now: ${now}`)
  if (nonce) lines.push(`nonce: ${toHex(nonce)}`)
  if (frame) lines.push(`frame: ${toHex(frame)}`)
  if (bytes) lines.push(`bytes: ${toHex(bytes)}`)
  if (code !== undefined) lines.push(`code: ${code}`)
  lines.push(`expect: ${expect}`)
  return lines
}
