// SPDX-License-Identifier: GPL-3.0-or-later
/** A roll-out as a value: who is next, and whether it goes on (SPEC 15.8). Pure; the desk acts on what it says. */
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import type { Instant } from '../../base/clock.ts'
import type { PartyId } from '../model/index.ts'
import type { Rollout, RolloutDevice, RolloutState, UpdateState } from './ports.ts'

/**
 * The devices in stages of these sizes, in order; what is left is one more stage. Without sizes: one, then a quarter, then all.
 * @returns undefined when a size is not 1 or more
 */
export function planStages(
  devices: readonly PartyId[],
  sizes: readonly number[],
  at: Instant,
): readonly RolloutDevice[] | undefined {
  if (sizes.some((size) => !Number.isInteger(size) || size < 1)) return undefined
  const wanted = sizes.length > 0 ? sizes : [1, Math.max(1, Math.floor(devices.length / 4))]
  const stages = wanted.flatMap((size, stage) => Array<number>(Math.min(size, devices.length)).fill(stage))
  return devices.map((device, i) => ({
    device,
    stage: stages[i] ?? wanted.length,
    state: 'waiting',
    at,
  }))
}

/** The stage under way: the first that is not done everywhere; undefined when all are. */
export function stageOf({ devices }: Rollout): number | undefined {
  return devices.find(({ state }) => state !== 'done')?.stage
}

/** Those that may be offered the image now, if they are there. */
export function dueIn(rollout: Rollout): readonly RolloutDevice[] {
  if (rollout.state !== 'running') return []
  const stage = stageOf(rollout)
  return rollout.devices.filter((each) => each.stage === stage && each.state === 'waiting')
}

/** The roll-out after a device has got so far: one failure halts it. */
export function moved(
  rollout: Rollout,
  device: PartyId,
  to: { readonly state: UpdateState; readonly code?: Code; readonly at: Instant },
): Rollout {
  const devices = rollout.devices.map((each) =>
    each.device === device ? { device, stage: each.stage, ...to } : each,
  )
  return { ...rollout, devices, state: standing(rollout.state, devices) }
}

function standing(before: RolloutState, devices: readonly RolloutDevice[]): RolloutState {
  if (before === 'stopped') return before
  if (devices.some(({ state }) => state === 'failed')) return 'halted'
  if (devices.every(({ state }) => state === 'done')) return 'done'
  return before
}
