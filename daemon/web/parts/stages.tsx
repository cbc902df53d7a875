// SPDX-License-Identifier: GPL-3.0-or-later
import type { PartyId } from '../../core/model/index.ts'
import { progressKey } from '../state.ts'
import { usePage } from './context.ts'

const WAY = ['sent', 'at-hub', 'at-device', 'done'] as const

/** How far the last command for an affordance has come, or why it was refused; told to screen readers as it changes. */
export function Stages({ thing, name }: { thing: PartyId; name: string }) {
  const { state, words } = usePage()
  const progress = state.progress.get(progressKey(thing, name))
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
            {WAY.map((stage) => (
              <i
                key={stage}
                class={WAY.indexOf(stage) <= WAY.indexOf(progress.stage as 'sent') ? 'passed' : ''}
              />
            ))}
          </span>
          {words.stage[progress.stage]}
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
