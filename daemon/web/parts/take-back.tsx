// SPDX-License-Identifier: GPL-3.0-or-later
import { useState } from 'preact/hooks'
import type { PartyId } from '../../core/model/index.ts'
import type { KnownGrant } from '../people.ts'
import { usePage } from './context.ts'

/** Asks once more, because what is taken back is taken back for good. */
export function TakeBack({ what, name }: { what: KnownGrant | PartyId; name: string }) {
  const { app, words } = usePage()
  const [asking, setAsking] = useState(false)
  if (!asking) {
    return (
      <button type="button" aria-label={`${words.people.takeBack}: ${name}`} onClick={() => setAsking(true)}>
        {words.people.takeBack}
      </button>
    )
  }
  const sure = () => {
    setAsking(false)
    void app.perform({ act: 'take-back', what })
  }
  return (
    <span class="choices">
      <button
        type="button"
        class="danger"
        aria-label={`${words.people.takeBackSure}: ${name}`}
        onClick={sure}
      >
        {words.people.takeBackSure}
      </button>
      <button type="button" onClick={() => setAsking(false)}>
        {words.me.no}
      </button>
    </span>
  )
}
