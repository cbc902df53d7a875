// SPDX-License-Identifier: GPL-3.0-or-later
import { useState } from 'preact/hooks'
import { systemRandom } from '../../base/random.ts'
import { writeKey, writeLockedKey } from '../identity.ts'
import { usePage } from '../parts/context.ts'
import { Heading } from '../parts/heading.tsx'
import { LanguageChoice } from '../parts/language-choice.tsx'
import { FormsView } from './forms.tsx'
import { OtherWays } from './others.tsx'

/** Who this phone is, how its key is kept, and how it is forgotten. */
export function MeView() {
  const { app, state, keep, words } = usePage()
  return (
    <>
      <Heading>{words.me.title}</Heading>
      <dl class="card">
        <dt>{words.me.name}</dt>
        <dd>{keep.identity()?.name}</dd>
        <dt>{words.me.key}</dt>
        <dd>
          <code>{app.person.id}</code>
        </dd>
      </dl>
      <LanguageChoice />
      <KeepKey />
      <OtherWays />
      {state.me?.share && <FormsView />}
      <Forget />
    </>
  )
}

function KeepKey() {
  const { keep, words } = usePage()
  const [passphrase, setPassphrase] = useState('')
  const [made, setMade] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [copied, setCopied] = useState(false)
  const make = async (event: Event) => {
    event.preventDefault()
    const identity = keep.identity()
    if (!identity || busy) return
    setBusy(true)
    setMade(passphrase === '' ? writeKey(identity) : await writeLockedKey(identity, passphrase, systemRandom))
    setBusy(false)
    setCopied(false)
  }
  const link = made && `${location.origin}/#${made}`
  return (
    <section class="card">
      <h2>{words.me.keep}</h2>
      <p>{words.me.keepWhy}</p>
      <form onSubmit={make}>
        <label>
          <span>{words.me.passphrase}</span>
          <input
            type="password"
            autocomplete="new-password"
            value={passphrase}
            onInput={(event) => setPassphrase(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="plain" aria-busy={busy}>
          {words.me.make}
        </button>
      </form>
      <p role="status">{busy ? words.me.making : copied ? words.me.copied : ''}</p>
      {link && (
        <>
          <label>
            <span>{words.me.link}</span>
            <textarea readOnly rows={4} value={link} onFocus={(event) => event.currentTarget.select()} />
          </label>
          <div class="choices">
            <button type="button" onClick={() => copy(link).then(setCopied)}>
              {words.me.copy}
            </button>
            <a class="button" download="shallot-key.txt" href={`data:text/plain,${encodeURIComponent(made)}`}>
              {words.me.save}
            </a>
          </div>
        </>
      )}
    </section>
  )
}

/** A plain-http onion has no clipboard in every browser: then the text is there to be selected. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

function Forget() {
  const { words, forget } = usePage()
  const [asking, setAsking] = useState(false)
  return (
    <section class="card">
      {asking ? (
        <>
          <p>{words.me.forgetSure}</p>
          <div class="choices">
            <button type="button" class="danger" onClick={forget}>
              {words.me.yes}
            </button>
            <button type="button" onClick={() => setAsking(false)}>
              {words.me.no}
            </button>
          </div>
        </>
      ) : (
        <button type="button" class="plain" onClick={() => setAsking(true)}>
          {words.me.forget}
        </button>
      )}
    </section>
  )
}
