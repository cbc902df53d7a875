// SPDX-License-Identifier: GPL-3.0-or-later
/** A person who keeps the way home open and commands one device: the parts of the CLI, without starting a process each time. */
import { join } from 'node:path'
import { equal } from '../../daemon/base/bytes.ts'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Api } from '../../daemon/cli/api.ts'
import { bytesIn, fieldsOf, textIn } from '../../daemon/cli/fields.ts'
import { Person, sha256 } from '../../daemon/cli/person.ts'
import type { Way } from '../../daemon/cli/reach/index.ts'
import { Sequence } from '../../daemon/cli/sequence.ts'
import { type ProvenThing, proveThing, thingPath } from '../../daemon/cli/things.ts'
import { loadOwner } from '../../daemon/config/keyring.ts'
import { type Command, openEnvelope, type Receipt } from '../../daemon/core/envelope/index.ts'
import { keyOf } from '../../daemon/core/model/index.ts'
import { ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import type { HomePlace } from './home.ts'

/** The level of a lamp (schemas/capabilities/list.csv). */
const LEVEL = 2
const COMMAND_LIFETIME_S = 30

export interface Client extends AsyncDisposable {
  readonly api: Api
  prove(device: string): Promise<ProvenThing>
  /** Seals one command, sends it, and opens the device's own receipt for it. */
  command(thing: ProvenThing, level: number, onStage?: (stage: string) => void): Promise<void>
}

/**
 * The CLI keeps its sequence in a file that several processes share: a millisecond that belongs to the start of each
 * command line, not to the way. Who stays keeps it in memory.
 */
class OwnSequence extends Sequence {
  #last = 0

  override async next(): Promise<number> {
    this.#last = Math.max(systemClock.now(), this.#last + 1)
    return this.#last
  }
}

export function openClient(place: HomePlace, openWay: (signal: AbortSignal) => Promise<Way>): Client {
  const sequence = new OwnSequence(systemClock, join(place.owner, 'sequence'))
  const ring = loadOwner(place.owner)
  const keys = { ...ring, role: 'owner', signer: ring.owner } as const
  const person = new Person({ clock: systemClock, random: systemRandom, sequence }, keys)
  const api = new Api({ clock: systemClock, person, openWay }, new AbortController().signal)
  return {
    api,
    prove: (device) => proveThing(api, person, device),
    async command(thing, level, onStage) {
      const frame = await person.seal<Command>(thing.id, {
        ...{ type: 'command', expiresAt: person.now() + COMMAND_LIFETIME_S, nonce: thing.nonce },
        ...{ operation: 'write', affordance: LEVEL, value: level },
      })
      const receipt = await receiptOf(api, `${thingPath(thing.id)}/properties/level`, frame, onStage)
      checkReceipt(receipt, frame, thing, person)
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  }
}

async function receiptOf(
  api: Api,
  path: string,
  frame: Uint8Array,
  onStage?: (stage: string) => void,
): Promise<Uint8Array> {
  for await (const line of api.stages('PUT', path, frame)) {
    const said = fieldsOf(line, 'a stage')
    onStage?.(textIn(said, 'stage'))
    if (textIn(said, 'stage') === 'done') return bytesIn(said, 'receipt')
  }
  throw new Error('the command ended without a receipt')
}

function checkReceipt(receipt: Uint8Array, frame: Uint8Array, thing: ProvenThing, person: Person): void {
  const opened = openEnvelope(
    receipt,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => body.type === 'receipt' && equal(signer, keyOf(thing.id)),
      isAudience: (body) => body.audience === person.home,
    },
    person.ed25519,
  )
  if (!opened.ok) throw new Error(`the receipt does not open: ${opened.why}`)
  const { command, code } = opened.value.body as Receipt
  if (!equal(command, sha256(frame)) || code !== 0) throw new Error('the receipt is for another command')
}
