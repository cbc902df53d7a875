// SPDX-License-Identifier: GPL-3.0-or-later
/** What firmware/wiring says, and what would be wrong with it: a wire to nowhere, a pin used twice, a pin that cannot do what it is for. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const FOLDER = join(import.meta.dirname, '..', '..', 'firmware', 'wiring')

export const BOARDS = ['esp8266', 'esp32', 'esp32c3', 'esp32cam'] as const
export type BoardName = (typeof BOARDS)[number]

/** An output does not move while the board starts; an interrupt is what a Wiegand reader needs; a camera's pins lead to its socket. */
export type Use = 'output' | 'input' | 'interrupt' | 'camera'
export interface Board {
  readonly title: string
  /** Whether it has the room for a door to the LAN (SPEC 18). */
  readonly door: boolean
  readonly supply: Readonly<Record<string, string>>
  readonly pins: Readonly<Record<string, { readonly gpio: number; readonly uses: readonly Use[] }>>
}
export type Boards = Readonly<Record<BoardName, Board>>

/** What a camera's socket is called in C, in the order of firmware/port/esp32cam/capture.h. */
export const CAMERA = [
  ...['power', 'clock', 'sda', 'scl'],
  ...['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7'],
  ...['vsync', 'href', 'pclk'],
].map((name) => `camera-${name}`)

/** What a channel of port.h is on a board, and what its pin must be able to do. `line` is 1-Wire or a DHT22's own. */
export const KINDS: Readonly<Record<string, Use>> = {
  output: 'output',
  pulse: 'output',
  input: 'input',
  line: 'input',
  sda: 'input',
  scl: 'input',
  'wiegand-0': 'interrupt',
  'wiegand-1': 'interrupt',
  ...Object.fromEntries(CAMERA.map((kind) => [kind, 'camera' as const])),
}
/** These have one place on a board, and no number in the app. */
export const BUSES: ReadonlySet<string> = new Set(['sda', 'scl', 'wiegand-0', 'wiegand-1', ...CAMERA])
const CHANNEL_MAX = 7

export interface Channel {
  /** In the app; none for a bus. */
  readonly name?: string
  readonly kind: string
  readonly channel?: number
  /** `part.pin` */
  readonly to: string
  /** On which boards the app has it; the same boards for all of its channels. */
  readonly pins: Readonly<Partial<Record<BoardName, string>>>
}

export interface Part {
  readonly id: string
  readonly name: string
  readonly quantity: number
  readonly pins: readonly string[]
  /** Of firmware/driver, when its address is fixed there. */
  readonly driver?: string
  readonly address?: string
}

export interface Wiring {
  readonly app: string
  readonly title: string
  readonly says: string
  readonly channels: readonly Channel[]
  readonly parts: readonly Part[]
  readonly wires: readonly (readonly [string, string])[]
}

const read = (name: string) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))

export function readBoards(): Boards {
  return read('boards.json')
}

export function readWirings(): Wiring[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json') && name !== 'boards.json')
    .sort()
    .map((name) => ({ app: basename(name, '.json'), ...read(name) }))
}

/** On which boards an app is wired. */
export function boardsOf({ channels }: Wiring): BoardName[] {
  return BOARDS.filter((board) => channels.some(({ pins }) => pins[board] !== undefined))
}

/** Sentences; none when everything fits. */
export function faultsIn(wiring: Wiring, boards: Boards): string[] {
  const faults = [
    ...channelFaults(wiring),
    ...boardsOf(wiring).flatMap((name) => pinFaults(wiring, name, boards[name])),
    ...wireFaults(wiring, boards),
  ]
  return faults.map((fault) => `${wiring.app}: ${fault}`)
}

function channelFaults({ channels }: Wiring): string[] {
  const places = channels.map(({ kind, channel }) => `${kind} ${channel ?? ''}`)
  return channels.flatMap(({ name, kind, channel }, at) => {
    if (!(kind in KINDS)) return [`${kind} is no kind of channel`]
    if (places.indexOf(places[at]!) !== at) return [`${places[at]} is there twice`]
    const isBus = BUSES.has(kind)
    if (isBus) return name === undefined && channel === undefined ? [] : [`${kind} has no name and no number`]
    const isSound = name !== undefined && /^[A-Z][A-Z0-9_]*$/.test(name) && Number.isInteger(channel)
    return isSound && channel! >= 0 && channel! <= CHANNEL_MAX
      ? []
      : [`${kind} ${channel} wants a name and a number to ${CHANNEL_MAX}`]
  })
}

function pinFaults({ channels }: Wiring, name: BoardName, board: Board): string[] {
  const used = channels.map(({ pins }) => pins[name])
  return channels.flatMap(({ kind, to, pins }, at) => {
    const label = pins[name]
    if (label === undefined) return [`${to} has no pin on ${name}`]
    if (!board.pins[label]) return [`${name} has no pin ${label}`]
    if (used.indexOf(label) !== at) return [`${label} of ${name} is used twice`]
    return board.pins[label].uses.includes(KINDS[kind]!) ? [] : [`${label} of ${name} is not fit for ${kind}`]
  })
}

function wireFaults({ channels, parts, wires }: Wiring, boards: Boards): string[] {
  const ends = new Set(parts.flatMap(({ id, pins }) => pins.map((pin) => `${id}.${pin}`)))
  const supply = new Set(Object.keys(boards.esp8266.supply))
  const said = [...channels.map(({ to }) => to), ...wires.flat()]
  const loose = [...ends].filter((end) => !said.includes(end))
  return [
    ...said.filter((end) => !ends.has(end) && !supply.has(end)).map((end) => `there is no ${end}`),
    ...loose.map((end) => `${end} is connected to nothing`),
    ...parts.filter(({ quantity }) => !(quantity >= 1)).map(({ id }) => `how many of ${id}?`),
  ]
}
