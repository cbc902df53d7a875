// SPDX-License-Identifier: GPL-3.0-or-later
/** Roll-outs as the home tells of them, in words (SPEC 15.8). */
import { CODES, type Code, MEANINGS } from '../../../schemas/gen/ts/codes.ts'
import { type Fields, fieldsOf, listOf, numberIn, optionalTextIn, textIn } from '../fields.ts'

export interface RolloutDevice {
  readonly device: string
  readonly name: string
  readonly stage: number
  readonly state: string
  readonly connected: boolean
  readonly got: number
  readonly code: Code | undefined
}

export interface Rollout {
  readonly id: number
  readonly firmware: string
  readonly sequence: number
  readonly size: number
  readonly target: string
  readonly state: string
  readonly devices: readonly RolloutDevice[]
}

/** @throws CliError bad-answer */
export function rolloutIn(said: unknown): Rollout {
  const fields = fieldsOf(said, 'a roll-out')
  return {
    id: numberIn(fields, 'id'),
    firmware: textIn(fields, 'firmware'),
    sequence: numberIn(fields, 'sequence'),
    size: numberIn(fields, 'size'),
    target: textIn(fields, 'target'),
    state: textIn(fields, 'state'),
    devices: listOf(fields.devices, 'devices').map((each) => deviceIn(fieldsOf(each, 'a device'))),
  }
}

function deviceIn(fields: Fields): RolloutDevice {
  const code = optionalTextIn(fields, 'code')
  const device = textIn(fields, 'device')
  return {
    device,
    name: optionalTextIn(fields, 'name') ?? device,
    stage: numberIn(fields, 'stage'),
    state: textIn(fields, 'state'),
    connected: fields.connected === true,
    got: numberIn(fields, 'got'),
    code: code !== undefined && Object.hasOwn(CODES, code) ? (code as Code) : undefined,
  }
}

/** What one device is doing, with how much of the image it has. */
export function sayDevice({ size }: Rollout, { state, got, code, connected }: RolloutDevice): string {
  switch (state) {
    case 'waiting':
      return connected ? 'waits for its stage' : 'is away'
    case 'offered':
      return 'was offered the image'
    case 'receiving':
      return `has ${got} of ${size} bytes (${Math.floor((got * 100) / size)} %)`
    case 'restarting':
      return 'has all of it and restarts'
    case 'done':
      return 'runs the new image'
    default:
      return `failed: ${code ? MEANINGS[code] : state}`
  }
}

/** One line for the whole: which stage, and who is in it. */
export function sayRollout(rollout: Rollout): string {
  const { firmware, target, state, devices } = rollout
  const done = devices.filter((each) => each.state === 'done').length
  const stages = Math.max(...devices.map(({ stage }) => stage)) + 1
  const now = devices.find((each) => each.state !== 'done')?.stage ?? stages - 1
  const where = state === 'running' ? `stage ${now + 1} of ${stages}` : state
  return `${firmware} to ${target}: ${where}, ${done} of ${devices.length} done`
}
