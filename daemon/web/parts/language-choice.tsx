// SPDX-License-Identifier: GPL-3.0-or-later
import { LANGUAGES, type Language } from '../words/index.ts'
import { usePage } from './context.ts'

export function LanguageChoice() {
  const { language, setLanguage, words } = usePage()
  return (
    <fieldset class="choices">
      <legend class="label">{words.me.language}</legend>
      {(Object.keys(LANGUAGES) as Language[]).map((each) => (
        <button
          key={each}
          type="button"
          lang={each}
          aria-pressed={each === language}
          onClick={() => setLanguage(each)}
        >
          {LANGUAGES[each].language}
        </button>
      ))}
    </fieldset>
  )
}
