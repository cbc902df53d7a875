// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Ties an onion service to a face of the API: compose's own, because the two rooms never meet.
 * Each service has a unix socket of its own, so that a request is known by the address it came in on.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from './base/clock.ts'
import type { Ed25519 } from './core/envelope/index.ts'
import { onionAddress } from './core/identity/index.ts'
import type { Offer, Publisher } from './core/services.ts'
import type { Face, Http } from './edge/http/index.ts'
import type { Onion, OnionStatus } from './edge/onion/index.ts'

export interface PublishDeps {
  readonly clock: Clock
  readonly ed25519: Ed25519
  /** Absent when the home is not to be reached from outside at all. */
  readonly onion: Onion | undefined
  readonly http: () => Http
  /** Opens the door of the mesh behind a service that other daemons come in by. */
  readonly door: (service: string, path: string) => Promise<AsyncDisposable>
}

const VIRTUAL_PORT = 80

/** @param directory  of ours alone (0700), short enough for unix sockets in it */
export function openPublisher(
  { clock, ed25519, onion, http, door }: PublishDeps,
  directory: string,
): Publisher {
  const faces = new Map<string, Face | AsyncDisposable>()
  const openedAt = clock.now()
  return {
    async offer({ service, seed, clients, probeKey, only }: Offer) {
      const host = onionAddress(ed25519.signer(seed.reveal()).key)
      if (!onion) return host
      // A name of fixed length, because the path of a unix socket may have 107 bytes and a service's name may not fit.
      const file = `${createHash('sha256').update(service).digest('hex').slice(0, 12)}.sock`
      const target = join(directory, file)
      const face = isForDaemons(service)
        ? await door(service, target)
        : await http().face({
            kind: 'unix',
            path: target,
            origin: `onion:${service}`,
            hosts: [host],
            ...(only && { only }),
          })
      faces.set(service, face)
      return onion.offer({
        name: service,
        seed,
        target,
        port: VIRTUAL_PORT,
        clients: clients.map((publicKey) => ({ publicKey })),
        ...(probeKey && { probeKey }),
      })
    },
    async withdraw(service) {
      const face = faces.get(service)
      faces.delete(service)
      // At once: who is connected is told by the end of a stream, which takes a circuit that is still there.
      await Promise.all([onion?.withdraw(service), face?.[Symbol.asyncDispose]()])
    },
    status(service) {
      const status = onion?.status(service)
      return status ? told(status) : { state: 'off', since: openedAt }
    },
  }
}

/** What stands behind it is the mesh, not the API. */
function isForDaemons(service: string): boolean {
  return service.startsWith('mesh:') || service.startsWith('join:')
}

/** Of each service's many changes (a directory more has it) only those of its state: who watches wants no more. */
export function onlyMoves(
  tell: (service: string, state: OnionStatus['state']) => void,
): (status: Pick<OnionStatus, 'name' | 'state'>) => void {
  const last = new Map<string, OnionStatus['state']>()
  return ({ name, state }) => {
    if (last.get(name) === state) return
    last.set(name, state)
    tell(name, state)
  }
}

function told({ state, since, cause }: OnionStatus) {
  return { state, since, ...(cause && { cause: cause.sentence }) }
}
