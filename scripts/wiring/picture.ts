// SPDX-License-Identifier: GPL-3.0-or-later
/** One app's wiring as an SVG: the board on the left, its parts on the right, a wire from pin to pin in a column of its own. */
import { type Board, type BoardName, type Boards, boardsOf, type Wiring } from './plan.ts'

interface Place {
  readonly x: number
  readonly y: number
}
interface Wire {
  readonly from: string
  readonly to: string
  readonly color: string
}

const ROW = 22
const BOARD = { x: 20, y: 64, width: 180 }
const PART = { x: 430, width: 380 }
/** Half a row lower than the board's rows, and whole rows apart: two wires that have nothing to do with each other never lie in one line. */
const PARTS_Y = BOARD.y + ROW / 2
const GAP = 10
/** From the board to the parts: the first column of wires, and how far apart they are. */
const FIRST_COLUMN = BOARD.x + BOARD.width + 18
const LAST_COLUMN = PART.x - 30
const SUPPLY_COLORS: Readonly<Record<string, string>> = { GND: '#444444', '3V3': '#c0392b', '5V': '#d35400' }
const COLORS = ['#1f77b4', '#2e8b57', '#8e44ad', '#b8860b', '#008b8b', '#a0522d', '#c71585', '#556b2f']

/** On the first of the boards that it is wired for. */
export function picture(wiring: Wiring, boards: Boards): string {
  const [name] = boardsOf(wiring)
  const board = boards[name!]
  const places = new Map<string, Place>()
  const drawn = [...boardBox(wiring, name!, board, places), ...partBoxes(wiring, places)]
  const wires = wiresOf(wiring).map((wire, at, all) => drawWire(wire, places, at, all.length))
  const height = Math.max(...[...places.values()].map(({ y }) => y)) + 40
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 830 ${height}" width="830" height="${height}" font-family="sans-serif" font-size="12" role="img">
<title>${text(`${wiring.title}: wiring on ${board.title}`)}</title>
<!-- Written by scripts/wiring.ts from firmware/wiring/${wiring.app}.json. -->
<rect width="830" height="${height}" fill="#ffffff"/>
<text x="20" y="28" font-size="18" font-weight="bold" fill="#222222">${text(wiring.title)}</text>
<text x="20" y="48" fill="#555555">${text(wiring.says)}</text>
${[...drawn, ...wires].join('\n')}
</svg>
`
}

function text(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function box(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" stroke="#888888"/>`
}

/** The pins that are used, then what the board supplies, as far as that is. */
function boardBox(
  { channels, wires }: Wiring,
  boardName: BoardName,
  board: Board,
  places: Map<string, Place>,
): string[] {
  const supplies = Object.keys(board.supply).filter((name) => wires.flat().includes(name))
  const rows = [
    ...channels.map(({ to, pins }) => [`board:${to}`, pins[boardName]!] as const),
    ...supplies.map((name) => [name, board.supply[name]!] as const),
  ]
  const out = [
    box(BOARD.x, BOARD.y, BOARD.width, 30 + rows.length * ROW + 8, '#e8f0e8'),
    `<text x="${BOARD.x + 10}" y="${BOARD.y + 20}" font-weight="bold" fill="#222222">${text(board.title)}</text>`,
  ]
  rows.forEach(([name, label], at) => {
    const y = BOARD.y + 40 + at * ROW
    places.set(name, { x: BOARD.x + BOARD.width, y })
    out.push(
      `<text x="${BOARD.x + BOARD.width - 10}" y="${y + 4}" text-anchor="end" fill="#222222">${text(label)}</text>`,
    )
  })
  return out
}

function partBoxes({ parts }: Wiring, places: Map<string, Place>): string[] {
  let y = PARTS_Y
  return parts.flatMap(({ id, name, pins, quantity }) => {
    const height = 28 + pins.length * ROW + 6
    const many = quantity > 1 ? `${quantity} × ` : ''
    const out = [
      box(PART.x, y, PART.width, height, '#eef2f8'),
      `<text x="${PART.x + 10}" y="${y + 19}" font-weight="bold" fill="#222222">${text(`${many}${short(name)}`)}</text>`,
    ]
    pins.forEach((pin, at) => {
      const place = { x: PART.x, y: y + 40 + at * ROW }
      places.set(`${id}.${pin}`, place)
      out.push(`<text x="${place.x + 10}" y="${place.y + 4}" fill="#222222">${text(pin)}</text>`)
    })
    y += height + GAP
    return out
  })
}

function short(name: string): string {
  return name.length <= 48 ? name : `${name.slice(0, 47)}…`
}

function wiresOf({ channels, wires }: Wiring): Wire[] {
  const signals = channels.map(({ to }, at) => ({
    from: `board:${to}`,
    to,
    color: COLORS[at % COLORS.length]!,
  }))
  const others = wires.map(([from, to], at) => {
    const supply = SUPPLY_COLORS[to] ?? SUPPLY_COLORS[from]
    return { from: to, to: from, color: supply ?? COLORS[(channels.length + at) % COLORS.length]! }
  })
  return [...signals, ...others]
}

/** Out of a pin to a column of its own, along it, and into the other pin; a dot at each end. */
function drawWire(
  { from, to, color }: Wire,
  places: ReadonlyMap<string, Place>,
  at: number,
  count: number,
): string {
  const [a, b] = [places.get(from)!, places.get(to)!]
  const column = FIRST_COLUMN + Math.round(((LAST_COLUMN - FIRST_COLUMN) * at) / Math.max(1, count - 1))
  const dots = [a, b].map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${color}"/>`).join('')
  return `<path d="M${a.x} ${a.y}H${column}V${b.y}H${b.x}" fill="none" stroke="${color}" stroke-width="2"/>${dots}`
}
