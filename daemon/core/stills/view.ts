// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { equal } from '../../base/bytes.ts'
import type { Channel } from '../../base/channel.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { ignore, no, type Verdict, yes } from '../../base/error.ts'
import { abortable } from '../../base/lifetime.ts'
import type { Feed, HomeEvent } from '../feed.ts'
import { affordanceOf, type Device } from '../model/index.ts'
import type { Sight } from '../sight.ts'
import type { Stills } from './desk.ts'
import type { Coming, KeptStill } from './ports.ts'
import type { PictureQuestion, StillsQuestion } from './question.ts'

export interface ViewDeps {
  readonly clock: Clock
  readonly feed: Feed
  readonly stills: Stills
}

export interface StillList {
  readonly stills: readonly KeptStill[]
  readonly coming?: Coming | undefined
}

/** Among how many pictures, the newest, those are looked for that somebody may see. */
const AMONG = 100

/** The properties `still` of this device that somebody may read now; of one name, if one is asked for. */
export function judgeView(
  sight: Sight,
  device: Device,
  property: string | undefined,
): Verdict<ReadonlySet<number>, Code> {
  const properties = device.affordances.filter((each) => {
    const affordance = affordanceOf(each)
    return affordance?.capability.name === 'still' && (property === undefined || affordance.name === property)
  })
  if (properties.length === 0) return no('no-such-affordance', `${device.name} takes no such pictures`)
  const judged = properties.map((each) => ({ each, may: sight.may(device, each, 'read') }))
  const readable = new Set(judged.flatMap(({ each, may }) => (may.may ? [each] : [])))
  const [{ may }] = judged as [(typeof judged)[number]]
  return readable.size === 0 && !may.may ? no(may.why, may.detail) : yes(readable)
}

/** What is kept of a device here and may be seen, after it was waited for as long as the question says. */
export async function listStills(
  deps: ViewDeps,
  device: Device,
  readable: ReadonlySet<number>,
  { command, before, limit, waitMs }: StillsQuestion,
): Promise<StillList> {
  const { stills } = deps
  if (waitMs > 0) await untilNews(deps, device, command, waitMs)
  // Those of a camera that may not be seen take no place in the list.
  const kept = stills
    .list(device.id, AMONG, { command, before })
    .filter(({ affordance }) => readable.has(affordance))
  return { stills: kept.slice(0, limit), coming: stills.coming(device.id, command) }
}

export function findStill(
  stills: Stills,
  device: Device,
  readable: ReadonlySet<number>,
  { digest }: PictureQuestion,
): Verdict<KeptStill, 'not-found'> {
  const isReadable = (still: KeptStill) => readable.has(still.affordance)
  const still =
    digest === 'latest' ? stills.list(device.id, AMONG).find(isReadable) : stills.get(device.id, digest)
  return still && isReadable(still) ? yes(still) : no('not-found', 'no such picture')
}

/** Until a picture for this command is kept, or will not be, or got further; at once when it is here. */
async function untilNews(
  { clock, feed, stills }: ViewDeps,
  device: Device,
  command: Uint8Array | undefined,
  ms: number,
): Promise<void> {
  const isOver = command && stills.coming(device.id, command)?.code !== undefined
  if (isOver || (command && stills.list(device.id, 1, { command }).length > 0)) return
  const events = feed.watch()
  using patience = deadline(clock, ms)
  try {
    await abortable(nextStill(events, device, command), patience.signal)
  } catch (error) {
    ignore(error, 'nothing came in the time that was given')
  } finally {
    events.close()
  }
}

async function nextStill(
  events: Channel<HomeEvent>,
  { id }: Device,
  command: Uint8Array | undefined,
): Promise<void> {
  for await (const event of events) {
    const isStill = event.event === 'still' && event.device === id
    if (isStill && (!command || equal(event.command, command))) return
  }
}
