// SPDX-License-Identifier: GPL-3.0-or-later
/** Reading answers of somebody who may be hostile: never more than the limits here. */
import type { IncomingMessage } from 'node:http'
import { concat } from '../../base/bytes.ts'
import { CliError } from '../error.ts'

export const BODY_BYTES_MAX = 4 * 1024 * 1024
export const LINE_BYTES_MAX = 128 * 1024

/** The whole body. @throws CliError bad-answer beyond BODY_BYTES_MAX */
export async function readBody(answer: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of answer as AsyncIterable<Uint8Array>) {
    size += part.length
    if (size > BODY_BYTES_MAX) {
      answer.destroy()
      throw new CliError('bad-answer', `the home answered with more than ${BODY_BYTES_MAX} bytes`)
    }
    parts.push(part)
  }
  return concat(...parts)
}

/** A body that should be JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new CliError('bad-answer', 'the home answered with something that is not JSON', { cause })
  }
}

/** Lines as they come. @throws CliError bad-answer when one is longer than LINE_BYTES_MAX or not UTF-8 */
export async function* readLines(answer: IncomingMessage): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let held = new Uint8Array(0)
  const text = (line: Uint8Array): string => {
    try {
      return decoder.decode(line.at(-1) === 0x0d ? line.subarray(0, -1) : line)
    } catch (cause) {
      throw new CliError('bad-answer', 'the home sent a line that is not UTF-8', { cause })
    }
  }
  for await (const part of answer as AsyncIterable<Uint8Array>) {
    let start = 0
    for (let end = part.indexOf(0x0a); end >= 0; end = part.indexOf(0x0a, start)) {
      yield text(concat(held, part.subarray(start, end)))
      held = new Uint8Array(0)
      start = end + 1
    }
    if (held.length + part.length - start > LINE_BYTES_MAX) {
      throw new CliError('bad-answer', `the home sent a line of more than ${LINE_BYTES_MAX} bytes`)
    }
    held = new Uint8Array(concat(held, part.subarray(start)))
  }
  if (held.length > 0) yield text(held)
}

export interface ServerEvent {
  readonly event: string
  readonly data: string
}

/** Server-sent events (HTML Living Standard §9.2.6) from lines; comments and ids are passed over. */
export async function* readEvents(lines: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let event = 'message'
  let data: string[] = []
  let size = 0
  for await (const line of lines) {
    if (line === '') {
      if (data.length > 0) yield { event, data: data.join('\n') }
      event = 'message'
      data = []
      size = 0
      continue
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line)!
    if (field === 'event') event = value!
    if (field === 'data') data.push(value!)
    size += line.length
    if (size > LINE_BYTES_MAX) {
      throw new CliError('bad-answer', `the home sent an event of more than ${LINE_BYTES_MAX} bytes`)
    }
  }
}
