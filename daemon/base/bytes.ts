// SPDX-License-Identifier: GPL-3.0-or-later

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Equal length and content; time depends on the length alone. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function toHex(bytes: Uint8Array): string {
  return bytes.toHex()
}

/** Lower or upper case, whole bytes only; anything else is undefined. */
export function fromHex(text: string): Uint8Array | undefined {
  return /^(?:[0-9a-fA-F]{2})*$/.test(text) ? Uint8Array.fromHex(text) : undefined
}

export function toBase64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** RFC 4648 §5 without padding, canonical only (a second spelling of the same bytes is undefined). */
export function fromBase64url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=')
  try {
    return Uint8Array.fromBase64(padded, { alphabet: 'base64url', lastChunkHandling: 'strict' })
  } catch {
    return undefined
  }
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** RFC 4648 §6, lower case, no padding: the spelling of onion addresses and client keys. */
export function toBase32(bytes: Uint8Array): string {
  let bits = 0
  let held = 0
  let out = ''
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      out += BASE32[(held >>> bits) & 31]
      held &= (1 << bits) - 1
    }
  }
  return bits > 0 ? out + BASE32[(held << (5 - bits)) & 31] : out
}

/** Either case, no padding, canonical only (left-over bits must be zero). */
export function fromBase32(text: string): Uint8Array | undefined {
  const out = new Uint8Array(Math.floor((text.length * 5) / 8))
  let bits = 0
  let held = 0
  let at = 0
  for (const letter of text.toLowerCase()) {
    const value = BASE32.indexOf(letter)
    if (value < 0) return undefined
    held = (held << 5) | value
    bits += 5
    if (bits >= 8) {
      bits -= 8
      out[at++] = (held >>> bits) & 255
      held &= (1 << bits) - 1
    }
  }
  return held === 0 && bits < 5 ? out : undefined
}
