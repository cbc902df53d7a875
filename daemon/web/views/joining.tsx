// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useMemo, useState } from 'preact/hooks'
import { failureOf, type PageCode } from '../error.ts'
import type { Identity } from '../identity.ts'
import { type JoinDeps, type Joining, join, matchOf } from '../join.ts'
import { Heading } from '../parts/heading.tsx'
import { readPhoneCode } from '../phone-code.ts'
import type { Words } from '../words/index.ts'

interface JoiningProps {
  readonly words: Words
  readonly deps: JoinDeps
  readonly code: string
  readonly seed: Uint8Array
  readonly welcome: (identity: Identity) => void
  readonly giveUp: () => void
}

/** Somebody with a phone code, until an owner who sees the same number has confirmed. */
export function JoiningView({ words, deps, code, seed, welcome, giveUp }: JoiningProps) {
  const [joining, setJoining] = useState<Joining>('asking')
  const [failed, setFailed] = useState<PageCode>()
  const read = useMemo(() => readPhoneCode(code), [code])
  useEffect(() => {
    if (!read.ok) return setFailed(read.why)
    const leaving = new AbortController()
    join(deps, read.value, seed, setJoining, leaving.signal).then(welcome, (error) => {
      if (!leaving.signal.aborted) setFailed(failureOf(error).code)
    })
    return () => leaving.abort()
  }, [code])
  const match = useMemo(() => (read.ok ? matchOf(read.value, seed, deps) : ''), [code])
  return (
    <>
      <Heading>{words.joining.title}</Heading>
      <div class="card">
        {failed === undefined && (
          <>
            <p class="label">{words.joining.match}</p>
            <p class="match">{`${match.slice(0, 3)} ${match.slice(3)}`}</p>
            <p>{words.joining.compare}</p>
          </>
        )}
        <p role="status">{failed === undefined && words.joining[joining]}</p>
        <p role="alert" class="refused">
          {failed !== undefined && words.reason(failed)}
        </p>
        <button type="button" class={failed === undefined ? '' : 'plain'} onClick={giveUp}>
          {words.joining.again}
        </button>
      </div>
    </>
  )
}
