// SPDX-License-Identifier: GPL-3.0-or-later
import type { IncomingMessage } from 'node:http'
import { concat } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'

/** Whether the request says that a body follows. */
export function hasBody(request: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  return coding !== undefined || (length !== undefined && length !== '0')
}

/** The media type without its parameters, lower case; empty when there is none. */
export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
}

/**
 * Reads a body to its end, holding at most `bytesMax` of it.
 * @throws when the client goes away before the end
 */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Verdict<Uint8Array, 'payload-too-large'>> {
  const parts: Uint8Array[] = []
  let size = 0
  // The rest of a body that is too large is thrown away by whoever answers: the answer needs the socket.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    size += (part as Uint8Array).length
    if (size > bytesMax) return no('payload-too-large')
    parts.push(part as Uint8Array)
  }
  // Always a copy: what the parser hands out is a window on its own buffer, and frames are kept.
  return yes(concat(...parts))
}
