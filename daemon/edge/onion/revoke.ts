// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'
import { type Control, getInfo } from './control.ts'
import { fieldsOf } from './reply.ts'

const PASSES_MAX = 20
const SETTLE_MS = 250

/**
 * Takes an address out of tor together with everything that still runs through it.
 * DEL_ONION alone leaves open rendezvous circuits and their streams alive, and a circuit that was being built while
 * we looked may stand a moment later: so it looks again until a look after a pause finds none.
 * The first look comes after a pause, too: the target, which is closed meanwhile, ends its streams, and that end must get
 * out before the circuit is closed under it. Relays may keep the closing of a circuit to themselves for a minute
 * (measured, tor 0.4.9), and the other side would sit before a stream that is dead.
 */
export async function revoke(
  clock: Clock,
  control: Control,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  // 552: tor does not know it; that is what we want.
  await control.command(`DEL_ONION ${id}`)
  await control.command(`ONION_CLIENT_AUTH_REMOVE ${id}`)
  for (let pass = 0, calm = 0; pass < PASSES_MAX && calm < 2; pass++) {
    await clock.sleep(SETTLE_MS, signal)
    const circuits = rendezvousOf(id, await getInfo(control, 'circuit-status'))
    // 552 again: the circuit ended by itself meanwhile.
    await Promise.all(circuits.map((circuit) => control.command(`CLOSECIRCUIT ${circuit}`)))
    calm = circuits.length === 0 ? calm + 1 : 0
  }
}

/** The circuits of our side of this service's meetings, from the lines of GETINFO circuit-status. */
export function rendezvousOf(id: string, circuitStatus: string): string[] {
  return circuitStatus.split('\n').flatMap((line) => {
    const fields = fieldsOf(line)
    if (fields.get('PURPOSE') !== 'HS_SERVICE_REND' || fields.get('REND_QUERY') !== id) return []
    const circuit = /^\w+/.exec(line)
    return circuit === null ? [] : [circuit[0]]
  })
}
