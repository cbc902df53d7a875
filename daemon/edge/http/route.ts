// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import type { Clock } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import type { Command, Message } from '../../core/envelope/index.ts'
import { type Device, type PartyId, parseId } from '../../core/model/index.ts'
import type { Caller } from '../../core/receive.ts'
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

/** One request whose form is right and whose sender is proved. */
export interface Asking {
  readonly caller: Caller
  /** The one device that this face serves; absent on the home's faces. */
  readonly only: PartyId | undefined
  readonly params: Readonly<Record<string, string>>
  readonly query: ReadonlyMap<string, string>
  readonly body: Uint8Array
  /** The body, opened, where it was what proved the caller. */
  readonly command?: Message<Command>
  readonly accept: string
  /** Absolute URI of the face as the client named it, ending in `/`. */
  readonly base: string
}

export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'

export interface Route {
  readonly method: Method
  /** `:name` stands for one segment. */
  readonly path: string
  /** Served on a face that belongs to one device, too. */
  readonly ofThing: boolean
  /** Parameters it understands; others are refused. */
  readonly query?: readonly string[]
  /** Media type of the body it needs; `optional` takes none, too. Absent: it takes no body. */
  readonly takes?: { readonly type: 'application/cose' | 'application/json'; readonly optional?: true }
  /** Its body is a sealed command, which says by itself who asks (SPEC 9.2). */
  readonly commands?: true
  readonly run: (asking: Asking) => Reply | Promise<Reply>
}

/** Finds the device that a path or query names by id or by name, as far as this face shows it. */
export function findThing(
  home: HttpHome,
  asking: Pick<Asking, 'only'>,
  named: string,
): Verdict<Device, Code> {
  const id = parseId(named)
  const device = (id && home.devices.get(id)) ?? home.devices.named(named)
  if (!device || (asking.only && asking.only !== device.id)) return no('not-found', 'no such device')
  return yes(device)
}
