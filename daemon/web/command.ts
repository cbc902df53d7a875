// SPDX-License-Identifier: GPL-3.0-or-later
/** One command from its sealing to the device's own receipt (SPEC 4.10, 4.11, 9.3). */
import { sha256 } from '@noble/hashes/sha2.js'
import { type Code, codeByNumber } from '../../schemas/gen/ts/codes.ts'
import { equal } from '../base/bytes.ts'
import { isCode } from '../base/error.ts'
import { type Affordance, affordanceNamed, type PartyId, toWire } from '../core/model/index.ts'
import {
  type NamedValue,
  type Operation,
  type Papers,
  readPapers,
  readStage,
  type Thing,
  type Value,
} from './answers.ts'
import type { Asker } from './ask.ts'
import { PageError } from './error.ts'
import { fieldsOf, idIn } from './fields.ts'
import { capabilityOf } from './kind.ts'
import { type Near, type Order, valuesDone } from './near.ts'
import { COMMAND_LIFETIME_S, type Person } from './person.ts'
import { type Believed, type Proven, prove, proveReceipt, valuesOf } from './proof.ts'

export interface Wish {
  readonly thing: PartyId
  readonly kind: 'property' | 'action'
  /** By the names of SPEC 4.13. */
  readonly name: string
  readonly value?: Value | undefined
}

/** `direct`: sent to the device itself. */
export type PassedStage = 'direct' | 'sent' | 'at-hub' | 'at-device'

export interface CommandDeps {
  readonly asker: Asker
  readonly near: Near
  /** The hub does not answer. */
  readonly alone: boolean
  readonly person: Person
  readonly believed: Believed
  readonly onStage: (stage: PassedStage) => void
  /** Told the SHA-256 of the command, each time one goes out. */
  readonly onSealed?: (command: Uint8Array) => void
  /** Told what the home shows for the device now, when it had to be asked again. */
  readonly onPapers: (thing: PartyId, papers: Papers) => void
}

const SILENCE_MS_MAX = (COMMAND_LIFETIME_S + 15) * 1000
const STAGES_MAX = 8

export interface Outcome {
  /** What changed, from the receipt. */
  readonly values: readonly NamedValue[]
  /** The device answered by itself. */
  readonly direct: boolean
}

/**
 * Seals the wish for the device as it was last heard, and has it done: by the device itself where there is such a way, else by the
 * home, whose stages are followed. A device that did not answer by itself may have heard all the same: the home is given the same
 * bytes, which the device refuses as replayed then. When the device was born anew since (`stale-nonce`), the wish is sealed once more.
 * @throws PageError with the refusal's code; expired; the reason why an answer cannot be believed
 */
export async function carryOut(
  deps: CommandDeps,
  thing: Thing,
  wish: Wish,
  signal: AbortSignal,
): Promise<Outcome> {
  const tried = await tryNear(deps, thing, wish, signal)
  if (tried && 'values' in tried) return tried
  return { values: await byHome(deps, thing, wish, tried?.frame, signal), direct: false }
}

/** @returns the frame of which nothing came, if one was sent */
async function tryNear(
  { near, alone, believed, onStage }: CommandDeps,
  thing: Thing,
  wish: Wish,
  signal: AbortSignal,
): Promise<Outcome | { readonly frame: Uint8Array } | undefined> {
  // A picture is brought to the hub, whoever asked for it.
  if (capabilityOf(wish.name)?.name === 'look' || !near.reaches(thing, alone)) return undefined
  onStage('direct')
  const answer = await near.ask(thing, believed, (proven) => orderOf(thing, proven, wish), signal)
  if (answer?.kind !== 'receipt') return answer
  return { values: valuesDone(answer.receipt), direct: true }
}

/** @param frame  as the device itself was given it, if it was */
async function byHome(
  deps: CommandDeps,
  thing: Thing,
  wish: Wish,
  frame: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<readonly NamedValue[]> {
  const first = thing.hello ? thing : await askAnew(deps, thing, signal)
  try {
    const proven = prove(first, deps.believed)
    return await send(deps, proven, wish, frame ?? sealed(deps, thing, proven, wish), signal)
  } catch (error) {
    if (frame && isCode(error, 'replayed'))
      throw new PageError('unknown-outcome', 'the device had it already, and its answer was lost', {
        cause: error,
      })
    if (!isCode(error, 'stale-nonce')) throw error
    const second = await askAnew(deps, thing, signal)
    if (first.nonce && second.nonce && equal(first.nonce, second.nonce)) throw error
    const proven = prove(second, deps.believed)
    return send(deps, proven, wish, sealed(deps, thing, proven, wish), signal)
  }
}

async function askAnew({ asker, onPapers }: CommandDeps, thing: Thing, signal: AbortSignal): Promise<Thing> {
  const fields = fieldsOf(await asker.json({ method: 'GET', path: `/things/${thing.id}/properties` }, signal))
  if (idIn(fields, 'id') !== thing.id)
    throw new PageError('distrust', 'the home answered with another device')
  const papers = readPapers(fields)
  onPapers(thing.id, papers)
  return { ...thing, ...papers }
}

/** @throws PageError no-such-affordance, bad-value */
function orderOf(thing: Thing, proven: Proven, wish: Wish): Order {
  const affordance = affordanceNamed(proven.affordances, wish.name)
  if (affordance?.capability.kind !== wish.kind) throw new PageError('no-such-affordance', wish.name)
  const value = wireValue(affordance, wish.value)
  const operation: Exclude<Operation, 'read'> = wish.kind === 'property' ? 'write' : 'invoke'
  const grant = thing.affordances.get(wish.name)?.may[operation]?.grant
  return {
    operation,
    affordance: affordance.number,
    ...(value !== undefined && { value }),
    ...(grant && { grant }),
  }
}

function sealed({ person }: CommandDeps, thing: Thing, proven: Proven, wish: Wish): Uint8Array {
  return person.command(proven.id, { nonce: proven.nonce, ...orderOf(thing, proven, wish) })
}

async function send(
  { asker, believed, onStage, onSealed }: CommandDeps,
  proven: Proven,
  wish: Wish,
  frame: Uint8Array,
  signal: AbortSignal,
): Promise<readonly NamedValue[]> {
  const isProperty = wish.kind === 'property'
  onSealed?.(sha256(frame))
  onStage('sent')
  const lines = asker.lines(
    {
      method: isProperty ? 'PUT' : 'POST',
      path: `/things/${proven.id}/${isProperty ? 'properties' : 'actions'}/${wish.name}`,
      type: 'application/cose',
      body: Uint8Array.from(frame),
      accept: 'application/x-ndjson',
      sealed: true,
    },
    SILENCE_MS_MAX,
    signal,
  )
  let passed = 0
  for await (const line of lines) {
    if (++passed > STAGES_MAX) throw new PageError('bad-answer', 'the home tells of stages without end')
    const said = readStage(line)
    if (said.stage === 'at-hub' || said.stage === 'at-device') {
      onStage(said.stage)
      continue
    }
    if (said.stage === 'expired') {
      throw new PageError(said.reached ? 'unknown-outcome' : 'expired', 'the device did not answer in time')
    }
    const { body } = proveReceipt(said.receipt, sha256(frame), proven.id, believed)
    const code: Code | undefined = codeByNumber(body.code)
    if (code === undefined || (code === 'ok') !== (said.stage === 'done')) {
      throw new PageError('distrust', 'the home says otherwise than the device')
    }
    if (code !== 'ok') throw new PageError(code, code)
    return valuesOf(body.values)
  }
  throw new PageError('unknown-outcome', 'the home ended its answer before the command was done')
}

function wireValue({ capability, name }: Affordance, value: Value | undefined): Value | undefined {
  if (capability.type === 'none') return undefined
  const wire = toWire(capability, value)
  if (wire === undefined) throw new PageError('bad-value', name)
  return wire
}
