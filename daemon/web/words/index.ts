// SPDX-License-Identifier: GPL-3.0-or-later
/** The page's languages: the browser's wish or the person's own choice enters, words leave. */
import { de } from './de.ts'
import { en } from './en.ts'
import type { Words } from './words.ts'

export type { Words } from './words.ts'

export const LANGUAGES = { en, de } as const

export type Language = keyof typeof LANGUAGES

export function isLanguage(text: string | undefined): text is Language {
  return text !== undefined && Object.hasOwn(LANGUAGES, text)
}

/** @param wished  as in `navigator.languages`, the dearest first */
export function chooseLanguage(chosen: string | undefined, wished: readonly string[]): Language {
  if (isLanguage(chosen)) return chosen
  return wished.map((tag) => tag.split('-')[0]!.toLowerCase()).find(isLanguage) ?? 'en'
}

export function wordsOf(language: Language): Words {
  return LANGUAGES[language]
}
