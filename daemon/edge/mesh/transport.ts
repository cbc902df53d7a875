// SPDX-License-Identifier: GPL-3.0-or-later
/** The one transport there is: out by a dialer that knows onion addresses alone, in by doors. */
import {
  type ComponentLogger,
  type Connection,
  type DialTransportOptions,
  type Listener,
  type ListenerEvents,
  type MultiaddrConnection,
  serviceCapabilities,
  type Transport,
  transportSymbol,
  type Upgrader,
} from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { TypedEventEmitter } from 'main-event'
import { ignore } from '../../base/error.ts'
import { readOnion } from './addresses.ts'
import type { Doors } from './doors.ts'
import { MeshError } from './error.ts'
import type { MeshDeps } from './index.ts'
import { SocketConnection } from './socket-connection.ts'

/** The same for all that come in: where from is not known, and must not look as if it were. */
const INBOUND = multiaddr('/memory/onion')

/** By which door a connection came in. */
export type DoorOf = WeakMap<MultiaddrConnection, string>

export function torTransport(
  dial: MeshDeps['dial'],
  doors: Doors,
  doorOf: DoorOf,
): (components: { logger: ComponentLogger }) => Transport {
  return ({ logger }) => {
    const log = logger.forComponent('libp2p:tor')
    const filter = (addresses: Multiaddr[]) => addresses.filter((address) => readOnion(address))
    const transport = {
      [transportSymbol]: true,
      [Symbol.toStringTag]: 'tor',
      [serviceCapabilities]: ['@libp2p/transport'],
      async dial(to: Multiaddr, options: DialTransportOptions): Promise<Connection> {
        const onion = readOnion(to)
        if (!onion) throw new MeshError('not-onion', 'only onion addresses are dialled')
        const { signal } = options
        // Who is called has no connection: the circuit of the one before, if it still stands, carries nothing.
        const socket = await dial(onion.address, onion.port, {
          ...{ isolation: `mesh:${onion.address}`, anew: true, signal },
        })
        const connection = new SocketConnection(socket, to, 'outbound', log.newScope('outbound'))
        try {
          return await options.upgrader.upgradeOutbound(connection, options)
        } catch (error) {
          connection.abort(error as Error)
          throw error
        }
      },
      createListener: ({ upgrader }: { upgrader: Upgrader }) =>
        new DoorListener(upgrader, doors, doorOf, logger),
      listenFilter: filter,
      dialFilter: filter,
    }
    return transport as Transport
  }
}

class DoorListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #upgrader: Upgrader
  readonly #doors: Doors
  readonly #doorOf: DoorOf
  readonly #logger: ComponentLogger
  readonly #closing = new AbortController()
  #address: Multiaddr | undefined

  constructor(upgrader: Upgrader, doors: Doors, doorOf: DoorOf, logger: ComponentLogger) {
    super()
    this.#upgrader = upgrader
    this.#doors = doors
    this.#doorOf = doorOf
    this.#logger = logger
  }

  async listen(address: Multiaddr): Promise<void> {
    this.#address = address
    const log = this.#logger.forComponent('libp2p:tor:inbound')
    this.#doors.enter = (socket, door) => {
      const connection = new SocketConnection(socket, INBOUND, 'inbound', log)
      this.#doorOf.set(connection, door)
      this.#upgrader.upgradeInbound(connection, { signal: this.#closing.signal }).catch((error) => {
        ignore(error, 'whoever it was is not let in')
        connection.abort(error)
      })
    }
    this.safeDispatchEvent('listening')
  }

  getAddrs(): Multiaddr[] {
    return this.#address ? [this.#address] : []
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    this.#closing.abort()
    this.#doors.enter = undefined
    this.#address = undefined
    this.safeDispatchEvent('close')
  }
}
