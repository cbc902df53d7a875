// SPDX-License-Identifier: GPL-3.0-or-later
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import type { Person } from '../person.ts'
import type { Tools } from '../tools.ts'
import { type House, readHouse } from './house.ts'
import { isOvertaken, type Revoked, takeBack } from './revocations.ts'

/** Somebody before the picture of the home: what every verb about people begins with. */
export interface Desk {
  readonly tools: Tools
  readonly api: Api
  /** Who seals: an owner, unless the desk was opened for others too. */
  readonly owner: Person
  readonly house: House
  /** What this one keeps about others: the owner's directory, or one beside the key file. */
  readonly directory: string
}

/** Who may come: an owner, also who holds what may be passed on, or everybody with a key. */
export type Visitor = 'owner' | 'sharer' | 'anybody'

/** @param doing  as the beginning of a sentence: `granting` @throws CliError not-permitted for somebody whom this is not for */
export async function openDesk(tools: Tools, doing: string, visitor: Visitor = 'owner'): Promise<Desk> {
  const owner = visitor === 'owner' ? await tools.owner(doing) : await tools.person()
  const api = await tools.api()
  using _step = tools.voice.working('asking the home who is who')
  const house = await readHouse(api, owner)
  if (visitor === 'sharer' && owner.role !== 'owner' && !house.mayShare) {
    throw new CliError('not-permitted', `${doing} takes an owner, or a grant that may be passed on`, {
      next: `an owner can give ${owner.name} one: shallot grant … --may-share`,
    })
  }
  const { config } = tools.configured
  const directory = owner.role === 'owner' ? config.owner : `${config.identity}.people`
  const desk = { tools, api, owner, house, directory }
  // Homes that were apart: what was taken back in either stays so, from the first word to either on.
  if (owner.role === 'owner' && isOvertaken(desk, house)) await revokeAt(desk, [])
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
