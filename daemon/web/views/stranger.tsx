// SPDX-License-Identifier: GPL-3.0-or-later
import { useState } from 'preact/hooks'
import { CODE_PHONE_PREFIX } from '../../../schemas/gen/ts/wire.ts'
import type { CodeFault } from '../code.ts'
import { type Identity, KEY_PREFIX, type KeptIdentity, readKey } from '../identity.ts'
import { Heading } from '../parts/heading.tsx'
import { readPhoneCode } from '../phone-code.ts'
import type { Words } from '../words/index.ts'

interface StrangerProps {
  readonly words: Words
  /** What came with the address, if anything did. */
  readonly brought: string | undefined
  readonly welcome: (identity: Identity) => void
  /** A phone code was given. */
  readonly join: (code: string) => void
}

/** Somebody without a key: a code, a link or a file makes them known. */
export function StrangerView({ words, brought, welcome, join }: StrangerProps) {
  const [typed, setTyped] = useState(brought ?? '')
  const [fault, setFault] = useState<CodeFault>()
  const [locked, setLocked] = useState<KeptIdentity & { locked: true }>()
  const take = (text: string) => {
    const phone = from(CODE_PHONE_PREFIX, text)
    if (phone !== undefined) {
      const read = readPhoneCode(phone)
      setFault(read.ok ? undefined : read.why)
      if (read.ok) join(phone)
      return
    }
    const read = readKey(from(KEY_PREFIX, text) ?? '')
    setFault(read.ok ? undefined : read.why)
    if (!read.ok) return
    if (read.value.locked) setLocked(read.value)
    else welcome(read.value.identity)
  }
  const takeFile = async (file: File | undefined) => {
    if (file) take(file.size > 10_000 ? '' : await file.text())
  }
  return (
    <>
      <Heading>{words.stranger.title}</Heading>
      <p>{words.stranger.why}</p>
      {locked ? (
        <Unlock words={words} unlock={locked.unlock} welcome={welcome} />
      ) : (
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault()
            take(typed)
          }}
        >
          <label>
            <span>{words.stranger.code}</span>
            <textarea
              rows={4}
              spellcheck={false}
              autocomplete="off"
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
          <p role="alert" class="refused">
            {fault && words.fault[fault]}
          </p>
          <button type="submit" class="plain">
            {words.stranger.go}
          </button>
          <label>
            <span>{words.stranger.file}</span>
            <input
              type="file"
              accept=".txt,text/plain"
              onChange={(event) => takeFile(event.currentTarget.files?.[0])}
            />
          </label>
        </form>
      )}
    </>
  )
}

/** A link may have the address before its code. */
function from(prefix: string, text: string): string | undefined {
  const at = text.indexOf(prefix)
  return at < 0 ? undefined : text.slice(at)
}

interface UnlockProps {
  readonly words: Words
  readonly unlock: (passphrase: string) => Promise<Identity | undefined>
  readonly welcome: (identity: Identity) => void
}

function Unlock({ words, unlock, welcome }: UnlockProps) {
  const [passphrase, setPassphrase] = useState('')
  const [wrong, setWrong] = useState(false)
  const [busy, setBusy] = useState(false)
  const open = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setWrong(false)
    const identity = await unlock(passphrase)
    setBusy(false)
    if (identity) welcome(identity)
    else setWrong(true)
  }
  return (
    <form class="card" onSubmit={open}>
      <label>
        <span>{words.stranger.passphrase}</span>
        <input
          type="password"
          autocomplete="current-password"
          value={passphrase}
          onInput={(event) => setPassphrase(event.currentTarget.value)}
        />
      </label>
      <p role="alert" class="refused">
        {wrong && words.reason('wrong-passphrase')}
      </p>
      <p role="status">{busy && words.stranger.unlocking}</p>
      <button type="submit" class="plain" aria-busy={busy}>
        {words.stranger.unlock}
      </button>
    </form>
  )
}
