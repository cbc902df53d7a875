// SPDX-License-Identifier: GPL-3.0-or-later
import type { Api } from '../api.ts'
import type { Person } from '../person.ts'
import type { Tools } from '../tools.ts'
import { type House, readHouse } from './house.ts'
import { isOvertaken, type Revoked, takeBack } from './revocations.ts'

/** An owner before the picture of the home: what every verb about people begins with. */
export interface Desk {
  readonly tools: Tools
  readonly api: Api
  readonly owner: Person
  readonly house: House
  /** The owner's directory. */
  readonly directory: string
}

/** @param doing  as the beginning of a sentence: `granting` @throws CliError not-permitted for somebody who is no owner */
export async function openDesk(tools: Tools, doing: string): Promise<Desk> {
  const owner = await tools.owner(doing)
  const api = await tools.api()
  using _step = tools.voice.working('asking the home who is who')
  const house = await readHouse(api, owner)
  const desk = { tools, api, owner, house, directory: tools.configured.config.owner }
  // Homes that were apart: what was taken back in either stays so, from the first word to either on.
  if (isOvertaken(desk, house)) await revokeAt(desk, [])
  return desk
}

export async function revokeAt(desk: Desk, entries: readonly Uint8Array[]): Promise<Revoked> {
  const { tools, api, owner, house, directory } = desk
  using _step = tools.voice.working('telling the home and its devices')
  return await takeBack({ clock: tools.clock, api, owner, directory }, house, entries)
}

/** Who was told at once, and what of the others. */
export function sayTold({ told }: Revoked): string {
  const devices = told === 1 ? 'one connected device was' : `${told} connected devices were`
  return `${devices} told at once; others hear it before anything else when they connect`
}
