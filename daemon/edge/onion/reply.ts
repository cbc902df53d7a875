// SPDX-License-Identifier: GPL-3.0-or-later
import { OnionError } from './error.ts'

/** One line of a reply: what follows the code, and the data block when it opened one (dots unstuffed). */
export interface ReplyLine {
  readonly text: string
  readonly data?: string
}

export interface Reply {
  /** 250 and the like; 650 is an event nobody asked for. */
  readonly code: number
  /** At least one; the last is the closing line. */
  readonly lines: readonly ReplyLine[]
}

export const LINE_BYTES_MAX = 65_536
export const REPLY_BYTES_MAX = 4 * 1024 * 1024
const LF = 10
const CR = 13

/**
 * Cuts tor's side of the control conversation into replies (control-spec §2.3).
 * Holds at most one reply of REPLY_BYTES_MAX, whatever arrives.
 * @throws OnionError reply-malformed | reply-too-long; after a throw the reader is spent
 */
export class ReplyReader {
  #held: Uint8Array[] = []
  #heldBytes = 0
  #replyBytes = 0
  #lines: { text: string; data?: string }[] = []
  #code: number | undefined
  #inData: string[] | undefined

  /** @returns the replies that these bytes completed, in order. */
  push(bytes: Uint8Array): Reply[] {
    const done: Reply[] = []
    let from = 0
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, from)) {
      const reply = this.#line(this.#take(bytes.subarray(from, at)))
      if (reply !== undefined) done.push(reply)
      from = at + 1
    }
    this.#hold(bytes.subarray(from))
    return done
  }

  #hold(bytes: Uint8Array): void {
    this.#heldBytes += bytes.length
    if (this.#heldBytes > LINE_BYTES_MAX) {
      throw new OnionError('reply-too-long', `tor sent a line of more than ${LINE_BYTES_MAX} bytes`)
    }
    if (bytes.length > 0) this.#held.push(Uint8Array.from(bytes))
  }

  #take(rest: Uint8Array): string {
    this.#hold(rest)
    const line = Buffer.concat(this.#held)
    this.#held = []
    this.#heldBytes = 0
    this.#replyBytes += line.length
    if (this.#replyBytes > REPLY_BYTES_MAX) {
      throw new OnionError('reply-too-long', `tor sent a reply of more than ${REPLY_BYTES_MAX} bytes`)
    }
    if (line.at(-1) !== CR) throw malformed('a line that ends without a carriage return')
    return line.toString('latin1', 0, line.length - 1)
  }

  #line(line: string): Reply | undefined {
    if (this.#inData !== undefined) return this.#dataLine(line)
    const shape = /^([2-6]\d\d)([ +-])([^\r]*)$/.exec(line)
    if (shape === null) throw malformed('a line without a code')
    const code = Number(shape[1])
    if (this.#code !== undefined && code !== this.#code) throw malformed('a reply of two codes')
    this.#code = code
    this.#lines.push({ text: shape[3]! })
    if (shape[2] === '+') this.#inData = []
    return shape[2] === ' ' ? this.#finish(code) : undefined
  }

  #dataLine(line: string): undefined {
    if (line !== '.') {
      this.#inData!.push(line.startsWith('.') ? line.slice(1) : line)
      return
    }
    this.#lines.at(-1)!.data = this.#inData!.join('\n')
    this.#inData = undefined
  }

  #finish(code: number): Reply {
    const reply = { code, lines: this.#lines }
    this.#lines = []
    this.#code = undefined
    this.#replyBytes = 0
    return reply
  }
}

function malformed(what: string): OnionError {
  return new OnionError('reply-malformed', `the control socket sent ${what}`)
}

/** `KEY=value` and `KEY="quoted \"value\""` of a reply line (control-spec §2.1.1); later spellings of a key are dropped. */
export function fieldsOf(text: string): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  for (const match of text.matchAll(/(?:^| )([A-Za-z0-9_]+)=(?:"((?:[^"\\]|\\.)*)"|([^ ]*))/g)) {
    const value = match[2] === undefined ? match[3]! : unquoted(match[2])
    if (!out.has(match[1]!)) out.set(match[1]!, value)
  }
  return out
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** tor writes what is not printable ASCII byte by byte, in octal: a directory's name in UTF-8, too. */
function unquoted(text: string): string {
  const bytes = text.replace(/\\([0-3][0-7]{2}|.)/g, (_all, of: string) =>
    of.length === 3 ? String.fromCharCode(Number.parseInt(of, 8)) : (ESCAPED[of] ?? of),
  )
  return Buffer.from(bytes, 'latin1').toString()
}
