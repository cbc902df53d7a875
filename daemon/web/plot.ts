// SPDX-License-Identifier: GPL-3.0-or-later
/** Samples → the numbers of a drawing: no markup, so that a test can hold a pencil. */
import type { NamedValue } from './answers.ts'

export interface PlotBox {
  readonly width: number
  readonly height: number
}

export interface Plot {
  /** For `d` of an SVG path: a value holds until the next was read. */
  readonly path: string
  readonly least: number
  readonly most: number
  /** Values at which a line is drawn, with their y. */
  readonly lines: readonly { readonly value: number; readonly y: number }[]
  /** Times at which one is drawn, with their x. */
  readonly times: readonly { readonly at: number; readonly x: number }[]
}

const POINTS_MAX = 800
const STEPS = [1, 2, 5, 10]

/**
 * @param from, to  ms; the time that the width stands for
 * @returns undefined when there is nothing to draw
 */
export function plotOf(
  samples: readonly NamedValue[],
  from: number,
  to: number,
  { width, height }: PlotBox,
): Plot | undefined {
  const inside = thinned(samples.filter(({ at }) => at >= from && at <= to))
  if (inside.length === 0 || to <= from) return undefined
  const values = inside.map(({ value }) => Number(value))
  const isSwitch = inside.every(({ value }) => typeof value === 'boolean')
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const lines = isSwitch ? [0, 1] : gridOf(least, most)
  const [bottom, top] = [Math.min(lines[0]!, least), Math.max(lines.at(-1)!, most)]
  const x = (at: number): number => rounded(((at - from) / (to - from)) * width)
  const y = (value: number): number => rounded(height - ((value - bottom) / (top - bottom)) * height)
  const steps = inside.map(({ at }, i) =>
    i === 0 ? `M${x(at)} ${y(values[i]!)}` : `H${x(at)}V${y(values[i]!)}`,
  )
  return {
    path: `${steps.join('')}H${x(to)}`,
    least,
    most,
    lines: lines.map((value) => ({ value, y: y(value) })),
    times: [0, 1, 2, 3, 4].map((part) => {
      const at = from + ((to - from) * part) / 4
      return { at, x: x(at) }
    }),
  }
}

/** Round values around the range, three to six of them. */
function gridOf(least: number, most: number): number[] {
  const span = most > least ? most - least : Math.max(1, Math.abs(most) / 10)
  const power = 10 ** Math.floor(Math.log10(span / 3))
  const step = power * STEPS.find((each) => span / (power * each) <= 4)!
  const first = Math.floor(least / step)
  const last = Math.max(first + 1, Math.ceil(most / step))
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** Of many, the least and the most of each stretch, so that a peak is not lost. */
function thinned(samples: readonly NamedValue[]): readonly NamedValue[] {
  if (samples.length <= POINTS_MAX) return samples
  const stretch = Math.ceil((samples.length * 2) / POINTS_MAX)
  const kept: NamedValue[] = []
  for (let start = 0; start < samples.length; start += stretch) {
    const part = samples.slice(start, start + stretch)
    const low = part.reduce((a, b) => (Number(b.value) < Number(a.value) ? b : a))
    const high = part.reduce((a, b) => (Number(b.value) > Number(a.value) ? b : a))
    kept.push(...(low.at <= high.at ? [low, high] : [high, low]))
  }
  return kept
}

function rounded(number: number): number {
  return Math.round(number * 10) / 10
}
