// SPDX-License-Identifier: GPL-3.0-or-later
/** Names in the commands that are proposed to a person: what is proposed is copied into a shell, and names come from elsewhere. */

/** The word as a shell takes it for itself: nothing in it is expanded, run or split. */
export function typed(word: string): string {
  if (/^[\p{L}\p{N}_.:/-]+$/u.test(word)) return word
  return /["$`\\!]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`
}

/** The same where only words follow: what begins with a dash would be taken for a flag. */
export function typedLast(word: string): string {
  return word.startsWith('-') ? `-- ${typed(word)}` : typed(word)
}
