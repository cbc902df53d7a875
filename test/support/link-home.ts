// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../daemon/base/clock.ts'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, type LogLine } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import {
  type Ed25519,
  nativeEd25519,
  type Place,
  type Signer,
  type Zone,
} from '../../daemon/core/envelope/index.ts'
import { deviceLeaf, hubLeaf } from '../../daemon/core/identity/certificates.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { type Link, type LinkLimits, openLink } from '../../daemon/edge/link/index.ts'
import { type DeviceKeys, deviceKeys, type Hub, permitOf } from '../../scripts/device/index.ts'
import { MemoryDesk } from './desk.ts'

export const ed25519: Ed25519 = nativeEd25519()
export const signerOf = (n: number): Signer => ed25519.signer(new Uint8Array(32).fill(n))

export interface LinkHome extends AsyncDisposable {
  readonly link: Link
  readonly hub: Hub
  readonly desk: MemoryDesk
  readonly lines: LogLine[]
  readonly root: Signer
  readonly deviceCa: Signer
  readonly hubCa: Signer
  /** The hub's own key, which its leaf shows and its leases are sealed with. */
  readonly hubKey: Signer
  /** A device that is known already, with its certificate. */
  known(name: string): { keys: DeviceKeys; certificate: Uint8Array }
  /** Opens a permit; returns the secret of its code. */
  permit(name: string): Uint8Array
  /**
   * Closes and opens again, with the same keys and books; with another seed as another daemon of the same home, with another CA in
   * another generation.
   */
  restart(hubSeed?: Uint8Array, hubCa?: Signer): Promise<LinkHome>
}

export interface LinkHomeOptions {
  readonly clock?: Clock
  readonly limits?: Partial<LinkLimits>
  readonly port?: number
  readonly host?: string
  /** Where else devices are told to look. */
  readonly places?: readonly Place[]
  readonly zone?: () => Zone | undefined
}

/** What survives a restart of the hub. */
interface Kept {
  readonly root: Signer
  readonly deviceCa: Signer
  readonly nextCa: Signer
  readonly hubCa: Signer
  readonly hubSeed: Uint8Array
  readonly desk: MemoryDesk
}

function keysAndBooks(): Kept {
  const draw = () => ed25519.signer(systemRandom.bytes(32))
  const keys = { root: draw(), deviceCa: draw(), nextCa: draw(), hubCa: draw() }
  return { ...keys, hubSeed: systemRandom.bytes(32), desk: new MemoryDesk() }
}

/** A link on loopback over a desk in memory. */
export async function openLinkHome(
  options: LinkHomeOptions = {},
  kept: Kept = keysAndBooks(),
): Promise<LinkHome> {
  const { root, deviceCa, nextCa, hubCa, hubSeed, desk } = kept
  const clock = options.clock ?? systemClock
  const lines: LogLine[] = []
  const host = options.host ?? '127.0.0.1'
  const homeId: PartyId = idOf(root.key)
  const log = new Log(clock, (line) => lines.push(line))
  const link = await openLink(
    { clock, random: systemRandom, log, ed25519, desk },
    {
      host,
      port: options.port ?? 0,
      homeId,
      hubSeed: new Secret(hubSeed),
      hubLeaf: hubLeaf(hubCa, ed25519.signer(hubSeed).key, systemRandom.bytes(8)),
      deviceCas: [deviceCa, nextCa],
      limits: options.limits ?? {},
      places: () => options.places ?? [],
      ...(options.zone && { zone: options.zone }),
    },
    new AbortController().signal,
  )
  return {
    link,
    hub: { host, port: link.port, homeId, hubCaKeys: [hubCa.key] },
    desk,
    lines,
    root,
    deviceCa,
    hubCa,
    hubKey: ed25519.signer(hubSeed),
    known(name) {
      const keys = deviceKeys(ed25519)
      desk.add({ id: keys.id, name, board: 'test', firmware: '0.1.0', affordances: [1] })
      return { keys, certificate: deviceLeaf(deviceCa, keys.signer.key, systemRandom.bytes(8), clock.now()) }
    },
    permit(name) {
      const secret = systemRandom.bytes(16)
      const { permit, hubKey } = permitOf(secret)
      const expiresAt = clock.now() + 900_000
      desk.permits.set(permit.toHex(), { permit, name, expiresAt, proofKey: hubKey })
      return secret
    },
    async restart(another = kept.hubSeed, ca = kept.hubCa) {
      await link[Symbol.asyncDispose]()
      return openLinkHome(options, { ...kept, hubSeed: another, hubCa: ca })
    },
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  }
}
