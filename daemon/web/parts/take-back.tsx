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
      <button type="button" onClick={() => setAsking(true)}>
        {words.people.takeBack}
        <span class="only-read">: {name}</span>
      </button>
    )
  }
  const sure = () => {
    setAsking(false)
    void app.perform({ act: 'take-back', what })
  }
  return (
    <span class="choices">
      <button type="button" class="danger" onClick={sure}>
        {words.people.takeBackSure}
        <span class="only-read">: {name}</span>
      </button>
      <button type="button" onClick={() => setAsking(false)}>
        {words.me.no}
      </button>
    </span>
  )
}
