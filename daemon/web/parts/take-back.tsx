// SPDX-License-Identifier: GPL-3.0-or-later
import { useState } from 'preact/hooks'
import type { Action } from '../api.ts'
import { usePage } from './context.ts'

export interface TakeBackProps {
  readonly action: Action
  /** What the button says, whose it is, and what it says when it asks once more. */
  readonly says: string
  readonly name: string
  readonly sure: string
  /** What will be, where that needs saying. */
  readonly why?: string
}

/** Asks once more, because what is taken back is taken back for good. */
export function TakeBack({ action, says, name, sure, why }: TakeBackProps) {
  const { app, words } = usePage()
  const [asking, setAsking] = useState(false)
  if (!asking) {
    return (
      <button type="button" aria-label={`${says}: ${name}`} onClick={() => setAsking(true)}>
        {says}
      </button>
    )
  }
  const isSure = () => {
    setAsking(false)
    void app.perform(action)
  }
  return (
    <span class="choices">
      {why && <small>{why}</small>}
      <button type="button" class="danger" aria-label={`${sure}: ${name}`} onClick={isSure}>
        {sure}
      </button>
      <button type="button" onClick={() => setAsking(false)}>
        {words.me.no}
      </button>
    </span>
  )
}
