// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * The known name that a mistyped one most likely meant, or undefined when none is near.
 * @param apart  so many letters at most; absent: a third of the name, but two
 */
export function nearest(typed: string, known: readonly string[], apart?: number): string | undefined {
  const word = typed.slice(0, 64).toLowerCase()
  let best: { name: string; distance: number } | undefined
  for (const name of known) {
    const distance = editDistance(word, name.toLowerCase())
    if (!best || distance < best.distance) best = { name, distance }
  }
  if (!best) return undefined
  return best.distance <= (apart ?? Math.max(2, Math.ceil(best.name.length / 3))) ? best.name : undefined
}

/** Insertions, deletions and substitutions that make one word the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
