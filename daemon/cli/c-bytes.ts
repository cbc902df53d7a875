// SPDX-License-Identifier: GPL-3.0-or-later
/** Bytes as rows of a C array, twelve each, and back. */
const PER_ROW = 12

export function rowsOfBytes(bytes: Uint8Array): string {
  const words = Array.from(bytes, (byte) => `0x${byte.toString(16).padStart(2, '0')}`)
  const rows = Array.from({ length: Math.ceil(words.length / PER_ROW) }, (_, row) =>
    words.slice(row * PER_ROW, (row + 1) * PER_ROW).join(', '),
  )
  return rows.map((row) => `  ${row}`).join(',\n')
}

/** The bytes that were written so; whether these rows are the only spelling is for the caller to compare. */
export function bytesInRows(rows: string): Uint8Array {
  return Uint8Array.from(rows.match(/0x[0-9a-f]{2}/g) ?? [], (word) => Number(word))
}
