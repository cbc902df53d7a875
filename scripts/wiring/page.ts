// SPDX-License-Identifier: GPL-3.0-or-later
/** All apps on one page: what goes where on which board, and what to buy. */
import { type Boards, boardsOf, type Wiring } from './plan.ts'

export function page(wirings: readonly Wiring[], boards: Boards): string {
  return `# Wiring

<!-- Written by scripts/wiring.ts from the tables in this folder. Do not edit. -->

What each app of \`firmware/app\` is connected to. The numbers that an app is compiled with come from the same tables as these
pictures. None of this has been built from them yet: check each part's own datasheet, above all its voltages. What switches mains
or opens a door is for somebody who may.

${wirings.map((wiring) => section(wiring, boards)).join('\n')}`
}

function section(wiring: Wiring, boards: Boards): string {
  const { app, title, says, channels, parts, wires } = wiring
  const names = boardsOf(wiring)
  const head = ['signal', ...names.map((name) => boards[name].title)]
  const rows = channels.map(({ to, kind, channel, pins }) => [
    `${to} (${kind}${channel === undefined ? '' : ` ${channel}`})`,
    ...names.map((name) => pins[name]!),
  ])
  const supplies = Object.keys(boards.esp8266.supply).filter((supply) => wires.flat().includes(supply))
  const powers = supplies.map((supply) => [
    wires
      .filter((wire) => wire.includes(supply))
      .map((wire) => wire.find((end) => end !== supply)!)
      .join(', '),
    ...names.map((name) => boards[name].supply[supply]!),
  ])
  const between = wires.filter(([from, to]) => !supplies.includes(from) && !supplies.includes(to))
  return `## ${title}

${says} App \`${app}\`.

![${title}: the board on the left, its parts on the right, a line for each wire](../../.docs/wiring-${app}.svg)

${table(head, [...rows, ...powers])}
${between.length > 0 ? `\nBetween parts: ${between.map(([from, to]) => `${from} – ${to}`).join('; ')}.\n` : ''}
${table(
  ['', 'part', 'in the picture'],
  parts.map(({ id, name, quantity }) => [String(quantity), name, id]),
)}
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
