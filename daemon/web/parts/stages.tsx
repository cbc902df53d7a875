// SPDX-License-Identifier: GPL-3.0-or-later
import type { PartyId } from '../../core/model/index.ts'
import { type Progress, progressKey } from '../state.ts'
import { usePage } from './context.ts'

const BY_HUB = ['sent', 'at-hub', 'at-device', 'done'] as const
const BY_ITSELF = ['direct', 'done'] as const

/** How far the last command for an affordance has come, or why it was refused; told to screen readers as it changes. */
export function Stages({ thing, name }: { thing: PartyId; name: string }) {
  const { state, words } = usePage()
  const progress = state.progress.get(progressKey(thing, name))
  const isDirect = progress?.stage === 'direct' || progress?.direct === true
  const way: readonly Progress['stage'][] = isDirect ? BY_ITSELF : BY_HUB
  return (
    <div class="stages" role="status">
      {progress?.stage === 'failed' && (
        <p class="refused">
          <strong>{words.failed}.</strong> {words.reason(progress.code ?? 'internal')}
        </p>
      )}
      {progress && progress.stage !== 'failed' && (
        <p>
          <span class="way" aria-hidden="true">
            {way.map((stage) => (
              <i key={stage} class={way.indexOf(stage) <= way.indexOf(progress.stage) ? 'passed' : ''} />
            ))}
          </span>
          {words.stage[isDirect && progress.stage === 'done' ? 'done-direct' : progress.stage]}
        </p>
      )}
    </div>
  )
}

/** Whether a command for it is on its way. */
export function useIsBusy(thing: PartyId, name: string): boolean {
  const stage = usePage().state.progress.get(progressKey(thing, name))?.stage
  return stage !== undefined && stage !== 'done' && stage !== 'failed'
}
