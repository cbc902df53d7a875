// SPDX-License-Identifier: GPL-3.0-or-later
import { memberFrame } from './seals.ts'
import { World } from './world.ts'

const EVENTS = 20

export interface Growth {
  /** That stand when all are linked. */
  readonly connections: number
  /** For each event, until every daemon has it. */
  readonly messages: number
  /** Daemons that have the whole log of the one that wrote. */
  readonly whole: number
}

/** What one daemon's events cost among so many that are all connected and lose nothing. */
export async function growthOf(daemons: number, seed: number): Promise<Growth> {
  const world = new World(seed, { loss: 0, doubling: 0, delayMsMax: 50 })
  const all = Array.from({ length: daemons }, (_, at) => world.add(`daemon-${at}`))
  const members = all.map(({ signer, name }, at) => memberFrame(signer.key, name, at + 1))
  for (const each of all) await each.told(members)
  for (const a of all) for (const b of all) world.link(a, b)
  await world.pass(60_000)
  const [first] = all
  const before = world.sent
  for (let event = 0; event < EVENTS; event++) {
    first!.shelf.write(`${event}`, world.now)
    first!.talk.exchange.pump(world.now)
    await world.pass(1000)
  }
  const whole = all.filter(({ shelf }) => shelf.head(first!.id).position === EVENTS).length
  return { connections: world.links, messages: (world.sent - before) / EVENTS, whole }
}
