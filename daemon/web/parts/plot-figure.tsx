// SPDX-License-Identifier: GPL-3.0-or-later

import { sayValue, titleOf } from '../kind.ts'
import { plotOf } from '../plot.ts'
import type { HistoryView } from '../state.ts'
import { usePage } from './context.ts'

const BOX = { width: 300, height: 150 }
/** Of a label at 12 px, wide letters too. */
const LETTER_WIDTH = 7
const LABEL_GAP = 8
/** The first and the last of five times stay inside. */
const ANCHORS: Readonly<Record<number, 'start' | 'end'>> = { 0: 'start', 4: 'end' }
const ROWS_MAX = 50

/** A plot for those who see it, and the same as a table for everybody. */
export function PlotFigure({ view }: { view: HistoryView }) {
  const { words, language, now } = usePage()
  const { samples, property, failed } = view
  if (failed) return <p class="refused">{words.reason(failed)}</p>
  if (!samples) return <p role="status">{words.history.loading}</p>
  const plot = plotOf(samples, view.since, now, BOX)
  if (!plot) return <p>{words.history.empty}</p>
  const say = (value: number | boolean) => sayValue(property, value, words, language)
  const isSwitch = samples.every(({ value }) => typeof value === 'boolean')
  const format = timeFormat(now - view.since, language)
  const summary = isSwitch
    ? words.history.title(titleOf(property, words))
    : `${titleOf(property, words)}, ${words.history.range(say(plot.least), say(plot.most))}`
  const lines = plot.lines.map((line) => ({ ...line, said: say(isSwitch ? line.value === 1 : line.value) }))
  const left = LABEL_GAP * 2 + Math.max(...lines.map(({ said }) => said.length)) * LETTER_WIDTH
  return (
    <figure class="plot">
      <svg
        viewBox={`${-left} -12 ${left + BOX.width + 4} ${BOX.height + 34}`}
        role="img"
        aria-label={summary}
      >
        {lines.map(({ value, y, said }) => (
          <g key={value}>
            <line class="grid" x1={0} x2={BOX.width} y1={y} y2={y} />
            <text x={-LABEL_GAP} y={y + 4} text-anchor="end">
              {said}
            </text>
          </g>
        ))}
        {plot.times.map(({ at, x }, place) => (
          <text key={at} x={x} y={BOX.height + 18} text-anchor={ANCHORS[place] ?? 'middle'}>
            {format.format(at)}
          </text>
        ))}
        <path class="curve" d={plot.path} />
      </svg>
      <figcaption>{summary}</figcaption>
      <details>
        <summary>{words.history.table}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.history.time}</th>
              <th scope="col">{words.history.value}</th>
            </tr>
          </thead>
          <tbody>
            {samples
              .slice(-ROWS_MAX)
              .reverse()
              .map(({ at, value }, row) => (
                <tr key={row}>
                  <td>
                    {new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium' }).format(
                      at,
                    )}
                  </td>
                  <td>{say(value)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}

const DAY_MS = 86_400_000

function timeFormat(spanMs: number, language: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(
    language,
    spanMs > 2 * DAY_MS
      ? { day: 'numeric', month: 'numeric' }
      : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  )
}
