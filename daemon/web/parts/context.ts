// SPDX-License-Identifier: GPL-3.0-or-later
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { App } from '../app.ts'
import type { Keep } from '../keep.ts'
import type { State } from '../state.ts'
import type { Language, Words } from '../words/index.ts'

/** What every view may ask for. */
export interface PageContext {
  readonly app: App
  readonly state: State
  readonly keep: Keep
  readonly words: Words
  readonly language: Language
  readonly setLanguage: (language: Language) => void
  /** ms; moves on by itself. */
  readonly now: number
  readonly forget: () => void
}

const Context = createContext<PageContext | undefined>(undefined)

export const PageProvider = Context.Provider

export function usePage(): PageContext {
  return useContext(Context)!
}
