// SPDX-License-Identifier: GPL-3.0-or-later
import type { Thing } from '../answers.ts'
import { usePage } from './context.ts'

/** What a person should know before they use a device: that nobody, or somebody else, vouches for it. */
export function Warning({ thing }: { thing: Thing }) {
  const { state, words } = usePage()
  const standing = state.standing.get(thing.id)
  if (standing?.kind === 'distrusted') return <p class="refused">{words.thing.distrusted}</p>
  if (standing?.kind === 'unconfirmed') return <p class="warning">{words.thing.unconfirmed}</p>
  if (standing?.kind === 'renamed') return <p class="warning">{words.thing.renamed(standing.recordName)}</p>
  return null
}
