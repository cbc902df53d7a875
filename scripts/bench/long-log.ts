// SPDX-License-Identifier: GPL-3.0-or-later
/** A home's log as long as it is after years. */
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { loadHub, loadOwner } from '../../daemon/config/keyring.ts'
import { nativeEd25519, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { openState } from '../../daemon/state/index.ts'

const ed25519 = nativeEd25519()
const FRAMES = 64
/** Entries that are written in one turn, so in one transaction. */
const BATCH = 500

/**
 * Commands with true seals, because each is checked where it arrives. The daemon must not run.
 * @returns the bytes of all entries
 */
export async function fillLog(
  place: { readonly data: string; readonly owner: string },
  entries: number,
): Promise<number> {
  const { owner } = loadOwner(place.owner)
  const device = idOf(owner.key)
  const claims = {
    audience: device,
    sealedAt: 1,
    expiresAt: 31,
    epoch: systemRandom.bytes(8),
    nonce: systemRandom.bytes(8),
  }
  const frames = Array.from({ length: FRAMES }, (_, sequence) =>
    sealEnvelope(
      { type: 'command', ...claims, sequence, operation: 'write', affordance: 2, value: sequence },
      owner,
    ),
  )
  const author = idOf(ed25519.signer(loadHub(place.data).hubSeed.reveal()).key)
  const deps = { clock: systemClock, log: new Log(systemClock, silent) }
  const path = join(place.data, 'home.sqlite')
  await using state = await openState(deps, { path, author }, new AbortController().signal)
  for (let at = 0; at < entries; at += BATCH) {
    const entry = (n: number) =>
      ({ kind: 'command', at: n, device, signer: device, frame: frames[n % FRAMES]! }) as const
    await Promise.all(Array.from({ length: BATCH }, (_, n) => state.journal.append(entry(at + n))))
  }
  const piece = state.shelf.own(1)!
  const pieceBytes = piece.entries.reduce((sum, body) => sum + body.length, 0)
  return (pieceBytes / piece.entries.length) * entries
}
