// SPDX-License-Identifier: GPL-3.0-or-later

/** One line of the table: what was measured, and what it is held against when there is something. */
export interface Result {
  readonly value: number
  readonly baseline?: number
  readonly ratio?: number
  readonly unit: string
  /** What the value cannot be below, and why: a sentence under the table. */
  readonly note?: string
}

export type Results = Readonly<Record<string, Result>>

/** What every group is handed. */
export interface Bench {
  /** Told in a sentence what is being measured. */
  readonly say: (sentence: string) => void
  readonly signal: AbortSignal
}

/** Measures one or more keys. What it starts ends with it. */
export type Group = (bench: Bench) => Promise<Results>

export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The medians of what was measured in turn, and their ratio. */
export function against(values: readonly number[], baselines: readonly number[], unit: string): Result {
  const [value, baseline] = [median(values), median(baselines)]
  return { value: rounded(value), baseline: rounded(baseline), ratio: rounded(value / baseline), unit }
}

export function alone(values: readonly number[], unit: string): Result {
  return { value: rounded(median(values)), unit }
}

/** Four digits that mean something. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

/** CPU seconds that this process used during `act`, in all its threads. */
export function cpuSecondsOf(act: () => void): number {
  const before = process.cpuUsage()
  act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
