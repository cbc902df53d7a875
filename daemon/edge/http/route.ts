// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import type { Clock } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import type { Command, Frame, Message } from '../../core/envelope/index.ts'
import { type Device, type PartyId, parseId } from '../../core/model/index.ts'
import type { Caller, Place } from '../../core/receive.ts'
import type { Sight } from '../../core/sight.ts'
import type { Reply } from './answer.ts'
import type { HttpHome } from './home.ts'
import type { HttpLimits } from './limits.ts'
import type { Watchers } from './watchers.ts'

/** What every route is handed once. */
export interface RouteDeps {
  readonly clock: Clock
  readonly log: Log
  readonly home: HttpHome
  readonly limits: HttpLimits
  readonly watchers: Watchers
}

/** One request whose form is right; nobody is proved. */
export interface Unproved {
  /** The one device that this face serves; absent on the home's faces. */
  readonly only: PartyId | undefined
  readonly place: Place
  /** The path as it was asked for, with query. */
  readonly target: string
  /** The head of the answer is wanted alone. */
  readonly isHead: boolean
  readonly params: Readonly<Record<string, string>>
  readonly query: ReadonlyMap<string, string>
  readonly body: Uint8Array
  /** Media type of the body; empty without one. */
  readonly type: string
  readonly accept: string
  /** Accept-Language as the client sent it. */
  readonly languages: string
  /** Absolute URI of the face as the client named it, ending in `/`. */
  readonly base: string
}

/** A request that says by itself who sealed it, or that nobody has to be somebody for. */
export interface Stranger extends Unproved {
  /** Aborts when the client goes away. */
  readonly gone: AbortSignal
}

/** One request whose sender is proved, too. */
export interface Asking extends Unproved {
  readonly caller: Caller
  /** What the caller may see and do at this moment. */
  readonly sight: Sight
  /** The body, opened, where it was what proved the caller. */
  readonly command?: Message<Command> | undefined
  /** The sealed request that proved the caller. */
  readonly sealed?: Frame | undefined
}

export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
export type MediaType =
  | 'application/cose'
  | 'application/json'
  | 'application/x-www-form-urlencoded'
  | 'application/octet-stream'

interface Form {
  readonly method: Method
  /** `:name` stands for one segment. */
  readonly path: string
  /** Served on a face that belongs to one device, too. */
  readonly ofThing: boolean
  /** Parameters it understands; others are refused. */
  readonly query?: readonly string[]
  /** Media type of the body it needs; `optional` takes none, too. Absent: it takes no body. */
  readonly takes?: { readonly type: MediaType; readonly or?: MediaType; readonly optional?: true }
}

export type Route = Form &
  (
    | {
        /** Who is let in (SPEC 9.3): owners, also those who may pass something on, or everybody who is proved. */
        readonly who: 'owner' | 'sharer' | 'all'
        /** Its body may be a sealed command, which says by itself who asks (SPEC 9.2). */
        readonly commands?: true
        /** The token in `:token` of its path proves who asks: a page without scripts (SPEC 9.6). */
        readonly form?: true
        readonly run: (asking: Asking) => Reply | Promise<Reply>
      }
    | {
        /** What it takes says by itself who sealed it, or who will be somebody. */
        readonly who: 'nobody'
        readonly run: (asking: Stranger) => Reply | Promise<Reply>
      }
  )

/** Finds the device that a path or query names by id or by name, as far as this face and this caller see it. */
export function findThing(
  home: HttpHome,
  { only, sight, caller }: Pick<Asking, 'only' | 'sight' | 'caller'>,
  named: string,
): Verdict<Device, Code> {
  const id = parseId(named)
  const device = (id && home.devices.get(id)) ?? home.devices.named(named)
  const namesakes = device
    ? []
    : home.devices.list().filter((each) => each.name === named && sight.sees(each))
  if (namesakes.length > 1 && !only) {
    const names = namesakes.map((each) => `${each.home}/${each.name}`).join(', ')
    return no('conflict', `${namesakes.length} devices are called ${named}: ${names}`)
  }
  const isElsewhere = device !== undefined && only !== undefined && only !== device.id
  if (isElsewhere) home.desk.forbidden(caller, `another device than that of this address: ${device.name}`)
  if (!device || isElsewhere || !sight.sees(device)) return no('not-found', 'no such device')
  return yes(device)
}
